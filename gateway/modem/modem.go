package modem

import (
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/internal/alarm"
	"crosspoint/internal/inbox"
	"crosspoint/media/g711"
)

// How long the driver waits.
const (
	defaultRetry = time.Second            // between attempts to open the device
	wakeInterval = time.Second            // AT until the modem answers
	silentWake   = 3 * time.Second        // then the log says that nothing answers
	settleTime   = 250 * time.Millisecond // of silence after the first answer
	answerWait   = 3 * time.Second        // for the answer to a command
	hookWait     = 5 * time.Second        // for the answer to one that moves a relay
	stopWait     = 700 * time.Millisecond // for the end of a stream, before it is asked for otherwise
	stopTries    = 4
	alive        = 10 * time.Second       // an idle modem is asked whether it is there
	streamDead   = time.Second            // without a sample
	refusedRetry = 30 * time.Second       // to a modem that cannot do
	ringBurst    = 500 * time.Millisecond // a RING stands for a burst of this length
)

// Config says which modem and how to reach it. Open is needed; everything else
// works as zero.
type Config struct {
	Name   string // for people and logs: "modem1"
	Device string // where it is, for people: "/dev/ttyACM0"

	// Open opens the line to the modem, each time that it is (again) to be
	// taken up. Close of what it returns must unblock a Read and a Write.
	Open func() (io.ReadWriteCloser, error)

	// CallerID is how the exchange sends caller ID: "bell202", "v23", "dtmf",
	// "uk" or "japan", for modems that must be told. Empty leaves the modem as
	// it is.
	CallerID string
	RTSCTS   bool          // the cable has hardware flow control: the modem is told to use it
	Retry    time.Duration // between attempts to open the device. Zero means 1 s
	Log      *slog.Logger  // nil: slog.Default
}

// A Modem is one voice modem, whether it answers now or not: a jack.Port.
type Modem struct {
	cfg   Config
	log   *slog.Logger
	inbox *inbox.Inbox[func()]
	done  chan struct{} // closed as run returns
	info  atomic.Pointer[Info]

	// All below belongs to run.
	handler jack.Handler
	state   state
	since   time.Time
	closing bool
	link    *link
	problem string    // why the modem is not up, in words; as last logged
	next    time.Time // of the state: when it is tried again, or given up
	up      bool
	model   string
	family  *family
	coding  coding
	decoder decoder
	want    want
	offHook bool
	ringing time.Time // until then ring voltage counts as present; zero: it is not
	turned  bool      // polarity is reversed
	cadence cadence
	caller  caller
	talk    talk
	orders  []command // the first is under way
	expires time.Time // when its answer is overdue; zero: none is under way
	stops   int       // attempts to end the stream
}

// want is what the gateway has ordered.
type want struct {
	offHook bool
	audio   bool
	flash   time.Duration // a hook-flash still to be made; zero: none
	refused bool          // the modem refused to go off-hook: not before the next order
}

// state is what the modem is doing.
type state uint8

const (
	closed    state = iota // the device is not open; next attempt at Modem.next
	opening                // Open runs
	waking                 // AT goes out until the modem answers
	settling               // it has; what else it has to say is awaited
	settingUp              // it is told how to be
	refused                // it cannot do what is needed
	idle                   // on-hook
	lifting                // goes off-hook
	starting               // off-hook, the stream begins
	streaming              //
	stopping               // the stream ends
	flashing               // off-hook, between two streams
	dropping               // goes on-hook
)

var stateNames = [...]string{"closed", "opening", "waking", "waking", "setting up", "refused", "idle",
	"going off-hook", "off-hook", "streaming", "ending the stream", "flashing", "going on-hook"}

func (s state) String() string { return stateNames[s] }

// New takes up a modem and keeps it up until Close. It returns at once.
func New(cfg Config) *Modem {
	if cfg.Retry == 0 {
		cfg.Retry = defaultRetry
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	m := &Modem{
		cfg: cfg, log: cfg.Log.With("modem", cfg.Name), inbox: inbox.New[func()](),
		done: make(chan struct{}), since: time.Now(), family: &families[len(families)-1],
	}
	m.publish()
	go m.run() // ends with Close
	return m
}

// Close leaves the modem on-hook, as far as it answers within 2 s, and closes
// the device. The handler hears Down before it returns.
func (m *Modem) Close() error {
	m.inbox.Put(func() { m.leave() })
	<-m.done
	return nil
}

// Info is what is known of a modem, at one moment.
type Info struct {
	Name, Device string
	Up           bool
	State        string // "closed", "waking", "idle", "streaming" …
	Problem      string // why the modem is not up, or "" while it is
	Family       string // "Conexant", "USRobotics", "Lucent" or "V.253"; "" until it was up
	Model        string // as it says itself
	Coding       string // what carries the audio: "µ-law (+VSM=131)"; "" until it was up
	Dropped      uint64 // 20 ms of audio that the serial line was too slow for, since it was opened
}

// Info tells what is known of the modem now.
func (m *Modem) Info() Info { return *m.info.Load() }

func (m *Modem) publish() {
	i := &Info{Name: m.cfg.Name, Device: m.cfg.Device, Up: m.up, State: m.state.String(), Problem: m.problem, Model: m.model}
	if m.up {
		law := "µ-law"
		if m.coding.law == g711.ALaw {
			law = "A-law"
		}
		i.Family, i.Coding = m.family.name, fmt.Sprintf("%s (+VSM=%d)", law, m.coding.number)
	}
	if l := m.link; l != nil {
		l.mu.Lock()
		i.Dropped = l.dropped
		l.mu.Unlock()
	}
	m.info.Store(i)
}

// run owns the modem until Close.
func (m *Modem) run() {
	defer close(m.done)
	due := alarm.New()
	due.Set(time.Now())
	defer due.Stop()
	for !m.closing || m.state != closed {
		var rx <-chan []byte
		if m.link != nil {
			rx = m.link.Rx()
		}
		fired := false
		select {
		case <-m.inbox.Ready():
			for f, ok := m.inbox.Take(); ok; f, ok = m.inbox.Take() {
				f()
			}
		case chunk := <-rx:
			link := m.link
			m.received(chunk)
			link.Free(chunk)
		case <-due.C():
			fired = true
		}
		m.expire(time.Now())
		if fired || m.state != streaming || m.talk.count%50 == 0 { // not for each frame
			due.Set(m.earliest())
		}
	}
	for _, f := range m.inbox.Close() { // orders to a closed modem are lost, an Open that has succeeded meanwhile is not
		f()
	}
}

// received takes octets of the modem.
func (m *Modem) received(p []byte) {
	if m.state == settling {
		m.next = time.Now().Add(settleTime)
	}
	m.talk.heard = time.Now()
	m.decoder.feed(p, m)
}

// become begins a state.
func (m *Modem) become(s state) {
	m.state, m.since, m.next = s, time.Now(), time.Time{}
	m.publish()
}

// earliest is when something is due; zero: nothing is.
func (m *Modem) earliest() (at time.Time) {
	for _, t := range []time.Time{m.next, m.expires, m.ringing, m.cadence.missing, m.caller.tell} {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if m.state == streaming {
		if dead := m.talk.heard.Add(streamDead); at.IsZero() || dead.Before(at) {
			at = dead
		}
	}
	return at
}

// expire does what is due.
func (m *Modem) expire(now time.Time) {
	due := func(t time.Time) bool { return !t.IsZero() && !t.After(now) }
	if due(m.ringing) {
		m.ringEnds(0)
	}
	if due(m.cadence.missing) {
		m.noReport()
	}
	if due(m.caller.tell) {
		m.tellCaller()
	}
	if m.state == streaming && now.Sub(m.talk.heard) >= streamDead {
		m.part("it sends no audio any more")
		return
	}
	if due(m.expires) {
		m.overdue()
		return
	}
	if !due(m.next) && m.state != closed {
		return
	}
	switch m.state {
	case closed:
		if !m.closing && !m.next.After(now) {
			m.open()
		}
	case waking:
		m.wake()
	case settling:
		m.setUp()
	case refused:
		m.part("")
	case stopping:
		m.stop()
	case idle:
		m.next = time.Time{}
		m.order("AT", answerWait, func(bool, []string) { m.rest() })
	}
}

// open opens the device; another goroutine waits for it.
func (m *Modem) open() {
	m.become(opening)
	go func() { // ends with Open
		rw, err := m.cfg.Open()
		if !m.inbox.Put(func() { m.opened(rw, err) }) && err == nil {
			rw.Close()
		}
	}()
}

func (m *Modem) opened(rw io.ReadWriteCloser, err error) {
	switch {
	case err != nil:
		m.become(closed)
		m.trouble(err.Error())
		m.next = time.Now().Add(m.cfg.Retry)
	case m.closing:
		rw.Close()
		m.become(closed)
	default:
		m.link = newLink(rw, func(l *link, err error) {
			m.inbox.Put(func() {
				if m.link == l {
					m.part(err.Error())
				}
			})
		})
		m.decoder.command()
		m.become(waking)
		m.wake()
	}
}

// wake calls for an answer, and out of any stream in which another program, or
// a fall, may have left the modem: DLE ETX ends playing, DLE ! recording,
// DLE ^ both. The triple DLE is for a family that overhears the plain end.
func (m *Modem) wake() {
	if time.Since(m.since) >= silentWake {
		m.trouble("it does not answer: is it switched on, and is it a modem?")
	}
	m.link.send("\x10\x10\x10\x03\x10!\x10^\rAT\r")
	m.next = time.Now().Add(wakeInterval)
}

// part gives the modem up until the next attempt. An empty problem is none to
// be told.
func (m *Modem) part(problem string) {
	if m.link != nil {
		l := m.link
		m.link = nil
		l.Close()
	}
	wait := m.cfg.Retry
	m.become(closed)
	m.next = time.Now().Add(wait)
	m.orders, m.expires = nil, time.Time{}
	m.ringing, m.caller, m.want, m.offHook, m.turned = time.Time{}, caller{}, want{}, false, false
	m.cadence = cadence{wanted: m.cadence.wanted}
	if problem != "" {
		m.trouble(problem)
	}
	m.down()
}

func (m *Modem) down() {
	if m.up {
		m.up = false
		m.changed(jack.Change{What: jack.Down})
	}
	m.publish()
}

// trouble logs why the modem is not up, once.
func (m *Modem) trouble(problem string) {
	if m.problem != problem {
		m.problem = problem
		m.log.Warn(fmt.Sprintf("modem %s: %s", m.Name(), problem))
	}
	m.publish()
}

// leave puts the modem on-hook and closes it.
func (m *Modem) leave() {
	m.closing = true
	if m.state == closed || m.state == opening {
		return
	}
	if m.state <= refused || m.state == idle {
		m.part("")
		return
	}
	m.want = want{}
	m.reconcile()
	time.AfterFunc(2*time.Second, func() { m.inbox.Put(func() { m.part("") }) })
}

// changed tells the handler, with the state as it is now.
func (m *Modem) changed(c jack.Change) {
	if m.handler == nil {
		return
	}
	c.State = jack.State{Present: m.up, OffHook: m.offHook, Ringing: !m.ringing.IsZero(), Battery: m.up, Reversed: m.turned,
		Untimed: !m.cadence.timed || m.cadence.silent}
	c.Clock = m.talk.clock
	m.handler.Changed(c)
}
