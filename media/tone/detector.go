package tone

import (
	"math"
	"time"

	"crosspoint/internal/dsp"
)

// Kind is what a Detector hears on a line.
type Kind uint8

const (
	Silence    Kind = iota + 1
	Voice           // anything loud that is none of the others: speech, music, an announcement, digits
	Dial            // dial tone, stutter dial tone as soon as it is steady
	Ringback        // the called telephone rings
	Busy            // the called telephone is engaged, or the other end has hung up
	Congestion      // fast busy, reorder, number unobtainable
	SIT             // special information tone: an announcement follows
	Howler          // the exchange finds us off the hook for too long
	FaxCalling      // 1100 Hz, CNG of a calling fax (ITU-T T.30)
	Answer          // 2100 Hz, answer tone of a fax or modem (ITU-T V.25, V.8)
	Other           // a steady tone that is none of the country's: Event.Hz
	kinds
)

var kindNames = [kinds]string{"nothing", "silence", "voice", "dial tone", "ringback", "busy tone", "congestion tone",
	"special information tone", "off-hook warning", "fax calling tone", "answer tone", "another country's tone"}

func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return kindNames[0]
}

// An Event is the moment at which a Detector became sure of something. Sample
// counts begin with 0 at the detector's first sample.
type Event struct {
	Kind  Kind
	On    bool    // false: it has ended
	At    uint64  // sample by which the detector was sure
	Since uint64  // sample at which it began or ended: a cadence began with the sounds that made it sure
	Hz    float64 // of Other, Answer and FaxCalling
	Level float64 // dBm0
}

// Config says what a Detector listens for. The zero value is the United States.
type Config struct {
	Country Country       // one without tones means us
	Floor   float64       // dBm0 below which there is silence. Zero means -42 dBm0
	Cycles  int           // sounds of busy and congestion tone by which they are sure, at least 2. Zero means 3
	Silence time.Duration // by which silence is sure. Zero means 1 s
}

// A Detector tells which of a country's tones a line plays. Make it with NewDetector.
//
// Each 10 ms it looks at the last 40 ms: the samples are projected on the
// frequencies of each tone, and what is left over says whether the tone is
// there or speech that resembles it. Steady tones are known when they last
// longer than any beat of the country's cadences of the same frequency;
// cadences are known when several sounds and silences in a row have the right
// frequency and the right lengths. Anything else that lasts for 80 ms, digits
// and speech included, makes the count begin anew.
type Detector struct {
	cfg      Config
	patterns []pattern
	analysis *analysis
	events   []Event

	filter dsp.Biquad // takes away hum
	x      [window]float64
	auto   autocorrelation
	filled int // samples of the last hop
	clock  uint64

	track   track
	voices  voices
	lone    lone
	special special

	expecting bool
	active    int     // pattern of a cadence that is on, or -1
	next      int     // the beat that it expects
	steady    int     // pattern of a steady tone that is on, or -1
	level     float64 // of the last look
	silent    bool    // Silence is on
	quiet     int     // looks of silence
}

// NewDetector is a Detector for the tones of cfg.Country.
func NewDetector(cfg Config) *Detector {
	if cfg.Country.Dial.Silent() && cfg.Country.Busy.Silent() {
		cfg.Country = countries["us"]
	}
	if cfg.Floor == 0 {
		cfg.Floor = -42
	}
	if cfg.Cycles == 0 {
		cfg.Cycles = 3
	}
	if cfg.Silence == 0 {
		cfg.Silence = time.Second
	}
	d := &Detector{cfg: cfg, events: make([]Event, 0, 2*kinds)}
	d.patterns, d.analysis = patterns(&d.cfg.Country, max(2, cfg.Cycles))
	d.Reset()
	return d
}

// Reset forgets what was heard, without events; the count of samples goes on.
func (d *Detector) Reset() {
	d.track = track{label: hush, since: d.clock, last: d.clock, loud: never}
	d.x, d.auto, d.filter = [window]float64{}, autocorrelation{}, dsp.HighPass(hum)
	d.analysis.reset()
	d.voices, d.lone, d.special = voices{}, lone{}, special{}
	d.expecting, d.active, d.steady, d.silent, d.quiet = false, -1, -1, false, 0
}

// ExpectDial tells that the line has just been seized or flashed, so that a
// steady tone is dial tone: it is reported after 400 ms, or where busy and
// congestion tone have the same frequency when it has outlasted their sounds
// (600 ms in Germany, at most 900 ms). Otherwise it must last for a second, and
// outlast ringback (1.8 s in France). The next Dial, and Reset, end the expectation.
func (d *Detector) ExpectDial() { d.expecting = true }

// Detect takes the next samples, any number of them, and tells what began and
// what ended in them. The slice is valid until the next call.
func (d *Detector) Detect(pcm []int16) []Event {
	d.events = d.events[:0]
	for _, s := range pcm {
		d.x[window-hop+d.filled] = d.filter.Next(float64(s))
		d.clock++
		if d.filled++; d.filled == hop {
			d.filled = 0
			d.look()
			copy(d.x[:], d.x[hop:])
		}
	}
	return d.events
}

// look judges the window that is full now.
func (d *Detector) look() {
	fresh := (*[hop]float64)(d.x[window-hop:])
	d.auto.take(fresh)
	d.analysis.take(fresh)
	r := d.auto.sum()
	d.level = dsp.Level(r[0] / window)
	label, hz := d.classify(r)
	if label >= 0 {
		d.track.follow(d.level)
	}
	loud := d.level >= d.cfg.Floor
	d.hush(!loud)
	d.voice(loud && label < 0 && hz == 0 && d.track.label < 0)
	d.single(hz)
	if left, ok := d.track.step(label, d.clock); ok {
		d.changed(left)
	}
	d.lasting()
}

// classify names what the window holds: hush, noise, or a mix. hz is the
// frequency of noise that is a single tone.
func (d *Detector) classify(r [3]float64) (label int, hz float64) {
	if d.level < d.cfg.Floor || d.level < d.track.loud-drop {
		return hush, 0
	}
	d.analysis.look()
	if mix, _ := d.analysis.best(r[0]); mix >= 0 {
		return mix, 0
	}
	hz, ok := frequency(&d.x, r)
	if !ok {
		hz = 0
	}
	return noise, hz
}

// emit reports, and keeps the buffer within what NewDetector made: a caller who
// shows a minute at once gets a longer one.
func (d *Detector) emit(k Kind, on bool, since uint64, hz float64) {
	d.events = append(d.events, Event{k, on, d.clock, since, hz, d.level})
}

// hush reports silence that lasts.
func (d *Detector) hush(quiet bool) {
	if !quiet {
		if d.silent {
			d.emit(Silence, false, d.clock, 0)
		}
		d.silent, d.quiet = false, 0
		return
	}
	if d.quiet++; !d.silent && time.Duration(d.quiet)*hop*time.Second/dsp.SampleRate >= d.cfg.Silence {
		d.silent = true
		d.emit(Silence, true, d.clock-uint64(d.quiet)*hop, 0)
	}
}

// changed takes the run that the track has left: what came before the one that it is in now.
func (d *Detector) changed(left run) {
	t := &d.track
	switch {
	case left.label >= 0:
		d.sounded(left)
	case left.label == hush && t.label >= 0:
		d.paused(left)
	}
	if t.label == noise {
		d.end(d.clock)
		t.forget()
	}
}

// sounded takes a sound that has ended.
func (d *Detector) sounded(left run) {
	t := &d.track
	if d.steady >= 0 {
		d.emit(d.patterns[d.steady].kind, false, left.until, 0)
		d.steady = -1
		t.forget()
		return
	}
	b := beat{mix: left.label, on: left.seconds(), level: left.level()}
	if d.active >= 0 && !d.expected(b) {
		d.end(left.until) // cut short: answered, or hung up
	}
	t.add(b, left.since)
	if t.label >= 0 { // another mix followed without a pause
		d.beaten()
	}
}

// expected tells whether a sound is one of the cadence that is on.
func (d *Detector) expected(b beat) bool {
	for _, own := range d.patterns[d.active].beats {
		if own.mix == b.mix && near(b.on, own.on) {
			return true
		}
	}
	return false
}

// paused takes a silence that has ended: the beat before it is complete.
func (d *Detector) paused(left run) {
	if d.track.pause(left.seconds()) {
		d.beaten()
	}
}

// beaten looks for a pattern in the beats, the last of which is complete now.
func (d *Detector) beaten() {
	heard := d.track.heard()
	if d.active >= 0 {
		p := &d.patterns[d.active]
		if heard[len(heard)-1].like(p.beats[d.next]) {
			d.next = (d.next + 1) % len(p.beats)
			return
		}
		d.end(d.clock)
	}
	for i := range d.patterns {
		p := &d.patterns[i]
		if next, ok := p.fits(heard); ok {
			d.begin(i, next, d.track.began(p.need))
			return
		}
	}
}

// begin reports a cadence.
func (d *Detector) begin(pattern, next int, since uint64) {
	d.active, d.next = pattern, next
	d.speechless()
	d.emit(d.patterns[pattern].kind, true, since, 0)
}

// end reports that a cadence is over, if one is on.
func (d *Detector) end(since uint64) {
	if d.active >= 0 {
		d.emit(d.patterns[d.active].kind, false, since, 0)
		d.active = -1
	}
}

// lasting looks at the run that goes on: a steady tone, a sound or a silence
// too long for its cadence, a silence long enough for ringback.
func (d *Detector) lasting() {
	t := &d.track
	lasts := float64(d.clock-t.since) / dsp.SampleRate
	if d.active >= 0 {
		b := d.patterns[d.active].beats[d.next]
		limit := b.off
		if t.label >= 0 {
			limit = b.on
		}
		if lasts > limit*(1+share)+grid+0.1 && !d.longer(lasts) {
			d.end(t.since)
		}
	}
	switch {
	case t.label >= 0 && d.steady < 0:
		d.steadied()
	case t.label == hush && d.active < 0:
		d.rung(lasts)
	}
	if t.label == hush && lasts > forgotten {
		t.forget()
	}
}

// longer tells whether the silence that goes on may be that of another beat of
// the cadence, and then expects that one.
func (d *Detector) longer(lasts float64) bool {
	heard := d.track.heard()
	if d.track.label >= 0 || len(heard) == 0 {
		return false
	}
	last := heard[len(heard)-1]
	for i, b := range d.patterns[d.active].beats {
		if b.mix == last.mix && near(last.on, b.on) && b.off > lasts {
			d.next = i
			return true
		}
	}
	return false
}

// steadied reports a steady tone when it has lasted long enough.
func (d *Detector) steadied() {
	for i := range d.patterns {
		p := &d.patterns[i]
		need := p.alone
		if d.expecting && p.kind == Dial {
			need = p.expect
		}
		if len(p.beats) == 0 && p.mix == d.track.label && d.track.looks >= need {
			d.end(d.track.since)
			d.steady = i
			d.speechless()
			d.emit(p.kind, true, d.track.since, 0)
			if p.kind == Dial {
				d.expecting = false
			}
			return
		}
	}
}

// rung reports ringback by its first sound and the silence after it.
func (d *Detector) rung(lasts float64) {
	heard := d.track.heard()
	if len(heard) == 0 || heard[len(heard)-1].off != 0 {
		return
	}
	last := heard[len(heard)-1]
	for i := range d.patterns {
		p := &d.patterns[i]
		if p.kind != Ringback || lasts < p.after {
			continue
		}
		for j, b := range p.beats {
			if b.mix == last.mix && near(last.on, b.on) && b.off > lasts {
				d.begin(i, j, d.track.began(1))
				return
			}
		}
	}
}

const (
	hum       = 200  // Hz below which nothing is listened to
	drop      = 15.0 // dB below a cadence's sounds at which there is a pause
	forgotten = 12   // seconds of silence after which a cadence is over
)

// never is a level that nothing is below.
var never = math.Inf(-1)
