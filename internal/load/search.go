//go:build linux

package load

import (
	"fmt"
	"os"
	"slices"
	"time"
)

// A Goal is what a relay must keep for its calls to count as carried.
type Goal struct {
	Loss float64       // less than this; zero is 0.001
	P99  time.Duration // added delay, less than this; zero is 20 ms
}

func (g Goal) filled() Goal {
	if g.Loss == 0 {
		g.Loss = 0.001
	}
	if g.P99 == 0 {
		g.P99 = frame
	}
	return g
}

// A Point is what a relay did with a number of calls. Delays are in milliseconds.
type Point struct {
	Calls    int     `json:"calls"`
	Loss     float64 `json:"loss"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	P999     float64 `json:"p999_ms"`
	CPU      float64 `json:"cpu_s_per_1000_pkt_s"`
	Cores    float64 `json:"cores_busy"`
	PerCall  float64 `json:"rss_kb_per_call,omitempty"` // 0: unknown, the relay has had more calls and kept their memory
	Threads  int     `json:"threads"`
	Files    int     `json:"files"`
	Late     float64 `json:"generator_late"`   // fraction of packets that the generator sent a frame too late
	LateP99  float64 `json:"generator_p99_ms"` // how late the generator sent: no part of the delays
	Busy     float64 `json:"generator_cores"`  // what the generator itself took
	Others   float64 `json:"others_cores"`     // what other programs and the kernel's own threads took meanwhile
	Passed   bool    `json:"passed"`
	Disagree bool    `json:"runs_disagree,omitempty"` // not all runs passed or failed
}

// A Bench measures targets one after another by the same rules.
type Bench struct {
	Pump *Pump
	Goal Goal
	For  time.Duration // of one run; zero is 3 s
	Runs int           // whose median counts; zero is 3
	Tell func(format string, args ...any)

	empty int64 // bytes of memory that the target had without a call
	most  int   // calls that it has had at once
}

// tooLate is the fraction of packets sent a frame too late that spoils a run.
const tooLate = 0.001

// measure has the calls talk and measures the median of some runs.
func (b *Bench) measure(t Target, calls []Call) (Point, error) {
	d, runs := b.For, b.Runs
	if d == 0 {
		d = 3 * time.Second
	}
	if runs == 0 {
		runs = 3
	}
	b.Pump.Talk(calls)
	time.Sleep(time.Second) // sources are learnt, buffers are warm
	var points []Point
	for spare := runs; len(points) < runs; {
		p, err := b.once(t, calls, d)
		if err != nil {
			return p, err
		}
		if p.Late > tooLate && spare > 0 {
			spare-- // others took the generator's core: it says nothing about the relay
			continue
		}
		points = append(points, p)
		if len(points) == 2 && runs == 3 && points[0].Passed == points[1].Passed && !points[0].Passed {
			break // the third cannot change it
		}
	}
	m := medianOf(points)
	m.Passed = b.passes(m)
	for _, p := range points {
		m.Disagree = m.Disagree || p.Passed != m.Passed
	}
	b.Tell("  %-22s %5d calls: loss %.3f %%, p50 %.2f p99 %.2f p99.9 %.2f ms, %.4f CPU-s per 1000 pkt/s, %.2f cores, %.1f kB a call; generator %.2f cores, late p99 %.2f ms; others %.2f cores%s",
		t.Name(), m.Calls, 100*m.Loss, m.P50, m.P99, m.P999, m.CPU, m.Cores, m.PerCall, m.Busy, m.LateP99, m.Others, verdict(m))
	return m, nil
}

func verdict(p Point) string {
	switch {
	case p.Late > tooLate:
		return "  generator late"
	case p.Passed:
		return ""
	}
	return "  fails"
}

func (b *Bench) passes(p Point) bool {
	g := b.Goal.filled()
	return p.Loss < g.Loss && p.P99 < ms(g.P99)
}

// A tally is what was used so far.
type tally struct {
	relay, generator Usage
	machine          time.Duration
	at               time.Time
}

func tallyOf(t Target) (y tally, err error) {
	if y.relay, err = UsageOf(t.PID()); err != nil {
		return y, err
	}
	if y.generator, err = UsageOf(os.Getpid()); err != nil {
		return y, err
	}
	y.machine, err = machineBusy()
	y.at = time.Now()
	return y, err
}

// once is one run.
func (b *Bench) once(t Target, calls []Call, d time.Duration) (Point, error) {
	before, err := tallyOf(t)
	if err != nil {
		return Point{}, err
	}
	w, err := b.Pump.Measure(d)
	if err != nil {
		return Point{}, err
	}
	after, err := tallyOf(t)
	if err != nil {
		return Point{}, err
	}
	cores := func(d time.Duration) float64 { return d.Seconds() / after.at.Sub(before.at).Seconds() }
	p := Point{
		Calls: len(calls), Loss: w.Loss(),
		P50: ms(w.Delay.Quantile(0.5)), P99: ms(w.Delay.Quantile(0.99)), P999: ms(w.Delay.Quantile(0.999)),
		Cores:   cores(after.relay.CPU - before.relay.CPU),
		Threads: after.relay.Threads, Files: after.relay.Files,
		LateP99: ms(w.Turns.Quantile(0.99)),
		Busy:    cores(after.generator.CPU - before.generator.CPU),
	}
	p.Others = cores(after.machine-before.machine) - p.Busy
	if t.PID() != os.Getpid() {
		p.Others -= p.Cores
	}
	p.Others = max(p.Others, 0)
	if w.Sent > 0 {
		p.Late = float64(w.Late) / float64(w.Sent)
		p.CPU = p.Cores / (float64(w.Sent) / d.Seconds() / 1000)
	}
	if b.most = max(b.most, len(calls)); len(calls) == b.most && b.most > 0 {
		p.PerCall = float64(after.relay.RSS-b.empty) / 1024 / float64(b.most)
	}
	p.Passed = b.passes(p)
	return p, nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// medianOf takes the median of each figure by itself.
func medianOf(points []Point) Point {
	m := points[len(points)-1]
	median := func(of func(*Point) float64) float64 {
		all := make([]float64, 0, len(points))
		for i := range points {
			all = append(all, of(&points[i]))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	m.Loss = median(func(p *Point) float64 { return p.Loss })
	m.P50 = median(func(p *Point) float64 { return p.P50 })
	m.P99 = median(func(p *Point) float64 { return p.P99 })
	m.P999 = median(func(p *Point) float64 { return p.P999 })
	m.CPU = median(func(p *Point) float64 { return p.CPU })
	m.Cores = median(func(p *Point) float64 { return p.Cores })
	m.Late = median(func(p *Point) float64 { return p.Late })
	m.LateP99 = median(func(p *Point) float64 { return p.LateP99 })
	m.Busy = median(func(p *Point) float64 { return p.Busy })
	m.Others = median(func(p *Point) float64 { return p.Others })
	return m
}

// Climb measures a target at each level of calls until it fails at one, and then
// between that and the one before, true to step calls. The best is the last
// point that passed; all are sorted by calls.
func (b *Bench) Climb(t Target, levels []int, step int) (best Point, all []Point, err error) {
	// The first calls bring what every later call uses: code, tables, buffers.
	const warm = 4
	if _, err := t.Resize(warm); err != nil {
		return best, nil, err
	}
	empty, err := UsageOf(t.PID())
	if err != nil {
		return best, nil, err
	}
	b.empty, b.most = empty.RSS, warm
	good, bad := 0, 0 // bad is 0 until one failed
	for _, n := range levels {
		p, err := b.with(t, n)
		if err != nil {
			return best, all, err
		}
		all = append(all, p)
		if !p.Passed {
			bad = n
			break
		}
		good, best = n, p
	}
	for bad-good > step {
		n := max((good+bad)/2/step*step, good+1)
		p, err := b.with(t, n)
		if err != nil {
			return best, all, err
		}
		all = append(all, p)
		if p.Passed {
			good, best = n, p
		} else {
			bad = n
		}
	}
	slices.SortFunc(all, func(a, b Point) int { return a.Calls - b.Calls })
	return best, all, nil
}

// Half measures a target at half of what it carries.
func (b *Bench) Half(t Target, best Point) (Point, error) {
	if best.Calls < 2 {
		return Point{}, nil
	}
	return b.with(t, best.Calls/2)
}

// with measures a target with n calls.
func (b *Bench) with(t Target, n int) (Point, error) {
	b.Pump.Talk(nil) // set-up is not disturbed by the audio of the calls before
	calls, err := t.Resize(n)
	if err != nil {
		return Point{}, fmt.Errorf("%s with %d calls: %w", t.Name(), n, err)
	}
	// What else the machine does can spoil a measurement, but not improve one:
	// a failure counts when it comes again.
	var p Point
	for range failures {
		if p, err = b.measure(t, calls); err != nil || p.Passed {
			break
		}
	}
	return p, err
}

// failures is how many measurements of a number of calls must fail.
const failures = 3
