package b2bua

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
	"crosspoint/media"
)

// A Record is what is known of a call, while it lasts and after it.
type Record struct {
	ID       string
	State    string // of a call in progress; "ended" afterwards
	From     leg.Party
	Source   leg.Source
	Dialed   string
	Payer    string    // extension that pays for the call beside the caller, for it sent the caller on; empty: none
	Answerer string    // name of the leg that answered; empty: nobody did
	Began    time.Time // when it came in
	Answered time.Time // zero: it was not
	Ended    time.Time // zero: it goes on
	Cause    leg.Cause // why it ended
	Why      string    // that in one sentence, with the line to look at
	Route    dialplan.Route
	Trail    dialplan.Trail
	Ladder   *leg.Ladder
	Audio    []Audio  // of the caller and of who answered
	Silent   []string // parties that were not heard for a time though they should have been
	// Tape is where the call is recorded; empty: it is not. TapeFault is why it is
	// not though it should be, or why the recording is not whole; empty: it is.
	Tape, TapeFault string
}

// Audio is what passed between one party and the exchange.
type Audio struct {
	Leg   string
	Stats media.Stats
	Hears media.Quality // how well the party hears the other, ITU-T G.107; zero: not known
}

// Talked is how long the parties were joined.
func (r Record) Talked() time.Duration {
	switch {
	case r.Answered.IsZero():
		return 0
	case r.Ended.IsZero():
		return time.Since(r.Answered)
	}
	return r.Ended.Sub(r.Answered)
}

// record is the call's as it stands.
func (c *Call) record() Record {
	r := Record{
		ID: c.id, State: c.state.String(), From: c.in.Caller, Source: c.in.Source, Dialed: c.in.Dialed, Payer: c.payer,
		Began: c.began, Answered: c.answer, Ended: c.over, Cause: c.cause,
		Route: c.route, Trail: c.trail, Ladder: c.ladder, TapeFault: c.tape.failed,
		Silent: slices.Clone(c.missed.told),
	}
	if c.tape.to != nil {
		r.Tape = c.tape.to.Name()
	}
	if c.caller != nil {
		r.Audio = append(r.Audio, Audio{Leg: c.caller.name(), Stats: c.caller.leg.Stream().Stats()})
	}
	if c.callee != nil {
		r.Answerer = c.callee.name()
		r.Audio = append(r.Audio, Audio{Leg: c.callee.name(), Stats: c.callee.leg.Stream().Stats()})
	}
	if len(r.Audio) == 2 {
		caller, callee := &r.Audio[0], &r.Audio[1]
		caller.Hears, _ = media.Heard(callee.Stats, caller.Stats)
		callee.Hears, _ = media.Heard(caller.Stats, callee.Stats)
	}
	if !c.over.IsZero() {
		r.Why = c.why()
	}
	return r
}

// why says in one plain sentence why the call ended, and which line of which
// file would change it.
func (c *Call) why() string {
	cause := c.cause
	by := cause.By
	switch {
	case cause.Normal() && by == leg.Us && cause.Status < 300:
		return "the exchange ended the call: " + cause.Text
	case !c.answer.IsZero() && cause.Normal():
		return by + " hung up"
	case !c.answer.IsZero():
		return fmt.Sprintf("the call was cut off: %s (by %s)%s", cause.Text, by, hint(cause.Hint))
	case c.caller != nil && by == c.caller.name() && cause.Normal():
		return by + " hung up before anybody answered"
	case c.route.Refusal != nil:
		return fmt.Sprintf("the dial plan refused %q: %s%s", c.in.Dialed, cause.Text, hint(cause.Hint))
	case by == leg.Us || by == "":
		return fmt.Sprintf("%q could not be reached: %s%s%s", c.in.Dialed, cause.Text, hint(cause.Hint), c.routedBy())
	}
	return fmt.Sprintf("%s: %s%s%s", by, cause.Text, hint(cause.Hint), c.routedBy())
}

func hint(h string) string {
	if h == "" {
		return ""
	}
	return ": " + h
}

// routedBy names the rule that led to a failure.
func (c *Call) routedBy() string {
	if c.route.Rule == "" {
		return ""
	}
	return fmt.Sprintf(" (routed by %s, %s)", c.route.Rule, c.route.Pos)
}

// logEnd writes the one line that every call ends in.
func (c *Call) logEnd(r Record) {
	level := slog.LevelInfo
	if !r.Cause.Normal() && r.Cause.Filled().Status >= 500 {
		level = slog.LevelWarn
	}
	c.log.Log(context.Background(), level, "call ended",
		"by", r.Cause.By, "cause", r.Cause, "status", r.Cause.Filled().Status,
		"from", r.From, "dialed", r.Dialed, "answered", r.Answerer, "route", r.Route.Rule,
		"rang", rang(r).Round(time.Millisecond), "talked", r.Talked().Round(time.Millisecond), "why", r.Why)
	if c.log.Enabled(context.Background(), slog.LevelDebug) {
		if c.log.Enabled(context.Background(), slog.LevelDebug) {
			c.log.Debug("ladder\n" + c.ladder.Figure(true))
		}
	}
}

func rang(r Record) time.Duration {
	if r.Answered.IsZero() {
		return r.Ended.Sub(r.Began)
	}
	return r.Answered.Sub(r.Began)
}
