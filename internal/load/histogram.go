//go:build linux

package load

import (
	"math/bits"
	"time"
)

const (
	subBits = 4 // 16 steps an octave: values are true to 6 %
	steps   = 1 << subBits
)

// A Histogram counts durations. The zero value is empty.
type Histogram struct {
	counts [40 * steps]uint64
	total  uint64
	max    int64 // nanoseconds
}

// Add counts one duration.
func (h *Histogram) Add(nanoseconds int64) {
	n := max(nanoseconds, 0)
	h.counts[min(bucket(uint64(n)), len(h.counts)-1)]++
	h.total++
	h.max = max(h.max, n)
}

// bucket is the place of a value: octaves of 16 steps.
func bucket(v uint64) int {
	if v < steps {
		return int(v)
	}
	octave := bits.Len64(v) - subBits // 1, 2, …
	return octave*steps + int(v>>(octave-1))&(steps-1)
}

// upper is the largest value of a place.
func upper(i int) int64 {
	octave, step := i/steps, i%steps
	if octave == 0 {
		return int64(step)
	}
	return int64(steps+step+1)<<(octave-1) - 1
}

// Quantile is the duration that the fraction q of all does not exceed, rounded
// up by 6 % at most; zero if there is none.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := uint64(q * float64(h.total))
	var sum uint64
	for i, n := range h.counts {
		if sum += n; n > 0 && sum > rank {
			return time.Duration(min(upper(i), h.max))
		}
	}
	return time.Duration(h.max)
}

// Count is how many durations were added.
func (h *Histogram) Count() uint64 { return h.total }
