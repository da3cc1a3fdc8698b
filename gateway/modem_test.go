package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/gateway"
	"crosspoint/gateway/linesim"
	"crosspoint/gateway/modem"
)

// online is live with one simulated voice modem in place of the card, as line
// modem1; wrap stands between its serial line and the driver, if not nil.
func online(t *testing.T, sc linesim.Config, line gateway.LineConfig, wrap func(io.ReadWriteCloser) io.ReadWriteCloser, body func(*town)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		tn := &town{t: t}
		if sc.Modems == nil {
			sc.Modems = []linesim.ModemConfig{{}}
		}
		var err error
		if tn.sim, err = linesim.New(sc); err != nil {
			t.Fatal(err)
		}
		defer tn.sim.Close()
		d := modem.New(modem.Config{Name: "modem1", Device: "/dev/ttySIM", Log: slog.New(slog.DiscardHandler),
			Open: func() (io.ReadWriteCloser, error) {
				rw, err := tn.sim.Modem("modem1").Open()
				if err == nil && wrap != nil {
					rw = wrap(rw)
				}
				return rw, err
			}})
		defer d.Close()
		line.Name, line.Port = "modem1", d
		tn.g, err = gateway.New(gateway.Config{Country: sc.Country, Accept: tn, Lines: []gateway.LineConfig{line},
			Trunks: []gateway.TrunkConfig{{Name: "pstn", Lines: []string{"modem1"}}}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := tn.g.Close(ctx); err != nil {
				t.Error(err)
			}
			for range 100 {
				if !tn.modemLine().Status().OffHook {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
			t.Errorf("the line is left off-hook; the modem is %+v", d.Info())
		}()
		time.Sleep(4 * time.Second) // the modem is taken up
		if !d.Info().Up {
			t.Fatalf("the modem is not up: %+v", d.Info())
		}
		body(tn)
	})
}

func (t *town) modemLine() *linesim.Line { return t.sim.Modem("modem1").Line() }

// idles waits until the line has rested and may be used again.
func (t *town) idles() {
	t.t.Helper()
	time.Sleep(6 * time.Second)
	if s := t.status("modem1"); s.State != "idle" {
		t.t.Errorf("modem1 is %s", s.State)
	}
}

func modemOf(family string, quirks ...linesim.ModemQuirk) linesim.Config {
	return linesim.Config{Modems: []linesim.ModemConfig{{Family: family, Quirks: quirks}}}
}

// A stalling line takes nothing while it is told to.
type stalling struct {
	io.ReadWriteCloser
	until *atomic.Int64 // Unix nanoseconds
}

func (s stalling) Write(p []byte) (int, error) {
	for now := time.Now().UnixNano(); now < s.until.Load(); now = time.Now().UnixNano() {
		time.Sleep(time.Duration(s.until.Load() - now))
	}
	return s.ReadWriteCloser.Write(p)
}
