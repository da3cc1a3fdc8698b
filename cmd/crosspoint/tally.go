package main

import (
	"strconv"
	"sync"

	"crosspoint/b2bua"
	"crosspoint/internal/exposition"
)

// A tally counts the calls that have ended since the exchange was started, for
// whoever watches it. The bounds of its histograms are those that an operator
// can tell something by: of listening quality, the limits of ITU-T G.107 annex
// B between what users are satisfied with and not.
type tally struct {
	mu                sync.Mutex
	ended             map[outcome]uint64
	talked            *exposition.Histogram
	mos, rating       [2]*exposition.Histogram // of what the caller hears, and who answered
	jitter, lost      [2]*exposition.Histogram // of what comes from them
	silent            uint64                   // calls in which a party was not heard
	recorded, spoiled uint64                   // recordings; those that are missing or not whole
}

// outcome is how a call ended.
type outcome struct {
	cause    int // of Q.850
	answered bool
}

func newTally() *tally {
	t := &tally{ended: map[outcome]uint64{}, talked: exposition.NewHistogram(5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200)}
	for i := range 2 {
		t.mos[i] = exposition.NewHistogram(2.58, 3.1, 3.6, 4.03, 4.34)
		t.rating[i] = exposition.NewHistogram(50, 60, 70, 80, 90)
		t.jitter[i] = exposition.NewHistogram(.001, .002, .005, .01, .02, .05, .1, .2)
		t.lost[i] = exposition.NewHistogram(0, .001, .002, .005, .01, .02, .05, .1, .2)
	}
	return t
}

// count takes the record of a call that has ended.
func (t *tally) count(r b2bua.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	cause := r.Cause.Filled().Q850
	if cause < 1 || cause > 127 { // others' numbers are no ground to count by
		cause = 0
	}
	t.ended[outcome{cause, !r.Answered.IsZero()}]++
	if len(r.Silent) > 0 {
		t.silent++
	}
	if r.Tape != "" {
		t.recorded++
	}
	if r.TapeFault != "" {
		t.spoiled++
	}
	if r.Answered.IsZero() {
		return
	}
	t.talked.Observe(r.Talked().Seconds())
	for i, a := range r.Audio[:min(len(r.Audio), 2)] {
		if a.Hears.MOS > 0 {
			t.mos[i].Observe(a.Hears.MOS)
			t.rating[i].Observe(a.Hears.R)
		}
		if a.Stats.Received > 0 {
			t.jitter[i].Observe(a.Stats.Jitter.Seconds())
			t.lost[i].Observe(float64(a.Stats.Lost) / float64(a.Stats.Lost+a.Stats.Received))
		}
	}
}

// show writes what was counted.
func (t *tally) show(p *exposition.Page) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ended := p.Metric(exposition.Counter, "crosspoint_calls_ended_total", "Calls that have ended, by cause (ITU-T Q.850; 0: none of its numbers) and by whether they were answered")
	for _, o := range sortedOutcomes(t.ended) {
		ended.Add(float64(t.ended[o]), "cause", strconv.Itoa(o.cause), "answered", yes(o.answered))
	}
	p.Histogram("crosspoint_call_talk_seconds", "How long answered calls lasted").Add(t.talked)
	for _, m := range []struct {
		name, help, way string
		by              [2]*exposition.Histogram
	}{
		{"crosspoint_call_mos", "Mean opinion score of ended calls as ITU-T G.107 estimates it, 1 to 4.41, by who hears", "to", t.mos},
		{"crosspoint_call_r_factor", "Transmission rating factor of ended calls (ITU-T G.107), 0 to 93.2, by who hears", "to", t.rating},
		{"crosspoint_call_jitter_seconds", "Jitter (RFC 3550) of the audio of ended calls at their end, by who speaks", "from", t.jitter},
		{"crosspoint_call_loss_ratio", "Share of the audio packets of ended calls that were lost on the way to the exchange, by who speaks", "from", t.lost},
	} {
		h := p.Histogram(m.name, m.help)
		h.Add(m.by[0], "direction", m.way+"_caller")
		h.Add(m.by[1], "direction", m.way+"_answerer")
	}
	p.One(exposition.Counter, "crosspoint_calls_silent_total", "Ended calls in which a party was not heard for a time though it should have been", float64(t.silent))
	p.One(exposition.Counter, "crosspoint_recordings_total", "Calls that were recorded and have ended", float64(t.recorded))
	p.One(exposition.Counter, "crosspoint_recordings_failed_total", "Calls whose recording is missing or not whole", float64(t.spoiled))
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
