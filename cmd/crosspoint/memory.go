package main

import (
	"log/slog"
	"sync"
	"time"

	"crosspoint/b2bua"
	"crosspoint/b2bua/registrar"
	"crosspoint/cmd/crosspoint/store"
	"crosspoint/internal/inbox"
)

// A memory is what an office knows from before its start, and will know after
// the next one. Without a file it lasts as long as the office.
type memory struct {
	store *store.Store
	file  bool                     // it survives a restart
	toll  map[string]time.Duration // talked today on toll calls before this start
	log   *slog.Logger
	inbox *inbox.Inbox[remembered]
	stop  chan struct{}
	once  sync.Once
	done  chan struct{} // closed as run returns
}

// remembered is a record to be kept, or an order to the writer.
type remembered struct {
	record  b2bua.Record
	written chan<- struct{} // not nil: closed when all that came before is written
	keepFor time.Duration   // not zero: how long records are kept from now on
}

// openMemory opens the store; an empty path is none.
func openMemory(path string, keepFor time.Duration, log *slog.Logger) (*memory, error) {
	s, err := store.Open(path)
	if err != nil {
		return nil, err
	}
	m := &memory{store: s, file: path != store.Memory, log: log, inbox: inbox.New[remembered](), stop: make(chan struct{}), done: make(chan struct{})}
	y, month, d := time.Now().Date()
	if m.toll, err = s.Toll(time.Date(y, month, d, 0, 0, 0, 0, time.Local)); err != nil {
		s.Close()
		return nil, err
	}
	go m.run(keepFor) // ended by close
	return m, nil
}

// bindings is where the registrar keeps its own; nil: nowhere.
func (m *memory) bindings() registrar.Store {
	if !m.file {
		return nil
	}
	return m.store.Bindings()
}

// keep takes the record of a call that has ended. It does not wait for the disk.
func (m *memory) keep(r b2bua.Record) {
	if m.file {
		m.inbox.Put(remembered{record: r})
	}
}

// keepCalls changes how long records are kept.
func (m *memory) keepCalls(d time.Duration) { m.inbox.Put(remembered{keepFor: max(d, 1)}) }

// calls are the latest calls kept, the latest first; negative: all.
func (m *memory) calls(most int) ([]store.Call, error) {
	m.flush()
	return m.store.Calls(most)
}

// call is a call kept.
func (m *memory) call(id string) (store.Call, bool) {
	m.flush()
	c, ok, err := m.store.Call(id)
	if err != nil {
		m.log.Error("the records of calls can't be read", "error", err)
	}
	return c, ok
}

// flush waits until what was given to keep is written.
func (m *memory) flush() {
	written := make(chan struct{})
	if m.inbox.Put(remembered{written: written}) {
		<-written
	}
}

// forgetEvery is how often records that are too old are dropped.
const forgetEvery = time.Hour

// run writes records, many at once if many wait, and forgets old ones.
func (m *memory) run(keepFor time.Duration) {
	defer close(m.done)
	m.forget(keepFor)
	hourly := time.NewTicker(forgetEvery)
	defer hourly.Stop()
	for {
		select {
		case <-m.inbox.Ready():
			keepFor = m.write(m.takeAll(), keepFor)
		case <-hourly.C:
			m.forget(keepFor)
		case <-m.stop:
			m.forget(m.write(m.inbox.Close(), keepFor))
			return
		}
	}
}

func (m *memory) takeAll() []remembered {
	var all []remembered
	for {
		r, ok := m.inbox.Take()
		if !ok {
			return all
		}
		all = append(all, r)
	}
}

// write does what was asked. It returns how long records are kept from now on.
func (m *memory) write(all []remembered, keepFor time.Duration) time.Duration {
	was := keepFor
	var records []b2bua.Record
	for _, r := range all {
		switch {
		case r.keepFor != 0:
			keepFor = r.keepFor
		case r.written == nil:
			records = append(records, r.record)
		}
	}
	if len(records) > 0 {
		if err := m.store.Keep(records...); err != nil {
			m.log.Error(err.Error())
		}
	}
	if keepFor != was {
		m.forget(keepFor)
	}
	for _, r := range all {
		if r.written != nil {
			close(r.written)
		}
	}
	return keepFor
}

// forget drops what is older than it shall be. Today's records stay whatever
// the file says: the day's toll talk time is counted by them.
func (m *memory) forget(keepFor time.Duration) {
	if err := m.store.Forget(time.Now().Add(-max(keepFor, 24*time.Hour))); err != nil {
		m.log.Error(err.Error())
	}
}

// close writes what is left and closes the store.
func (m *memory) close() {
	m.once.Do(func() { close(m.stop) })
	<-m.done
	if err := m.store.Close(); err != nil {
		m.log.Error("the store is not closed", "error", err)
	}
}
