package media

import (
	"fmt"
	"testing"

	"crosspoint/media/g711"
)

// drain is a stream that throws away what it hears.
type drain struct {
	law g711.Law
	to  Sink
}

func (d *drain) Write(*Packet) {}
func (d *drain) Feed(to Sink)  { d.to = to }
func (d *drain) Law() g711.Law { return d.law }
func (d *drain) Stats() Stats  { return Stats{} }

// paths are the ways that a packet takes, each as a function of one packet or frame.
func paths() map[string]func() {
	m := map[string]func(){}
	codes := sineCodes(g711.MuLaw, 1000, 8000, 0, 160)
	relay := func(from, to g711.Law) func() {
		a, b := &drain{law: from}, &drain{law: to}
		bridge := NewBridge(nil)
		bridge.Join(a)
		bridge.Join(b)
		p := &Packet{Law: from, Payload: codes}
		return func() { p.Seq++; p.Timestamp += 160; a.to.Write(p) }
	}
	m["relay"] = relay(g711.MuLaw, g711.MuLaw)
	m["transcode"] = relay(g711.MuLaw, g711.ALaw)

	j := NewJitterBuffer(JitterConfig{})
	p := &Packet{Payload: codes}
	var frame [160]byte
	m["jitter"] = func() { p.Timestamp += 160; j.Write(p); j.Read(frame[:]) }

	lossy := NewJitterBuffer(JitterConfig{})
	q := &Packet{Payload: codes}
	m["conceal"] = func() {
		q.Timestamp += 320
		lossy.Write(q)
		lossy.Read(frame[:])
		lossy.Read(frame[:])
	}

	var meter Meter
	m["meter"] = func() { meter.Add(g711.MuLaw, codes) }

	events := NewInBand(&drain{}, func() g711.Law { return g711.MuLaw })
	e := &Packet{Kind: Event, Payload: make([]byte, 4)}
	d := uint16(0)
	m["event to tone"] = func() {
		d += 160
		if d >= 8000 {
			d = 160
			e.Timestamp += 8000
		}
		TelephoneEvent{Code: 5, Duration: d}.Put(e.Payload)
		events.Write(e)
	}
	for _, n := range []int{3, 8, 64} {
		m[fmt.Sprintf("mix %d", n)] = mixing(n)
	}
	return m
}

// mixing is one frame of a mix of n who all talk: n packets in, n out.
func mixing(n int) func() {
	mix := new(mixer)
	var members []mixed
	var packets []*Packet
	for i := range n {
		members = append(members, mixed{newVoice(&drain{}), true})
		packets = append(packets, &Packet{Payload: sineCodes(g711.MuLaw, float64(300+20*i), 4000, 0, 160)})
	}
	mix.members.Store(&members)
	frame := uint64(0)
	return func() {
		for i, p := range packets {
			p.Seq++
			p.Timestamp += 160
			members[i].inlet.Write(p)
		}
		mix.tick(frame)
		frame++
	}
}

func TestNothingIsAllocatedPerPacket(t *testing.T) {
	for name, f := range paths() {
		for range 200 {
			f()
		}
		if n := testing.AllocsPerRun(500, f); n != 0 {
			t.Errorf("%s: %.1f allocations a packet", name, n)
		}
	}
	var p Pacer
	pl := p.Play(&Samples{PCM: make([]int16, 800), Loop: true}, &drain{}, 0, nil)
	pl.Stop()
	pl.stopped = false
	if n := testing.AllocsPerRun(100, func() { pl.tick(1) }); n != 0 {
		t.Errorf("player: %.1f allocations a packet", n)
	}
}

func BenchmarkPaths(b *testing.B) {
	for name, f := range paths() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
