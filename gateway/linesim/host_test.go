package linesim_test

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/gateway/linecard"
	"crosspoint/gateway/linesim"
	"crosspoint/media/dtmf"
	"crosspoint/media/g711"
	"crosspoint/media/tone"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// TestMain lets the tests that run beside one another all do so: they drive
// programs in real time, and mostly wait.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// host is an exchange as small as one can be: a driver, and on each port a
// handler that records and plays.
type host struct {
	t    *testing.T
	sim  *linesim.Sim
	card *linecard.Card
	line map[int]*user
}

// user is the handler of one port. It is called by the card's goroutine and
// asked by the test's.
type user struct {
	port jack.Port

	mu      sync.Mutex
	changes []jack.Change
	heard   []int16
	play    []int16
	keys    *dtmf.Generator
	clocks  []uint64
}

func (u *user) Changed(ch jack.Change) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.changes = append(u.changes, ch)
}

func (u *user) Tick(rx, tx []byte, clock uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	var pcm [160]int16
	g711.MuLaw.Decode(pcm[:], rx)
	u.heard = append(u.heard, pcm[:]...)
	u.clocks = append(u.clocks, clock)
	clear(pcm[:])
	if u.keys.Busy() {
		u.keys.Read(pcm[:])
	} else {
		n := copy(pcm[:], u.play)
		u.play = u.play[n:]
	}
	g711.MuLaw.Encode(tx, pcm[:])
}

// saw tells whether a change of this kind was reported since the last call of
// forget.
func (u *user) saw(what jack.What) (jack.Change, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, ch := range u.changes {
		if ch.What == what {
			return ch, true
		}
	}
	return jack.Change{}, false
}

func (u *user) whats() (whats []jack.What) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, ch := range u.changes {
		whats = append(whats, ch.What)
	}
	return whats
}

func (u *user) forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.changes, u.heard, u.clocks = nil, nil, nil
}

func (u *user) dial(digits string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.keys.Dial(digits)
}

func (u *user) say(pcm []int16) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.play = pcm
}

func (u *user) recording() []int16 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]int16(nil), u.heard...)
}

// start runs a town and takes up its first card.
func start(t *testing.T, cfg linesim.Config, change ...func(*linecard.Config)) *host {
	t.Helper()
	sim, err := linesim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, sim: sim, line: map[int]*user{}}
	lc := linecard.Config{Name: "card1", Open: sim.Card(1).Open, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for _, f := range change {
		f(&lc)
	}
	h.card = linecard.New(lc)
	for n := 1; n <= 4; n++ {
		u := &user{port: h.card.Port(n), keys: keypad()}
		u.port.Attach(u)
		h.line[n] = u
	}
	t.Cleanup(func() {
		h.card.Close()
		sim.Close()
	})
	return h
}

// wait lets fake time pass.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// fake runs a test under fake time.
func fake(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// off lifts an FXO port with audio.
func (u *user) off() {
	u.port.SetAudio(true)
	u.port.SetHook(true)
}

// tones tells which tones are in the recording.
func (u *user) tones() (kinds []tone.Kind) {
	d := tone.NewDetector(tone.Config{})
	d.ExpectDial()
	for _, e := range d.Detect(u.recording()) {
		if e.On {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

func keypad() *dtmf.Generator { return dtmf.NewGenerator(dtmf.Timing{}) }

// openTerminal is a bare pseudo terminal: the master's descriptor and the path.
func openTerminal(t *testing.T) (int, string) {
	t.Helper()
	master, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	return master, fmt.Sprintf("/dev/pts/%d", n)
}
