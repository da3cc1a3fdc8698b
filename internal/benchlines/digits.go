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
	"crosspoint/internal/sounds"
	"crosspoint/media/dtmf"
)

// A keystroke is one digit with what is wrong with it.
type keystroke struct {
	low, high float64 // factors of the frequencies
	level     float64 // dBm0 of the stronger tone
	twist     float64 // dB by which the high tone is louder
	on        int     // samples
	hole      int     // samples of silence in its middle
	noise     float64 // dB below the tones; zero: none
}

// pcm is the keystroke of a digit with silence around it, begun so many samples
// later.
func (k keystroke) pcm(digit byte, seed uint64, shift int) []int16 {
	low, high, _ := dtmf.Frequencies(digit)
	peak := dsp.Peak(k.level)
	a, b := peak, peak
	if k.twist > 0 {
		a *= math.Pow(10, -k.twist/20)
	} else {
		b *= math.Pow(10, k.twist/20)
	}
	x := make([]int16, 4000)
	if k.noise > 0 {
		both := dsp.Level((a*a + b*b) / 2)
		x = g168.WhiteNoise(seed, both-k.noise, len(x))
	}
	for i := range k.on + k.hole {
		if at := i - k.on/2; at >= 0 && at < k.hole {
			continue
		}
		t := 2 * math.Pi * float64(i) / dsp.SampleRate
		at := 1500 + shift + i
		x[at] = dsp.Clip(float64(x[at]) + a*math.Sin(t*low*k.low) + b*math.Sin(t*high*k.high+1))
	}
	return g168.Coded(x)
}

// A digitTest is a limit of ITU-T Q.24 with keystrokes that it is about.
type digitTest struct {
	limit  string
	accept bool
	strike keystroke
}

func digitTests() []digitTest {
	nominal := keystroke{low: 1, high: 1, level: -10, on: 640}
	with := func(f func(k *keystroke)) keystroke { k := nominal; f(&k); return k }
	var tests []digitTest
	add := func(accept bool, k keystroke, format string, args ...any) {
		tests = append(tests, digitTest{fmt.Sprintf(format, args...), accept, k})
	}
	for _, off := range []float64{1.5, -1.5} {
		add(true, with(func(k *keystroke) { k.low, k.high = 1+off/100, 1+off/100 }), "frequency off by %+.1f %%", off)
	}
	for _, off := range []float64{3.5, -3.5} {
		add(false, with(func(k *keystroke) { k.low = 1 + off/100 }), "low frequency off by %+.1f %%", off)
		add(false, with(func(k *keystroke) { k.high = 1 + off/100 }), "high frequency off by %+.1f %%", off)
	}
	add(true, with(func(k *keystroke) { k.twist = 4 }), "high tone 4 dB louder")
	add(true, with(func(k *keystroke) { k.twist = -4 }), "low tone 4 dB louder")
	add(true, with(func(k *keystroke) { k.twist = -8 }), "low tone 8 dB louder")
	for _, level := range []float64{0, -25, -36} {
		add(true, with(func(k *keystroke) { k.level = level }), "each tone at %.0f dBm0", level)
	}
	add(false, with(func(k *keystroke) { k.level = -55 }), "each tone at -55 dBm0")
	add(true, with(func(k *keystroke) { k.on = 320 }), "tone of 40 ms")
	add(false, with(func(k *keystroke) { k.on = 160 }), "tone of 20 ms")
	add(false, with(func(k *keystroke) { k.on = 184 }), "tone of 23 ms")
	add(true, with(func(k *keystroke) { k.hole = 80 }), "interrupted for 10 ms: one digit")
	for _, noise := range []float64{24, 15, 12} {
		add(true, with(func(k *keystroke) { k.on, k.noise = 400, noise }), "50 ms, noise %.0f dB below", noise)
	}
	return tests
}

// digits compares digit detection with spandsp's dtmf_rx, and talk-off.
func digits(spandsp string, minutes int) (table, error) {
	t := table{
		title: "DTMF detection",
		about: "16 digits, ten times each, at other places of a detector's blocks and with other noise, through µ-law; against the limits of ITU-T Q.24. " +
			"Right is one digit heard where it must be accepted, none where it must not; spandsp is libspandsp's `dtmf_rx` as it comes.",
		columns: []string{"signal", "must be", "ours right", "spandsp right"},
	}
	const times = 10
	for _, d := range digitTests() {
		var pcm [][]int16
		var want []string
		for i := range times {
			for _, digit := range []byte(dtmf.Digits) {
				pcm = append(pcm, d.strike.pcm(digit, uint64(i*16+1)+uint64(digit), 13*i))
				w := ""
				if d.accept {
					w = string(digit)
				}
				want = append(want, w)
			}
		}
		theirs, err := spandspDigits(spandsp, pcm)
		if err != nil {
			return t, err
		}
		ours, others := 0, 0
		for i := range pcm {
			if ourDigits(pcm[i]) == want[i] {
				ours++
			}
			if theirs[i] == want[i] {
				others++
			}
		}
		must := "refused"
		if d.accept {
			must = "accepted"
		}
		t.add(float64(ours-others), d.limit, must, share(ours, len(pcm)), share(others, len(pcm)))
	}
	speech := make([]int16, minutes*60*dsp.SampleRate)
	sounds.NewSpeech(24, -15).Read(speech)
	speech = g168.Coded(speech)
	theirs, err := spandspDigits(spandsp, [][]int16{speech})
	if err != nil {
		return t, err
	}
	ours := len(ourDigits(speech))
	t.add(float64(len(theirs[0])-ours), fmt.Sprintf("%d minutes of speech", minutes), "refused",
		fmt.Sprintf("%d digits heard", ours), fmt.Sprintf("%d digits heard", len(theirs[0])))
	return t, nil
}

func share(n, of int) string { return fmt.Sprintf("%d of %d", n, of) }

func ourDigits(pcm []int16) string {
	d := dtmf.NewDetector(dtmf.Limits{})
	var heard strings.Builder
	for at := 0; at < len(pcm); at += 160 {
		for _, e := range d.Detect(pcm[at:min(at+160, len(pcm))]) {
			if e.Down {
				heard.WriteByte(e.Digit)
			}
		}
	}
	return heard.String()
}

func spandspDigits(program string, all [][]int16) ([]string, error) {
	var in bytes.Buffer
	for _, pcm := range all {
		binary.Write(&in, binary.NativeEndian, uint32(len(pcm))) // to memory: cannot fail
		binary.Write(&in, binary.NativeEndian, pcm)
	}
	cmd := exec.Command(program, "dtmf")
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s dtmf: %w", program, err)
	}
	lines := strings.Split(string(out), "\n")
	if len(lines) != len(all)+1 {
		return nil, fmt.Errorf("%s dtmf: %d answers for %d signals", program, len(lines)-1, len(all))
	}
	return lines[:len(all)], nil
}
