package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"crosspoint/gateway/linesim"
	"crosspoint/internal/softphone"
	"crosspoint/internal/tomlfile"
)

//go:embed demo.toml
var demoOffice []byte

// What the demonstration calls and is called by.
const (
	privateNumber = "7773660"
	privateDial   = privateNumber + ";phone-context=p1234"
	townCaller    = "2015550123"
	townName      = "TOWN HALL"
)

// demoPatience is how long a step of the demonstration may take before it has failed.
const demoPatience = 12 * time.Second

func demoCommand() command {
	var out, level string
	var talk time.Duration
	return command{name: "demo", brief: "Shows calls between phones and a telephone line, and measures what is heard",
		about: `
An office of two SIP phones and a simulated line card is started on free ports
of this machine: real UDP sockets, a real pseudo terminal. 101 calls 102; 101
calls a private number over a telephone line; the town calls in. Each call is
drawn, and what arrived is measured against what was sent. The exit code is 1 if
any of it is wrong.`,
		flags: func(fs *flag.FlagSet) runner {
			fs.StringVar(&out, "out", "out", "`DIRECTORY` for WAV files of what each end heard")
			fs.DurationVar(&talk, "talk", 3*time.Second, "`TIME` that the parties of each call talk, 1s to 5s")
			fs.StringVar(&level, "log-level", "warn", "`LEVEL`: debug, info, warn or error")
			return func(ctx context.Context, c console, args []string) error {
				if err := none(args); err != nil {
					return err
				}
				if talk < time.Second || talk > 5*time.Second {
					return usagef("--talk %v is not between 1s and 5s", talk)
				}
				log, err := newLog(c.err, Log{Level: level})
				if err != nil {
					return usageError{err}
				}
				return runDemo(ctx, c, out, talk, log)
			}
		}}
}

// A demo is one run of the demonstration.
type demo struct {
	c          console
	log        *slog.Logger
	out        string
	talk       time.Duration
	office     *office
	alice, bob *softphone.Phone
	town       *linesim.Sim
	scene      int // from 1
	ended      int // calls that had ended when it began
	wrong      int // of checks
	paths      []path
}

// runDemo plays the scenes one after another. A scene that cannot go on fails
// alone; the others are played all the same.
func runDemo(ctx context.Context, c console, out string, talk time.Duration, log *slog.Logger) error {
	began := time.Now()
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	d := &demo{c: c, log: log, out: out, talk: talk}
	defer d.close()
	if err := d.open(ctx); err != nil {
		return err
	}
	for _, scene := range []struct {
		title string
		play  func(context.Context) error
	}{
		{"Phone 101 calls phone 102", d.phoneToPhone},
		{"Phone 101 calls " + privateDial, d.phoneToTown},
		{"The town calls in", d.townToPhone},
	} {
		d.scene++
		d.ended = len(d.office.exchange.Ended())
		c.printf("== %d. %s\n\n", d.scene, scene.title)
		if err := scene.play(ctx); err != nil {
			d.fail("%v", err)
		}
		c.printf("\n")
	}
	d.report()
	if d.wrong > 0 {
		fmt.Fprintf(c.err, "crosspoint demo: %d of the checks failed\n", d.wrong)
		return errSaid
	}
	c.printf("\nAll of it is right, after %.1f s. What each end heard is in %s.\n", time.Since(began).Seconds(), out)
	return nil
}

// open starts the office, its town and two phones.
func (d *demo) open(ctx context.Context) error {
	cfg, plan, problems := decodeConfig("demo.toml", demoOffice)
	if plan == nil {
		return errors.New(tomlfile.Text(problems))
	}
	var err error
	if d.office, err = openOffice(cfg, plan, d.log); err != nil {
		return err
	}
	d.town = d.office.cards.sim["card1"]
	server := d.office.bound[0].addr
	for _, p := range cfg.Phones {
		phone, err := softphone.New(softphone.Config{User: p.Extension, Name: p.Name, Secret: p.Secret, Server: server, Log: d.log})
		if err != nil {
			return err
		}
		if p.Extension == "101" {
			d.alice = phone
		} else {
			d.bob = phone
		}
		ctx, cancel := context.WithTimeout(ctx, demoPatience)
		err = phone.Register(ctx)
		cancel()
		if err != nil {
			return err
		}
	}
	d.c.printf("An exchange at %s, phones 101 and 102, a line card on %s with a town behind it.\n\n", server, d.town.Path())
	return d.until("both exchange lines in service", func() bool {
		for _, l := range d.office.lines() {
			if !l.Ready {
				return false
			}
		}
		return true
	})
}

func (d *demo) close() {
	for _, p := range []*softphone.Phone{d.alice, d.bob} {
		if p != nil {
			_ = p.Close()
		}
	}
	if d.office != nil {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // whoever still talks is hung up at once
		d.office.close(ctx)
	}
}

// until waits for something to become true.
func (d *demo) until(what string, true func() bool) error {
	deadline := time.Now().Add(demoPatience)
	for !true() {
		if time.Now().After(deadline) {
			return fmt.Errorf("after %v still not: %s", demoPatience, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

// wait waits for a channel to be closed; a call that ends instead is an error.
func (d *demo) wait(what string, done <-chan struct{}, call *softphone.Call) error {
	late := time.NewTimer(demoPatience)
	defer late.Stop()
	select {
	case <-done:
		return nil
	case <-call.Done():
		select {
		case <-done:
			return nil
		default:
			return fmt.Errorf("the call ended before: %s: %w", what, call.Err())
		}
	case <-late.C:
		return fmt.Errorf("after %v still not: %s", demoPatience, what)
	}
}

// fail and check count and print what is wrong, and what is right.
func (d *demo) fail(format string, args ...any) {
	d.wrong++
	d.c.printf("WRONG: "+format+"\n", args...)
}

func (d *demo) check(what, got, want string) {
	if got != want {
		d.fail("%s: %q, not %q", what, got, want)
		return
	}
	d.c.printf("%s: %s\n", what, got)
}

// draw prints the ladder of the scene's call once it has ended.
func (d *demo) draw() error {
	err := d.until("the exchange has ended the call", func() bool { return len(d.office.exchange.Ended()) > d.ended })
	if err != nil {
		return err
	}
	call := d.office.exchange.Ended()[d.ended]
	d.c.printf("%s\nThe exchange says: %s.\n", call.Ladder.Figure(true), call.Why)
	return nil
}
