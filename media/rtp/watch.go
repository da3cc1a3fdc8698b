package rtp

import "time"

// pausedFactor stretches the watch over a party that announced its silence by
// comfort noise (RFC 3389): it may send nothing for a while.
const pausedFactor = 10

// A watch finds out that a party which should be heard is not.
type watch struct {
	after  time.Duration // zero: not watching
	since  time.Time     // when it was last heard, or watching began; zero: it need not be heard
	paused bool          // it announced silence
	silent bool          // and this was told
}

// begin watches anew; zero after: not at all.
func (w *watch) begin(after time.Duration, now time.Time) {
	*w = watch{after: after}
	if after > 0 {
		w.since = now
	}
}

// heard notes a packet; true: the party had been reported silent.
func (w *watch) heard(now time.Time) bool {
	was := w.silent
	w.silent, w.paused = false, false
	if w.after > 0 {
		w.since = now
	}
	return was
}

func (w *watch) pause() { w.paused = true }

// deadline is when the party counts as silent; zero: never.
func (w *watch) deadline() time.Time {
	if w.since.IsZero() || w.silent {
		return time.Time{}
	}
	after := w.after
	if w.paused {
		after *= pausedFactor
	}
	return w.since.Add(after)
}

// expired tells, once, for how long the party has been silent.
func (w *watch) expired(now time.Time) (time.Duration, bool) {
	at := w.deadline()
	if at.IsZero() || now.Before(at) {
		return 0, false
	}
	w.silent = true
	return now.Sub(w.since), true
}
