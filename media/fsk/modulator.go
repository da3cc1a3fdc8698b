package fsk

import "crosspoint/internal/dsp"

// A Modulator sends bits with continuous phase. Bits change where the standard
// has them, between samples too, so that the bit clock has no jitter. Make it
// with NewModulator.
type Modulator struct {
	peak  float64
	step  [2]float64 // phase step of space and mark, in 1/2^32 of a turn
	bits  float64    // a sample's length in bits
	osc   dsp.Osc
	queue []byte  // bits to send, 0 or 1
	next  int     // of queue: the bit being sent
	at    float64 // how much of it has been sent, 0..1
}

// NewModulator is a Modulator with nothing to send, at the given level in dBm0.
// Caller identification is sent at -13.5 dBm in GR-30 and ETSI EN 300 659-1.
func NewModulator(s Standard, level float64) *Modulator {
	return &Modulator{
		peak: dsp.Peak(level),
		step: [2]float64{float64(dsp.Step(s.Space)), float64(dsp.Step(s.Mark))},
		bits: s.Baud * perSample,
	}
}

// Seizure queues a channel seizure: bits in turn space and mark.
func (m *Modulator) Seizure(bits int) {
	for i := range bits {
		m.queue = append(m.queue, byte(i%2))
	}
}

// Mark queues mark bits.
func (m *Modulator) Mark(bits int) {
	for range bits {
		m.queue = append(m.queue, 1)
	}
}

// Send queues characters, least significant bit first.
func (m *Modulator) Send(data ...byte) {
	for _, c := range data {
		m.queue = append(m.queue, 0)
		for i := range dataBits {
			m.queue = append(m.queue, c>>i&1)
		}
		m.queue = append(m.queue, 1)
	}
}

// Stop forgets what is queued.
func (m *Modulator) Stop() { m.queue, m.next, m.at = m.queue[:0], 0, 0 }

// Busy tells whether there are bits left to send.
func (m *Modulator) Busy() bool { return m.next < len(m.queue) }

// Read fills pcm with the next samples and tells how many there were: less than
// len(pcm) when the last bit has been sent. The rest of pcm is left as it was.
func (m *Modulator) Read(pcm []int16) int {
	for i := range pcm {
		if !m.Busy() {
			m.Stop()
			return i
		}
		pcm[i] = dsp.Clip(m.peak * m.osc.Next())
		m.advance()
	}
	return len(pcm)
}

// advance moves the phase by one sample: by a bit's frequency, or by those of
// two bits when one ends within the sample.
func (m *Modulator) advance() {
	step := m.step[m.queue[m.next]]
	m.at += m.bits
	if m.at >= 1 {
		late := (m.at - 1) / m.bits // share of the sample that belongs to the next bit
		m.at--
		m.next++
		if m.Busy() {
			step += late * (m.step[m.queue[m.next]] - step)
		}
	}
	m.osc.Set(uint32(step))
}
