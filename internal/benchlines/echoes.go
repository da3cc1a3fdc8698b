package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os/exec"
	"strings"

	"crosspoint/internal/dsp"
	"crosspoint/internal/g168"
	"crosspoint/media/echo"
)

const (
	echoSeconds = 12
	inaudible   = -65 // dBm0: what is weaker is as good as silence
	sentAt      = -10 // dBm0
	converged   = 20  // dB by which an echo must be weaker than what was sent
	taps        = 256 // 32 ms
)

// A canceller turns what was sent and received into what it leaves.
type canceller func(far, near []int16) ([]int16, error)

func ours(linear bool) canceller {
	return func(far, near []int16) ([]int16, error) {
		c := echo.New(echo.Config{Linear: linear})
		out := append([]int16(nil), near...)
		for at := 0; at+160 <= len(out); at += 160 {
			c.Process(out[at:at+160], far[at:at+160])
		}
		return out, nil
	}
}

func spandspEcho(program string, linear bool) canceller {
	return func(far, near []int16) ([]int16, error) {
		var in bytes.Buffer
		pairs := make([]int16, 0, 2*len(far))
		for i := range far {
			pairs = append(pairs, far[i], near[i])
		}
		binary.Write(&in, binary.NativeEndian, pairs) // to memory: cannot fail
		nlp := "1"
		if linear {
			nlp = "0"
		}
		cmd := exec.Command(program, "echo", fmt.Sprint(taps), nlp)
		cmd.Stdin = &in
		raw, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("%s echo: %w", program, err)
		}
		out := make([]int16, len(raw)/2)
		if err := binary.Read(bytes.NewReader(raw), binary.NativeEndian, out); err != nil || len(out) != len(far) {
			return nil, fmt.Errorf("%s echo: %d samples for %d: %v", program, len(out), len(far), err)
		}
		return out, nil
	}
}

// An echoTest is what is sent, and the return loss of the paths in dB.
type echoTest struct {
	name string
	loss float64
	sent []int16
}

func echoTests() []echoTest {
	const n = echoSeconds * dsp.SampleRate
	noise := g168.Coded(g168.WhiteNoise(7, sentAt, n))
	clear(noise[n-g168.RingOut:])
	speech := g168.CSS(7, sentAt, n)
	return []echoTest{{"speech, 6 dB", 6, speech}, {"speech, 12 dB", 12, speech}, {"noise, 12 dB", 12, noise}}
}

// echoes compares cancelling with spandsp's echo_can on the paths of G.168.
func echoes(spandsp string) (table, error) {
	t := table{
		title: "Echo cancelling",
		about: fmt.Sprintf("The echo paths of ITU-T G.168 annex D, a tail of 32 ms, all through µ-law: "+
			"a composite source signal (speech) with the least return loss that G.168 has in mind, 6 dB, and with 12 dB, and white noise, at %d dBm0. "+
			"ERLE is what the filter takes off the echo, without nonlinear processor: in the second after the first, and in the last 2 s of %d s; µ-law allows some 37 dB. "+
			"Converged is when return loss and enhancement stay above %d dB together. Double talk is the ERLE of the second after the near end has talked for 4 s, as loud as we. "+
			"Heard is the loudest 35 ms after the first second, nonlinear processor and comfort noise on. spandsp is libspandsp's `echo_can_update`.",
			sentAt, echoSeconds, converged),
		columns: []string{"path", "sent, return loss", "measured", "ours", "spandsp"},
	}
	paths, err := models(spandsp)
	if err != nil {
		return t, err
	}
	for _, test := range echoTests() {
		for _, p := range paths {
			ourFigures, err := measureEcho(p.path, test, ours(true), ours(false))
			if err != nil {
				return t, err
			}
			theirs, err := measureEcho(p.path, test, spandspEcho(spandsp, true), spandspEcho(spandsp, false))
			if err != nil {
				return t, err
			}
			for i, f := range ourFigures {
				t.add(f.better(theirs[i]), p.name, test.name, f.what, f.text(), theirs[i].text())
			}
		}
	}
	return t, nil
}

// A figure is one measurement; more is better, or less.
type figure struct {
	what  string
	value float64
	unit  string
	less  bool
}

func (f figure) text() string {
	switch {
	case math.IsInf(f.value, 1):
		return "never"
	case f.unit == "dBm0" && f.value < inaudible:
		return fmt.Sprintf("below %d dBm0", inaudible)
	}
	return fmt.Sprintf("%.0f %s", math.Round(f.value)+0, f.unit)
}

// better is by how much f is better than another, if that can be heard or read.
func (f figure) better(than figure) float64 {
	d := math.Round(f.value) - math.Round(than.value)
	if math.IsNaN(d) || f.text() == than.text() {
		return 0
	}
	if f.less {
		return -d
	}
	return d
}

func measureEcho(h g168.Path, test echoTest, linear, whole canceller) ([]figure, error) {
	const second = dsp.SampleRate
	h = h.Lossy(test.loss)
	far := test.sent
	near := g168.Sum(h.Through(far), nil)
	left, err := linear(far, near)
	if err != nil {
		return nil, err
	}
	heard, err := whole(far, near)
	if err != nil {
		return nil, err
	}
	// Speech, then double talk, then speech alone.
	talk := append(make([]int16, 4*second), g168.DoubleTalk(9, sentAt, 4*second)...)
	after, err := linear(far, g168.Sum(h.Through(far), talk))
	if err != nil {
		return nil, err
	}
	return []figure{
		{"ERLE after 1 s", erle(near, left, second, 2*second), "dB", false},
		{"ERLE in the end", erle(near, left, 10*second, 12*second), "dB", false},
		{"converged after", convergence(far, left), "ms", true},
		{"ERLE after double talk", erle(near, after, 8*second, 9*second), "dB", false},
		{"heard", g168.Level(heard[second:]), "dBm0", true},
	}, nil
}

// erle is the echo return loss enhancement between two samples.
func erle(near, left []int16, from, to int) float64 {
	return 20 * math.Log10(g168.RMS(near[from:to])/math.Max(g168.RMS(left[from:to]), 0.1))
}

// convergence is when the combined loss has come to stay, in ms; +inf: never.
func convergence(far, left []int16) float64 {
	const window = 280
	at := math.Inf(1)
	for i := len(far) / window * window; i >= window; i -= window {
		sent, rest := dsp.Energy(far[i-window:i]), dsp.Energy(left[i-window:i])
		if dsp.Level(sent/window) < sentAt-20 { // a pause: nothing is told
			continue
		}
		if rest*math.Pow(10, converged/10.) > sent {
			break
		}
		at = float64(i-window) * 1000 / dsp.SampleRate
	}
	return at
}

type model struct {
	name string
	path g168.Path
}

// models are the echo paths that spandsp's header has.
func models(spandsp string) ([]model, error) {
	out, err := exec.Command(spandsp, "models").Output()
	if err != nil {
		return nil, fmt.Errorf("%s models: %w", spandsp, err)
	}
	var all []model
	in := strings.NewReader(string(out))
	for {
		var m model
		var n int
		if _, err := fmt.Fscan(in, &m.name, &n); err != nil {
			break
		}
		m.path = make(g168.Path, n)
		for i := range m.path {
			if _, err := fmt.Fscan(in, &m.path[i]); err != nil {
				return nil, fmt.Errorf("%s models: %s: %w", spandsp, m.name, err)
			}
		}
		all = append(all, m)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s models: none", spandsp)
	}
	return all, nil
}
