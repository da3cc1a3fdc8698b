package linecard

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/gateway/jack"
)

// fakeCard is a card that does what its test says. Its goroutine reads what
// the driver writes, and answers as far as answer is set.
type fakeCard struct {
	t    *testing.T
	card *Card

	mu     sync.Mutex
	conn   net.Conn
	opens  int
	fail   error // of Open
	mute   bool  // nothing is answered
	silent map[Type]bool
	naks   map[Type]Reason // orders that are refused
	hello  CardHello
	got    []string // orders and questions, in words
	last   uint16   // event
	lines  bytes.Buffer
}

func newFake(t *testing.T, change ...func(*fakeCard, *Config)) *fakeCard {
	f := &fakeCard{t: t, silent: map[Type]bool{}, hello: CardHello{
		Major: 1, Boot: 77, Clock: 8000, SampleRate: 8000, Buffer: 4000, Model: "fake", Serial: "F1",
		FrameTimes: []uint8{10, 20}, Codecs: []uint8{0},
		Ports: []PortInfo{{KindFXO, 1, Present | Battery}, {KindFXO, 1, Present}, {KindFXS, 1, Present | Battery}},
	}}
	cfg := Config{Name: "card1", Device: "/dev/ttyFAKE", Open: f.open, Log: slog.New(slog.NewTextHandler(f, nil))}
	for _, c := range change {
		c(f, &cfg)
	}
	f.card = New(cfg)
	t.Cleanup(func() { f.card.Close() })
	return f
}

// Write takes the driver's log.
func (f *fakeCard) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lines.Write(p)
}

func (f *fakeCard) logged(text string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Count(f.lines.String(), text)
}

func (f *fakeCard) open() (io.ReadWriteCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opens++
	if f.fail != nil {
		return nil, f.fail
	}
	ours, theirs := net.Pipe()
	f.conn = ours
	go f.serve(ours) // ends as the driver closes its end
	return theirs, nil
}

func (f *fakeCard) serve(conn net.Conn) {
	var d Decoder
	buf := make([]byte, 512)
	for {
		n, err := conn.Read(buf)
		for in := buf[:n]; len(in) > 0; {
			var fr Frame
			if fr, in = d.Next(in); fr.Content != nil {
				f.take(conn, fr)
			}
		}
		if err != nil {
			return
		}
	}
}

func (f *fakeCard) take(conn net.Conn, fr Frame) {
	h, p, _ := ParseHeader(fr.Content)
	f.mu.Lock()
	defer f.mu.Unlock()
	var reply []byte
	switch {
	case h.Type == TypeHello:
		m, _ := ParseHostHello(p)
		hello := f.hello
		if hello.Major == Major {
			hello.Session = m.Session
		}
		f.hello.Session, hello.LastEvent = m.Session, f.last
		reply = hello.Append(nil)
	case h.Type == TypePing:
		m, _ := ParsePing(p)
		reply = Pong{Session: m.Session, Boot: f.hello.Boot, LastEvent: f.last}.Append(nil, h.Seq)
	case h.Type.IsOrder():
		reply = AppendAck(nil, h.Port, h.Seq)
		if why := f.naks[h.Type]; why != 0 {
			reply = Nak{Reason: why}.Append(nil, h.Port, h.Seq)
		}
	}
	text := h.Type.String()
	switch h.Type {
	case TypeSet:
		m, _ := ParseSet(p)
		text = fmt.Sprintf("SET %d %04b %v", h.Port, m.Want, m.Cadence)
	case TypeSignalling:
		m, _ := ParseSignalling(p)
		text = fmt.Sprintf("SIGNALLING %d is %d", h.Port, m)
	case TypeFlash, TypeDrop:
		d, _ := ParseTimed(p)
		text = fmt.Sprintf("%v %d %v", h.Type, h.Port, d)
	case TypeEventAck:
		text = fmt.Sprintf("EVENT-ACK %d", h.Seq)
	}
	f.got = append(f.got, text)
	if reply != nil && !f.mute && !f.silent[h.Type] {
		go conn.Write(AppendFrame(nil, reply)) // ends as the driver reads or closes
	}
}

// say sends a frame to the driver.
func (f *fakeCard) say(content []byte) {
	f.t.Helper()
	f.mu.Lock()
	conn := f.conn
	f.mu.Unlock()
	conn.Write(AppendFrame(nil, content))
	synctest.Wait()
}

// event sends an event.
func (f *fakeCard) event(port uint8, seq uint16, e Event) {
	f.mu.Lock()
	f.last = max(f.last, seq)
	f.mu.Unlock()
	f.say(e.Append(nil, port, seq))
}

// set changes the fake under its lock.
func (f *fakeCard) set(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

// heard are the frames since the last call whose words begin so.
func (f *fakeCard) heard(prefixes ...string) (got []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, g := range f.got {
		for _, p := range prefixes {
			if strings.HasPrefix(g, p) {
				got = append(got, g)
			}
		}
	}
	f.got = nil
	return got
}

func (f *fakeCard) expect(what string, got []string, want ...string) {
	f.t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		f.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// recorder is a handler that writes down what it is told.
type recorder struct {
	mu      sync.Mutex
	changes []string
	states  []jack.State
	ticks   int
	clocks  []uint64
	rx      []byte
	fill    byte
}

func (r *recorder) Changed(ch jack.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := ch.What.String()
	if ch.For > 0 {
		text += " " + ch.For.String()
	}
	if ch.Digit > 0 {
		text += " " + string(ch.Digit)
	}
	r.changes = append(r.changes, text)
	r.states = append(r.states, ch.State)
}

func (r *recorder) Tick(rx, tx []byte, clock uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ticks++
	r.clocks = append(r.clocks, clock)
	r.rx = append(r.rx[:0], rx...)
	for i := range tx {
		tx[i] = r.fill
	}
}

// told are the changes since the last call.
func (r *recorder) told() (got []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	got, r.changes = r.changes, nil
	return got
}

func (r *recorder) state() jack.State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.states[len(r.states)-1]
}

func (r *recorder) frames() (clocks []uint64, rx []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(clocks, r.clocks...), append(rx, r.rx...)
}

func attach(f *fakeCard, n int) *recorder {
	r := &recorder{fill: 0x55}
	f.card.Port(n).Attach(r)
	return r
}

func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
