package linesim_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/gateway/linecard"
	"crosspoint/gateway/linesim"
	"crosspoint/media/measure"

	"golang.org/x/sys/unix"
)

// These tests use real pseudo terminals through the serial driver, so they
// wait in real time.

// until waits for a condition, at most 10 s.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

// onTerminal is a town whose card a driver has taken up through its terminal.
func onTerminal(t *testing.T, cfg linesim.Config) (*linesim.Sim, *linecard.Card, *user) {
	t.Helper()
	sim, err := linesim.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	card := linecard.New(linecard.Config{Name: "card1", Device: sim.Path(), Open: linecard.Serial{Path: sim.Path()}.Open,
		Retry: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { card.Close() })
	u := &user{port: card.Port(1), keys: keypad()}
	u.port.Attach(u)
	until(t, "up", func() bool { _, up := u.saw(jack.Up); return up })
	return sim, card, u
}

func TestCallOverATerminal(t *testing.T) {
	sent := make([]int16, 2*8000)
	measure.NewSignal(1, -15).Read(sent)
	sim, card, u := onTerminal(t, linesim.Config{Subscribers: []linesim.Subscriber{
		{Number: "12", Answer: 50 * time.Millisecond, Plays: sent}}})
	line := sim.Town().Line("fxo1")
	u.off()
	until(t, "dial tone", func() bool { return line.Status().State == "dial tone" })
	u.dial("12")
	until(t, "answer", func() bool { return line.Status().State == "talking" })
	time.Sleep(2500 * time.Millisecond)
	r := measure.Compare(sent, u.recording())
	if !r.Heard() || r.Median < 33 {
		t.Errorf("%+v\nhost %+v\ncard %+v", r, card.Counters(), sim.Card(1).Status())
	}
	if c := card.Counters(); c.BadFCS+c.Resyncs+c.LostTicks != 0 {
		t.Errorf("a clean line: %+v", c)
	}
	start := time.Now()
	card.Close()
	if d := time.Since(start); d > 500*time.Millisecond {
		t.Errorf("Close took %v", d)
	}
	until(t, "on-hook", func() bool { return !line.Status().OffHook })
}

func TestTerminalUnpluggedAndPluggedIn(t *testing.T) {
	sim, card, u := onTerminal(t, linesim.Config{})
	path := sim.Path()
	u.forget()
	sim.Card(1).Unplug(0)
	until(t, "down", func() bool { _, down := u.saw(jack.Down); return down })
	until(t, "problem", func() bool { return card.Info().Problem == "no such device: is it plugged in?" })
	if _, err := os.Lstat(path); err == nil {
		t.Errorf("%s is still there", path)
	}
	if err := sim.Card(1).Plug(); err != nil {
		t.Fatal(err)
	}
	until(t, "up again", func() bool { _, up := u.saw(jack.Up); return up })
	sim.Close()
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		t.Errorf("%s is left over", filepath.Dir(path))
	}
}

func TestDriverComesBackToTheSameTerminal(t *testing.T) {
	sim, card, _ := onTerminal(t, linesim.Config{})
	card.Close()
	again := linecard.New(linecard.Config{Name: "card1", Open: linecard.Serial{Path: sim.Path()}.Open, Log: slog.New(slog.DiscardHandler)})
	defer again.Close()
	until(t, "up", func() bool { return again.Info().Up })
}

func TestSerialErrors(t *testing.T) {
	sim, _, _ := onTerminal(t, linesim.Config{})
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	free, err := linesim.Start(linesim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	for _, c := range []struct {
		path string
		baud int
		want string
	}{
		{filepath.Join(dir, "missing"), 0, "no such device: is it plugged in?"},
		{file, 0, "not a serial device"},
		{dir, 0, "not a serial device"},
		{sim.Path(), 0, "in use by this process itself"},
		{free.Path(), 12345, "baud rate 12345 is not one of the usual"},
	} {
		rw, err := linecard.Serial{Path: c.path, Baud: c.baud}.Open()
		if err == nil {
			rw.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s at %d: %v, want %q", c.path, c.baud, err, c.want)
		}
	}
	rw, err := linecard.Serial{Path: free.Path(), Baud: 115200}.Open()
	if err != nil {
		t.Fatal(err)
	}
	rw.Close()
}

// TestSerialCloseUnblocks a reader that waits and a writer whose line takes
// nothing.
func TestSerialCloseUnblocks(t *testing.T) {
	master, tty := openTerminal(t)
	defer unix.Close(master)
	rw, err := linecard.Serial{Path: tty, Baud: 115200}.Open()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan string, 2)
	go func() {
		buf := make([]byte, 100)
		for {
			if _, err := rw.Read(buf); err != nil {
				ended <- "reader"
				return
			}
		}
	}()
	go func() {
		for {
			if _, err := rw.Write(make([]byte, 4096)); err != nil {
				ended <- "writer"
				return
			}
		}
	}()
	time.Sleep(50 * time.Millisecond) // until the terminal's buffer is full
	start := time.Now()
	rw.Close()
	for range 2 {
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			t.Fatal("Close does not unblock")
		}
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("took %v", d)
	}
	if _, err := rw.Write([]byte{1}); err == nil {
		t.Error("a closed port can be written")
	}
}

func TestSerialNoticesHangup(t *testing.T) {
	master, tty := openTerminal(t)
	rw, err := linecard.Serial{Path: tty, Baud: 115200}.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer rw.Close()
	unix.Write(master, []byte("hello"))
	buf := make([]byte, 100)
	if n, err := rw.Read(buf); err != nil || string(buf[:n]) != "hello" {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	unix.Close(master)
	start := time.Now()
	if _, err := rw.Read(buf); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("after the device went away: %v", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("took %v", d)
	}
}
