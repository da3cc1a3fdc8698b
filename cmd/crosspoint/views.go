package main

import (
	"math"
	"strings"
	"time"

	"crosspoint/b2bua"
	"crosspoint/b2bua/leg"
	"crosspoint/cmd/crosspoint/store"
	"crosspoint/gateway"
)

// The views are what the control socket says, as JSON. They hold nothing secret.

// statusView is the office at a glance.
type statusView struct {
	File          string             `json:"file"`
	PID           int                `json:"pid"`
	Started       time.Time          `json:"started"`
	Listen        []string           `json:"listen"`
	Calls         int                `json:"calls"`
	Ended         int                `json:"ended"`  // of the calls kept, how many are over
	Failed        int                `json:"failed"` // of these, how many were never answered
	Legs          int                `json:"legs"`   // SIP dialogs and calls being set up
	RTPPorts      int                `json:"rtp_ports"`
	Goroutines    int                `json:"goroutines"`
	Registrations []registrationView `json:"registrations"`
	Peers         []peerView         `json:"peers,omitempty"` // where we are registered
	Mailboxes     []peerView         `json:"mailboxes,omitempty"`
	Cards         []cardView         `json:"cards"`
}

type registrationView struct {
	Phone   string    `json:"phone"`
	Contact string    `json:"contact"`
	Expires time.Time `json:"expires"`
}

type cardView struct {
	Name   string `json:"name"`
	Device string `json:"device"`
	State  string `json:"state"`
	Up     bool   `json:"up"`
}

// lineView is one telephone line.
type lineView struct {
	Line    string           `json:"line"`
	Port    string           `json:"port"`
	Kind    string           `json:"kind"`
	State   string           `json:"state"`
	Since   time.Time        `json:"since"`
	Ready   bool             `json:"ready"`
	OffHook bool             `json:"off_hook"`
	Battery bool             `json:"battery"`
	Failed  string           `json:"failed,omitempty"`
	Fault   string           `json:"fault,omitempty"`
	FaultAt time.Time        `json:"fault_at,omitzero"`
	Heard   *float64         `json:"heard_dbm0,omitempty"` // absent: silence
	Said    *float64         `json:"said_dbm0,omitempty"`
	Return  float64          `json:"echo_return_loss_db,omitempty"` // absent: not measured
	Cancel  float64          `json:"echo_cancelled_db,omitempty"`
	Counts  gateway.Counts   `json:"counts"`
	Last    []lastCallOfLine `json:"last,omitempty"`
}

type lastCallOfLine struct {
	At       time.Time `json:"at"`
	Incoming bool      `json:"incoming"`
	Number   string    `json:"number,omitempty"`
	Dialed   string    `json:"dialed,omitempty"` // the line's number that was called, where its ring tells
	Talked   float64   `json:"talked_s"`
	Ended    string    `json:"ended"`
}

func viewLine(s gateway.Status) lineView {
	v := lineView{Line: s.Line, Port: s.Port, Kind: s.Kind.String(), State: s.State, Since: s.Since, Ready: s.Ready,
		OffHook: s.OffHook, Battery: s.Battery, Failed: s.Failed, Fault: s.Fault, FaultAt: s.FaultAt,
		Heard: finite(s.Heard), Said: finite(s.Said), Return: s.ReturnLoss, Cancel: s.Enhancement, Counts: s.Counts}
	for _, c := range s.Last {
		v.Last = append(v.Last, lastCallOfLine{c.At, c.Incoming, c.Number, c.Dialed, c.Talked.Seconds(), c.Ended})
	}
	return v
}

func finite(x float64) *float64 {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return nil
	}
	return &x
}

// callView is one call, in progress or ended.
type callView struct {
	ID       string      `json:"id"`
	State    string      `json:"state"`
	From     string      `json:"from"`
	Dialed   string      `json:"dialed"`
	Answerer string      `json:"answered_by,omitempty"`
	Began    time.Time   `json:"began"`
	Answered time.Time   `json:"answered,omitzero"`
	Ended    time.Time   `json:"ended,omitzero"`
	Talked   float64     `json:"talked_s"`
	Cause    int         `json:"cause,omitempty"`
	Status   int         `json:"status,omitempty"`
	Why      string      `json:"why,omitempty"`
	Route    string      `json:"route,omitempty"`
	Trail    string      `json:"trail,omitempty"`
	Ladder   []rungView  `json:"ladder,omitempty"`
	Figure   string      `json:"figure,omitempty"`
	Audio    []audioView `json:"audio,omitempty"`
	// How well either heard the other, ITU-T G.107: 1 to 4.41.
	CallerMOS   float64  `json:"caller_mos,omitempty"`
	AnswererMOS float64  `json:"answerer_mos,omitempty"`
	Silent      []string `json:"not_heard,omitempty"` // parties, for a time though they should have been
	Tape        string   `json:"recorded_in,omitempty"`
	TapeFault   string   `json:"recording_fault,omitempty"`
}

// dialView is a call that was begun on somebody's behalf.
type dialView struct {
	Call string `json:"call"`
}

type rungView struct {
	At   time.Time `json:"at"`
	From string    `json:"from"`
	To   string    `json:"to"`
	Text string    `json:"text"`
}

type audioView struct {
	Leg      string   `json:"leg"`
	Received uint64   `json:"received"`
	Sent     uint64   `json:"sent"`
	Lost     uint64   `json:"lost"`
	Dropped  uint64   `json:"dropped"`
	JitterMS float64  `json:"jitter_ms"`
	Level    *float64 `json:"level_dbm0,omitempty"`
	MOS      float64  `json:"mos,omitempty"`      // how well the party hears the other, ITU-T G.107: 1 to 4.41
	RFactor  float64  `json:"r_factor,omitempty"` // the same as rating, 0 to 93.2
}

// viewCall is a call without its ladder, or with it drawn.
func viewCall(r b2bua.Record, ladder, times bool) callView {
	v := callView{ID: r.ID, State: r.State, From: caller(r), Dialed: r.Dialed, Answerer: r.Answerer,
		Began: r.Began, Answered: r.Answered, Ended: r.Ended, Talked: r.Talked().Seconds(), Why: r.Why, Route: r.Route.Rule,
		Silent: r.Silent, Tape: r.Tape, TapeFault: r.TapeFault}
	if !r.Ended.IsZero() {
		v.State = "ended"
		cause := r.Cause.Filled()
		v.Cause, v.Status = cause.Q850, cause.Status
	}
	for _, a := range r.Audio {
		v.Audio = append(v.Audio, audioView{a.Leg, a.Stats.Received, a.Stats.Sent, a.Stats.Lost, a.Stats.Dropped,
			float64(a.Stats.Jitter) / float64(time.Millisecond), finite(a.Stats.ReceivedDBm0), a.Hears.MOS, a.Hears.R})
	}
	if len(r.Audio) == 2 {
		v.CallerMOS, v.AnswererMOS = r.Audio[0].Hears.MOS, r.Audio[1].Hears.MOS
	}
	if ladder {
		v.Figure, v.Trail = r.Ladder.Figure(times), r.Trail.String()
		for _, rung := range r.Ladder.Rungs() {
			v.Ladder = append(v.Ladder, rungView(rung))
		}
	}
	return v
}

// viewKept is a call of which only the record is left: no ladder, no audio.
func viewKept(c store.Call) callView {
	v := callView{ID: c.ID, State: "ended", From: c.Caller, Dialed: c.Dialed, Answerer: c.Answerer, Began: c.Began, Answered: c.Answered,
		Ended: c.Ended, Cause: c.Cause, Status: c.Status, Why: c.Why, Route: c.Route, Trail: c.Trail,
		CallerMOS: c.CallerMOS, AnswererMOS: c.AnswererMOS, Tape: c.Tape, TapeFault: c.TapeFault}
	if c.Source != "" && !strings.HasPrefix(c.Caller, c.Source) {
		v.From += " on " + c.Source
	}
	if !c.Answered.IsZero() {
		v.Talked = c.Ended.Sub(c.Answered).Seconds()
	}
	return v
}

// caller is who called, and by which door if that is not who.
func caller(r b2bua.Record) string {
	from := r.From.String()
	if r.Source.Kind == leg.Line || r.Source.Kind == leg.Peer {
		from += " on " + r.Source.Name
	}
	return from
}
