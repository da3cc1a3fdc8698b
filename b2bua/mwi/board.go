package mwi

import (
	"maps"
	"slices"
	"sync"
)

// A Store keeps summaries beyond a restart.
type Store interface {
	// Messages are the summaries kept, by extension.
	Messages() map[string]Summary
	// KeepMessages keeps one. On an error it is as before.
	KeepMessages(extension string, s Summary) error
}

// A Board keeps for which extensions messages wait, and tells those who watch it of
// changes. Its methods may be called from any goroutine.
type Board struct {
	store Store

	mu       sync.Mutex
	all      map[string]Summary // only what is not zero
	watchers []func(extension string, s Summary)
}

// NewBoard is a board with what the store has kept. A nil store keeps nothing.
func NewBoard(store Store) *Board {
	b := &Board{store: store, all: map[string]Summary{}}
	if store != nil {
		maps.Copy(b.all, store.Messages())
	}
	return b
}

// Watch has f called at once for each extension for which something is known, and
// then with each change, in order. It must not block, nor call the board.
func (b *Board) Watch(f func(extension string, s Summary)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watchers = append(b.watchers, f)
	for _, extension := range slices.Sorted(maps.Keys(b.all)) {
		f(extension, b.all[extension])
	}
}

// Set notes what is told of an extension's messages. An error is the store's; the
// change holds until a restart then.
func (b *Board) Set(extension string, s Summary) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all[extension] == s {
		return nil
	}
	if s == (Summary{}) {
		delete(b.all, extension)
	} else {
		b.all[extension] = s
	}
	for _, f := range b.watchers {
		f(extension, s)
	}
	if b.store == nil {
		return nil
	}
	return b.store.KeepMessages(extension, s)
}

// Of is what is known of an extension's messages.
func (b *Board) Of(extension string) Summary {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all[extension]
}
