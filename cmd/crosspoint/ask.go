package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"crosspoint/internal/tomlfile"
)

// target are the flags of the commands that ask a running exchange.
type target struct {
	config, socket string
	json           bool
}

func (t *target) flags(fs *flag.FlagSet) {
	fs.StringVar(&t.config, "config", "", "office `FILE` of the exchange to ask, for its [control] socket")
	fs.StringVar(&t.socket, "socket", "", "`PATH` of the control socket to ask")
	fs.BoolVar(&t.json, "json", false, "print JSON")
}

// asker finds the socket: given, of the file, or where it is by default.
func (t target) asker() (asker, error) {
	switch {
	case t.socket != "" && t.config != "":
		return asker{}, usagef("give --config or --socket, not both")
	case t.socket != "":
		return asker{path: t.socket}, nil
	case t.config == "":
		return asker{path: defaultSocket()}, nil
	}
	cfg := new(Config)
	if problems := tomlfile.Load(t.config, cfg); tomlfile.Fatal(problems) {
		return asker{}, fmt.Errorf("%s cannot be used; see: crosspoint check %[1]s", t.config)
	}
	path := cfg.controlPath()
	if path == "" {
		return asker{}, fmt.Errorf("%s has socket = \"off\" in [control]: the exchange cannot be asked", t.config)
	}
	return asker{path: path}, nil
}

// query asks and prints: as JSON if wanted, else by show.
func query[T any](ctx context.Context, c console, t target, path string, show func(T)) error {
	a, err := t.asker()
	if err != nil {
		return err
	}
	var v T
	if err := a.ask(ctx, path, &v); err != nil {
		return err
	}
	if t.json {
		return printJSON(c, v)
	}
	show(v)
	return nil
}

func printJSON(c console, v any) error {
	enc := json.NewEncoder(c.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func none(args []string) error {
	if len(args) > 0 {
		return usagef("%q is one word too many", args[0])
	}
	return nil
}

func statusCommand() command {
	var t target
	return command{name: "status", brief: "Shows a running exchange: sockets, registered phones, cards, what is in use",
		flags: func(fs *flag.FlagSet) runner {
			t.flags(fs)
			return func(ctx context.Context, c console, args []string) error {
				if err := none(args); err != nil {
					return err
				}
				return query(ctx, c, t, "/status", func(v statusView) { showStatus(c, v) })
			}
		}}
}

func showStatus(c console, v statusView) {
	c.printf("%s, process %d, up %s\n", v.File, v.PID, time.Since(v.Started).Round(time.Second))
	c.printf("listens on     %s\n", strings.Join(v.Listen, ", "))
	c.printf("calls          %d in progress, %d of the latest ended, %d of them not answered\n", v.Calls, v.Ended, v.Failed)
	c.printf("in use         %d SIP legs, %d RTP ports, %d goroutines\n", v.Legs, v.RTPPorts, v.Goroutines)
	for _, card := range v.Cards {
		c.printf("card           %s at %s: %s\n", card.Name, card.Device, card.State)
	}
	for _, p := range append(v.Peers, v.Mailboxes...) {
		showPeer(c, p)
	}
	for _, r := range v.Registrations {
		c.printf("phone          %s at %s for %s\n", r.Phone, r.Contact, time.Until(r.Expires).Round(time.Second))
	}
	if len(v.Registrations) == 0 {
		c.printf("phones         none is registered\n")
	}
}

func linesCommand() command {
	var t target
	return command{name: "lines", args: "[test|busy-out|return NAME]", brief: "Shows each telephone line: its state, levels, last calls and faults; tests one",
		about: `
lines test NAME takes an idle line off-hook and measures it: battery, dial tone
and its level, whether a digit is understood, noise, echo return loss. It fails
if something is not as it should be, and says what to do.

lines busy-out NAME takes a line out of service for new calls, and lines return
NAME puts it back. The exchange forgets it when it is restarted.`,
		flags: func(fs *flag.FlagSet) runner {
			t.flags(fs)
			return func(ctx context.Context, c console, args []string) error {
				if len(args) > 0 {
					return lineWork(ctx, c, t, args)
				}
				return query(ctx, c, t, "/lines", func(v []lineView) { showLines(c, v) })
			}
		}}
}

func showLines(c console, lines []lineView) {
	if len(lines) == 0 {
		c.printf("The office has no telephone lines: add [[card]] and [[line]] to its file.\n")
		return
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "LINE\tKIND\tPORT\tSTATE\tSINCE\tHEARD\tSAID\tIN\tOUT\tANSWERED\n")
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\n", l.Line, l.Kind, l.Port, l.State, ago(l.Since),
			level(l.Heard), level(l.Said), l.Counts.Incoming, l.Counts.Outgoing, l.Counts.Answered)
	}
	w.Flush()
	for _, l := range lines {
		if l.Return != 0 {
			c.printf("%s: echo return loss %.0f dB, cancelled by %.0f dB more\n", l.Line, l.Return, l.Cancel)
		}
		if l.Fault != "" {
			c.printf("%s: last fault %s ago: %s\n", l.Line, ago(l.FaultAt), l.Fault)
		}
		for _, call := range l.Last {
			direction := "to"
			if call.Incoming {
				direction = "from"
			}
			number := orElse(call.Number, "an unknown number")
			if call.Dialed != "" {
				number += " for " + call.Dialed
			}
			c.printf("%s: %s ago a call %s %s, talked %.0f s: %s\n", l.Line, ago(call.At), direction, number, call.Talked, call.Ended)
		}
	}
}

func level(dbm0 *float64) string {
	if dbm0 == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f dBm0", *dbm0)
}

func ago(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	d := time.Since(t)
	if d > time.Minute {
		return d.Round(time.Second).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func callsCommand() command {
	var t target
	var ended, last int
	var all bool
	return command{name: "calls", args: "[CALL]", brief: "Shows the calls in progress and those that ended, with why they ended",
		about: `
CALL is the call's id as it is shown here and in the log: then all that is known
of this one is printed, with how its route was found. Without it the calls in
progress and the latest that ended are listed. With --last or --all the list
goes back as far as [store] keeps records, over restarts too.`,
		flags: func(fs *flag.FlagSet) runner {
			t.flags(fs)
			fs.IntVar(&ended, "ended", 20, "how many ended calls to show beside those in progress, at most 200")
			fs.IntVar(&last, "last", 0, "show the last `N` ended calls of those kept")
			fs.BoolVar(&all, "all", false, "show all ended calls that are kept")
			return func(ctx context.Context, c console, args []string) error {
				switch {
				case len(args) > 1:
					return none(args[1:])
				case len(args) == 1:
					return query(ctx, c, t, "/call?"+url.Values{"id": args}.Encode(), func(v callView) { showCall(c, v) })
				case last < 0:
					return usagef("--last %d is not a number of calls", last)
				case all || last > 0:
					if all {
						last = -1
					}
					return query(ctx, c, t, fmt.Sprintf("/history?last=%d", last), func(v []callView) { showCalls(c, v, len(v)) })
				}
				return query(ctx, c, t, "/calls", func(v []callView) { showCalls(c, v, ended) })
			}
		}}
}

func showCalls(c console, calls []callView, ended int) {
	over := 0
	for _, call := range calls {
		if call.State == "ended" {
			over++
		}
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "CALL\tBEGAN\tFROM\tDIALED\tANSWERED BY\tTALKED\tSTATE\n")
	for _, call := range calls {
		state := call.State
		if state == "ended" {
			if over--; over >= ended {
				continue
			}
			state = "ended: " + call.Why
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", call.ID, clock(call.Began), call.From, orElse(call.Dialed, "-"),
			orElse(call.Answerer, "-"), talked(call), state)
	}
	w.Flush()
	if len(calls) == 0 {
		c.printf("There was no call yet.\n")
	}
}

// clock is the time of a day, with the day unless it is today.
func clock(t time.Time) string {
	t = t.Local()
	if t.Format(time.DateOnly) == time.Now().Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format(time.DateTime)
}

func talked(v callView) time.Duration {
	return time.Duration(v.Talked * float64(time.Second)).Round(100 * time.Millisecond)
}

// showCall prints all that is known of one call but its ladder.
func showCall(c console, v callView) {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	row("call", v.ID)
	row("from", v.From)
	row("dialed", v.Dialed)
	row("routed by", v.Route)
	row("answered by", v.Answerer)
	row("began", clock(v.Began))
	row("state", v.State)
	row("talked", talked(v).String())
	row("why", v.Why)
	if v.Status > 0 {
		row("cause", fmt.Sprintf("Q.850 %d, SIP %d", v.Cause, v.Status))
	}
	row("caller hears", quality(v.CallerMOS))
	row("answerer hears", quality(v.AnswererMOS))
	row("not heard", strings.Join(v.Silent, ", "))
	row("recorded in", v.Tape)
	row("recording", v.TapeFault)
	w.Flush()
	c.printf("\nhow the route was found:\n%s", v.Trail)
	if v.Figure != "" {
		c.printf("\nwhat passed between whom: crosspoint ladder %s\n", v.ID)
	}
}

// quality is an estimate of listening quality with what it means (ITU-T G.107
// annex B); empty: there is none.
func quality(mos float64) string {
	words := "nearly all users are dissatisfied"
	switch {
	case mos == 0:
		return ""
	case mos >= 4.34:
		words = "users are very satisfied"
	case mos >= 4.03:
		words = "users are satisfied"
	case mos >= 3.60:
		words = "some users are dissatisfied"
	case mos >= 3.10:
		words = "many users are dissatisfied"
	}
	return fmt.Sprintf("MOS %.1f of 4.4: %s", mos, words)
}

func ladderCommand() command {
	var t target
	var times, trail bool
	return command{name: "ladder", args: "[CALL]", brief: "Draws what passed between whom in a call, in progress or ended",
		about: "CALL is the call's id as crosspoint calls and the log show it. Without it the latest call is drawn.",
		flags: func(fs *flag.FlagSet) runner {
			t.flags(fs)
			fs.BoolVar(&times, "times", false, "begin each line with the seconds since the first")
			fs.BoolVar(&trail, "trail", false, "print also how the route was found")
			return func(ctx context.Context, c console, args []string) error {
				if len(args) > 1 {
					return none(args[1:])
				}
				values := url.Values{}
				if len(args) == 1 {
					values.Set("id", args[0])
				}
				if times {
					values.Set("times", "1")
				}
				return query(ctx, c, t, "/call?"+values.Encode(), func(v callView) { showLadder(c, v, trail) })
			}
		}}
}

func showLadder(c console, v callView, trail bool) {
	c.printf("call %s: %s dialed %s at %s, %s\n\n%s", v.ID, v.From, orElse(v.Dialed, "nothing"), clock(v.Began),
		orElse(v.Why, v.State), orElse(v.Figure, "The ladder of this call is no longer kept.\n"))
	for _, a := range v.Audio {
		c.printf("\naudio of %s: %d packets received, %d lost, %d refused; %d sent; jitter %.0f ms", a.Leg, a.Received, a.Lost, a.Dropped, a.Sent, a.JitterMS)
		if heard := quality(a.MOS); heard != "" {
			c.printf("; hears with %s", heard)
		}
	}
	c.printf("\n")
	if trail {
		c.printf("\nroute:\n%s", v.Trail)
	}
}
