package media

import (
	"math"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"crosspoint/media/g711"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A phone is a test's party: it says tones or codes and remembers what it hears.
type phone struct {
	law g711.Law

	mu    sync.Mutex
	to    Sink
	heard []Packet // with payloads of their own
	seq   uint16
	ts    uint32
}

func (p *phone) Write(q *Packet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := *q
	c.Payload = append([]byte(nil), q.Payload...)
	p.heard = append(p.heard, c)
}

func (p *phone) Feed(to Sink) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = to
}

func (p *phone) Law() g711.Law { return p.law }
func (p *phone) Stats() Stats  { return Stats{} }

// say sends one packet.
func (p *phone) say(codes []byte) {
	p.mu.Lock()
	to := p.to
	q := Packet{Law: p.law, Seq: p.seq, Timestamp: p.ts, Source: 7, Payload: codes}
	p.seq++
	p.ts += uint32(len(codes))
	p.mu.Unlock()
	if to != nil {
		to.Write(&q)
	}
}

// take returns what was heard since the last take.
func (p *phone) take() []Packet {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.heard
	p.heard = nil
	return h
}

// takePCM is take in linear samples.
func (p *phone) takePCM() (pcm []int16) {
	for _, q := range p.take() {
		for _, c := range q.Payload {
			pcm = append(pcm, q.Law.DecodeSample(c))
		}
	}
	return pcm
}

func sine(hz, peak float64, at uint32, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(math.Round(peak * math.Sin(2*math.Pi*hz*float64(at+uint32(i))/g711.SampleRate)))
	}
	return pcm
}

func sineCodes(law g711.Law, hz, peak float64, at uint32, n int) []byte {
	codes := make([]byte, n)
	law.Encode(codes, sine(hz, peak, at, n))
	return codes
}

// strength is the peak of the sine of that frequency in pcm.
func strength(pcm []int16, hz float64) float64 {
	var re, im float64
	for i, s := range pcm {
		w := 2 * math.Pi * hz * float64(i) / g711.SampleRate
		re += float64(s) * math.Cos(w)
		im += float64(s) * math.Sin(w)
	}
	return 2 * math.Hypot(re, im) / float64(max(len(pcm), 1))
}

// near fails unless got is within tolerance of want.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s is %.2f, want %.2f ± %.2f", what, got, want, tolerance)
	}
}
