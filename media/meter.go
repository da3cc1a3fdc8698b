package media

import (
	"math"
	"sync/atomic"

	"crosspoint/media/g711"
)

// zero0 is the mean square of a sine of 0 dBm0 in the linear samples of a law.
// A sine that just reaches the overload point has 3.17 dBm0 in µ-law and
// 3.14 dBm0 in A-law (ITU-T G.711 tables 1 and 2); its peak is 8159 of 14 bits
// and 4096 of 13 bits, in 16 bits 32636 and 32768.
var zero0 = [2]float64{
	g711.MuLaw: 32636 * 32636 / 2 / 2.0749135, // 10^(3.17/10)
	g711.ALaw:  32768 * 32768 / 2 / 2.0606299, // 10^(3.14/10)
}

// squares are the squared linear values of the codes of both laws.
var squares = func() (t [2][256]uint32) {
	for law := range t {
		for code := range t[law] {
			s := int32(g711.Law(law).DecodeSample(byte(code)))
			t[law][code] = uint32(s * s)
		}
	}
	return t
}()

// Level is the level in dBm0 of a block of codes; -Inf: digital silence, or no
// code at all.
func Level(law g711.Law, codes []byte) float64 {
	var sum uint64
	t := &squares[law]
	for _, c := range codes {
		sum += uint64(t[c])
	}
	return dBm0(law, sum, len(codes))
}

func dBm0(law g711.Law, sum uint64, n int) float64 {
	if sum == 0 || n == 0 {
		return math.Inf(-1)
	}
	return 10 * math.Log10(float64(sum)/float64(n)/zero0[law])
}

// A Meter measures the level of a stream of packets, a second at a time. Add
// is called by one goroutine; anyone may read the level. The zero value is
// ready and reads -Inf.
type Meter struct {
	sum  uint64
	n    int
	last atomic.Uint64 // bits of the level as float64; 0: nothing measured yet
}

// Add counts the codes of one packet.
func (m *Meter) Add(law g711.Law, codes []byte) {
	t := &squares[law]
	var sum uint64
	for _, c := range codes {
		sum += uint64(t[c])
	}
	m.sum += sum
	m.n += len(codes)
	if m.n >= g711.SampleRate {
		level := dBm0(law, m.sum, m.n)
		if level == 0 {
			level = math.Copysign(0, -1) // its bits are not those of "nothing yet"
		}
		m.last.Store(math.Float64bits(level))
		m.sum, m.n = 0, 0
	}
}

// DBm0 is the level of the last whole second of audio; -Inf: silence, or less
// than a second so far.
func (m *Meter) DBm0() float64 {
	bits := m.last.Load()
	if bits == 0 {
		return math.Inf(-1)
	}
	return math.Float64frombits(bits)
}
