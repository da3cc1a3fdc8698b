package wav

import (
	"io"
	"math"
)

const (
	telephoneRate = 8000
	longest       = 30 * 60 * telephoneRate // samples of half an hour: 28.8 MB in memory
	lobes         = 16                      // of the sinc on each side, at the lower of the two rates
	cutOff        = 0.45                    // of the lower rate: 3.6 kHz, where telephones end
)

// Load reads a whole file as one channel of 8000 samples a second: channels
// are averaged, other rates are converted. It refuses more than half an hour.
func Load(r io.Reader) ([]int16, error) {
	rd, err := NewReader(r)
	if err != nil {
		return nil, err
	}
	f := rd.Format()
	limit := longest / telephoneRate * f.Rate
	var mono []int16
	block := make([]int16, 1024*f.Channels)
	for {
		n, err := rd.Read(block)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		for i := 0; i+f.Channels <= n; i += f.Channels {
			sum := 0
			for _, s := range block[i : i+f.Channels] {
				sum += int(s)
			}
			mono = append(mono, int16(sum/f.Channels))
		}
		if len(mono) > limit {
			return nil, bad("it is longer than %d minutes", longest/telephoneRate/60)
		}
	}
	if f.Rate == telephoneRate {
		return mono, nil
	}
	return resample(mono, f.Rate, telephoneRate), nil
}

// resample converts between two rates by a windowed sinc.
func resample(in []int16, from, to int) []int16 {
	step := float64(from) / float64(to) // input samples for one of output
	scale := math.Min(1, 1/step)        // the filter is as wide as the lower rate needs
	reach := lobes / scale
	out := make([]int16, int(float64(len(in))/step))
	for i := range out {
		at := float64(i) * step
		first, last := int(math.Ceil(at-reach)), int(math.Floor(at+reach))
		var sum, weight float64
		for k := first; k <= last; k++ {
			w := kernel((float64(k)-at)*scale, lobes)
			weight += w
			if k >= 0 && k < len(in) {
				sum += w * float64(in[k])
			}
		}
		out[i] = int16(math.Round(min(max(sum/weight, math.MinInt16), math.MaxInt16)))
	}
	return out
}

// kernel is a low-pass filter's response at x samples from its middle, cut to
// the given width by a Hann window.
func kernel(x, width float64) float64 {
	window := 0.5 + 0.5*math.Cos(math.Pi*x/width)
	if x == 0 {
		return 2 * cutOff
	}
	return window * math.Sin(2*math.Pi*cutOff*x) / (math.Pi * x)
}
