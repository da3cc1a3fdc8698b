package main

import (
	"fmt"
	"math"
	"path/filepath"
	"text/tabwriter"
	"time"

	"crosspoint/media/g711"
	"crosspoint/media/measure"
)

// What a talk path must keep. Two companding steps of G.711 and a jitter
// buffer in front of the line leave more than 30 dB.
const (
	leastSNR    = 25.0 // dB
	mostGain    = 1.0  // dB up or down
	signalLevel = -16  // dBm0: a voice's
)

// A path is what arrived of what one party said at another.
type path struct {
	call     int
	from, to string
	measure.Result
}

// signals makes what the two parties of a call say: noise in the telephone
// band that can be found again, each its own.
func (d *demo) signals(parties ...string) [][]int16 {
	var all [][]int16
	for i := range parties {
		pcm := make([]int16, int(d.talk.Seconds()*g711.SampleRate))
		measure.NewSignal(uint64(len(d.paths)+i+1), signalLevel).Read(pcm)
		all = append(all, pcm)
	}
	return all
}

// listen lets the parties talk, and what is on its way arrive.
func (d *demo) listen() { time.Sleep(d.talk + 500*time.Millisecond) }

// measure compares what one party said with what the other heard, and keeps
// the latter as a WAV file.
func (d *demo) measure(from, to string, said, heard []int16) {
	p := path{call: d.scene, from: from, to: to, Result: measure.Compare(said, heard)}
	d.paths = append(d.paths, p)
	name := fmt.Sprintf("call%d-%s-heard.wav", p.call, to)
	if err := saveWAV(filepath.Join(d.out, name), heard); err != nil {
		d.fail("%v", err)
	}
	switch whole := int(d.talk / (20 * time.Millisecond)); {
	case !p.Heard():
		d.fail("%s has not heard %s", to, from)
	case p.Segments-p.Lost < whole*9/10:
		d.fail("%s heard only %d ms of the %d ms that %s said", to, 20*(p.Segments-p.Lost), d.talk.Milliseconds(), from)
	case p.SNR < leastSNR:
		d.fail("%s hears %s with a signal-to-noise ratio of %.1f dB, less than %.0f", to, from, p.SNR, leastSNR)
	case math.Abs(p.Gain) > mostGain:
		d.fail("%s hears %s with a gain of %+.1f dB", to, from, p.Gain)
	case p.Inverted:
		d.fail("%s hears %s with its polarity reversed", to, from)
	}
}

// report prints the table of all paths.
func (d *demo) report() {
	d.c.printf("== What arrived of what was said\n\n")
	w := tabwriter.NewWriter(d.c.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "call\tsaid by\theard by\tsent\tarrived\tgain\tSNR\tlost\tslips\t\n")
	for _, p := range d.paths {
		fmt.Fprintf(w, "%d\t%s\t%s\t%.1f dBm0\t%.1f dBm0\t%+.2f dB\t%.1f dB\t%d ms\t%d\t\n",
			p.call, p.from, p.to, p.Sent, p.Level, p.Gain, p.SNR, 20*p.Lost, p.Slips)
	}
	w.Flush()
}
