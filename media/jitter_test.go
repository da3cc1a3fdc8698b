package media

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"

	"crosspoint/media/g711"
)

// arrival is a packet and when it comes, in samples of the reader's clock.
type arrival struct {
	at float64
	p  Packet
}

// cut makes packets of n samples of the audio, sent as soon as each is full.
func cut(codes []byte, n int, firstTS uint32) (packets []arrival) {
	for i := 0; i+n <= len(codes); i += n {
		packets = append(packets, arrival{float64(i + n), Packet{
			Seq: uint16(i / n), Timestamp: firstTS + uint32(i), Source: 1, Payload: codes[i : i+n],
		}})
	}
	return packets
}

// play feeds a buffer with the arrivals while it is read every 20 ms, and
// returns what was read. The reader is half a frame out of step with the packets.
func play(j *JitterBuffer, arrivals []arrival, frames int) []byte {
	sort.SliceStable(arrivals, func(a, b int) bool { return arrivals[a].at < arrivals[b].at })
	var out []byte
	var frame [160]byte
	for f := range frames {
		now := float64(f*160 + 80)
		for len(arrivals) > 0 && arrivals[0].at <= now {
			p := arrivals[0].p
			j.Write(&p)
			arrivals = arrivals[1:]
		}
		j.Read(frame[:])
		out = append(out, frame[:]...)
	}
	return out
}

// noiseCodes is audio whose every sample is known by its neighbours: any
// place of it can be found again. It has no -0 of µ-law, which a frame that is
// put together from pieces need not keep.
func noiseCodes(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	codes := make([]byte, n)
	for i := range codes {
		codes[i] = byte(r.UintN(256))
		if codes[i] == 0x7f {
			codes[i] = 0
		}
	}
	return codes
}

func TestJitterBufferIsExactForEveryPacketLength(t *testing.T) {
	for _, n := range []int{80, 160, 240, 480, 53} {
		codes := noiseCodes(8000)
		if n == 160 {
			codes[4000] = 0x7f // -0 is not +0
		}
		j := NewJitterBuffer(JitterConfig{})
		out := play(j, cut(codes, n, math.MaxUint32-1000), 55) // the timestamp comes round
		at := bytes.Index(out, codes[:40])
		if at < 0 {
			t.Errorf("%d samples a packet: the beginning is not found", n)
			continue
		}
		end := min(len(out)-at, len(codes)/n*n)
		if !bytes.Equal(out[at:at+end], codes[:end]) {
			t.Errorf("%d samples a packet: what is read differs", n)
		}
		if delay := at - n; delay > 400 {
			t.Errorf("%d samples a packet: %d samples of delay", n, delay)
		}
		if s := j.Stats(); s.Late+s.Overruns+s.Duplicates+s.Slips != 0 {
			t.Errorf("%d samples a packet: %+v", n, s)
		}
	}
}

func TestJitterBufferConvertsLaw(t *testing.T) {
	j := NewJitterBuffer(JitterConfig{Law: g711.ALaw})
	codes := sineCodes(g711.MuLaw, 1000, 8000, 0, 1600)
	out := play(j, cut(codes, 160, 0), 10)
	want := make([]byte, 160)
	g711.MuLaw.Convert(want, codes[640:800])
	if !bytes.Contains(out, want) {
		t.Error("A-law frames of a µ-law source are not the table's")
	}
}

func TestJitterBufferPutsInOrderAndDropsDuplicates(t *testing.T) {
	codes := noiseCodes(16000)
	packets := cut(codes, 160, 5000)
	for i := 10; i+1 < len(packets); i += 10 {
		packets[i].at, packets[i+1].at = packets[i+1].at, packets[i].at
	}
	for i := 5; i < 100; i += 10 {
		again := packets[i]
		again.at += 50
		packets = append(packets, again)
	}
	j := NewJitterBuffer(JitterConfig{Start: 40 * time.Millisecond})
	out := play(j, packets, 103)
	at := bytes.Index(out, codes[:40])
	if at < 0 || !bytes.Equal(out[at:at+len(codes)-640], codes[:len(codes)-640]) {
		t.Error("what is read is not in order")
	}
	if s := j.Stats(); s.Duplicates != 10 || s.Late != 0 || s.Concealed != uint64(at)-80 && s.Underruns > 1 {
		t.Errorf("%+v", s)
	}
}

func TestJitterBufferDeepensUntilNothingIsLate(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	speech := speechCodes(g711.MuLaw, 60*8000)
	packets := cut(speech, 160, 0)
	for i := range packets {
		packets[i].at += r.Float64() * 8 * 60 // up to 60 ms late
	}
	j := NewJitterBuffer(JitterConfig{})
	play(j, packets[:1000], 1000)
	before := j.Stats()
	if before.Slips == 0 {
		t.Error("the depth was not changed")
	}
	play(j, shift(packets[1000:2500], -1000*160), 1500)
	s := j.Stats()
	if late := s.Late - before.Late; late != 0 {
		t.Errorf("%d packets late after 20 s with the same jitter", late)
	}
	if c := s.Concealed - before.Concealed; c > 1500*160/200 {
		t.Errorf("%d samples concealed after 20 s with the same jitter", c)
	}
	if s.Depth > 120*time.Millisecond {
		t.Errorf("%v deep against 60 ms of jitter", s.Depth)
	}
}

func shift(packets []arrival, by float64) []arrival {
	packets = slices.Clone(packets)
	for i := range packets {
		packets[i].at += by
	}
	return packets
}

// speechCodes are syllables of 300 ms and pauses of 200 ms with a quiet room in them.
func speechCodes(law g711.Law, n int) []byte {
	pcm := make([]int16, n)
	r := rand.New(rand.NewPCG(5, 6))
	for i := range pcm {
		pcm[i] = int16(r.IntN(21) - 10)
		if i%4000 < 2400 {
			x := float64(i) / 8000
			pcm[i] += int16(3000*math.Sin(2*math.Pi*140*x) + 2000*math.Sin(2*math.Pi*420*x) + 1000*math.Sin(2*math.Pi*980*x))
		}
	}
	codes := make([]byte, n)
	law.Encode(codes, pcm)
	return codes
}

func TestJitterBufferFollowsDriftBySlipsInSilence(t *testing.T) {
	for _, ppm := range []float64{-1000, 1000} {
		const seconds = 120
		speech := speechCodes(g711.MuLaw, seconds*8000)
		packets := cut(speech, 160, 0)
		for i := range packets {
			packets[i].at *= 1 + ppm/1e6
		}
		j := NewJitterBuffer(JitterConfig{})
		play(j, packets, seconds*50-10)
		s := j.Stats()
		// 1000 ppm, ten times what crystals do, are 960 samples in 120 s: 12 slips of 10 ms.
		if s.Slips < 8 || s.Slips > 16 {
			t.Errorf("%+.0f ppm: %d slips in %d s", ppm, s.Slips, seconds)
		}
		if s.Underruns > 1 || s.Overruns > 0 || s.Concealed > 400 || s.Depth > 70*time.Millisecond {
			t.Errorf("%+.0f ppm: %+v", ppm, s)
		}
	}
}

func TestJitterBufferCutsDriftOutOfUnbrokenSound(t *testing.T) {
	const seconds = 150
	tone := sineCodes(g711.MuLaw, 425, 8000, 0, seconds*8000)
	packets := cut(tone, 160, 0)
	for i := range packets {
		packets[i].at *= 1 - 1000e-6 // the source is faster by 8 samples a second
	}
	j := NewJitterBuffer(JitterConfig{})
	out := play(j, packets, seconds*50)
	s := j.Stats()
	if s.Slips == 0 || s.Overruns != 0 || s.Depth > 120*time.Millisecond {
		t.Errorf("%+v", s)
	}
	steepest := 2 * math.Pi * 425 / 8000 * 8000 * 1.3 // of the sine, and a little
	pcm := make([]int16, len(out))
	g711.MuLaw.Decode(pcm, out)
	for i := 1600; i < len(pcm)-1600; i++ {
		if d := math.Abs(float64(pcm[i]) - float64(pcm[i-1])); d > steepest {
			t.Fatalf("a click of %.0f at %.2f s", d, float64(i)/8000)
		}
	}
}

func TestJitterBufferConcealsALostPacket(t *testing.T) {
	tone := sineCodes(g711.MuLaw, 400, 8000, 0, 8000)
	packets := cut(tone, 160, 0)
	packets = slices.Delete(packets, 20, 21)
	j := NewJitterBuffer(JitterConfig{})
	out := play(j, packets, 45)
	pcm := make([]int16, len(out))
	g711.MuLaw.Decode(pcm, out)
	for i := 800; i+160 < len(pcm); i += 160 {
		near(t, "the tone", strength(pcm[i:i+160], 400), 8000, 1200)
	}
	if s := j.Stats(); s.Concealed < 160 || s.Concealed > 160+400 {
		t.Errorf("%+v", s)
	}
}

func TestJitterBufferFadesOutInALossBurst(t *testing.T) {
	tone := sineCodes(g711.MuLaw, 400, 8000, 0, 16000)
	packets := cut(tone, 160, 0)
	packets = slices.Delete(packets, 30, 50) // 400 ms
	j := NewJitterBuffer(JitterConfig{})
	out := play(j, packets, 98)
	pcm := make([]int16, len(out))
	g711.MuLaw.Decode(pcm, out)
	begin := 33 * 160 // the gap as it is read, roughly
	near(t, "the tone 60 to 300 ms into the gap", strength(pcm[begin+640:begin+2400], 400), 0, 20)
	near(t, "the tone after the gap", strength(pcm[len(pcm)-1600:], 400), 8000, 300)
}

func TestJitterBufferPlaysOnAfterAStall(t *testing.T) {
	speech := speechCodes(g711.MuLaw, 30*8000)
	packets := cut(speech, 160, 0)
	for i := 100; i < 108; i++ {
		packets[i].at = packets[107].at + 1 // 160 ms held up, then all at once
	}
	j := NewJitterBuffer(JitterConfig{})
	out := play(j, packets, 30*50)
	lost := 160 * 10
	if at := bytes.Index(out, speech[108*160:110*160]); at < 0 {
		t.Error("what came after the stall was not played")
	} else if !bytes.Contains(out, speech[101*160:107*160]) {
		t.Errorf("what was held up was not played; stats %+v, %d", j.Stats(), lost)
	}
	if s := j.Stats(); s.Depth > 60*time.Millisecond {
		t.Errorf("still %v deep 28 s after the stall", s.Depth)
	}
}

func TestJitterBufferThrowsAwayWhatNobodyReads(t *testing.T) {
	j := NewJitterBuffer(JitterConfig{})
	for _, a := range cut(noiseCodes(80000), 160, 0) {
		j.Write(&a.p)
	}
	if s := j.Stats(); s.Overruns == 0 || s.Depth > 210*time.Millisecond {
		t.Errorf("%+v", s)
	}
}

func TestJitterBufferStartsAnewWithAnotherSource(t *testing.T) {
	first, second := noiseCodes(1600), noiseCodes(3200)[1600:]
	j := NewJitterBuffer(JitterConfig{})
	packets := cut(first, 160, 1000)
	for _, a := range cut(second, 160, 1100) {
		a.p.Source = 2
		a.at += 1600
		packets = append(packets, a)
	}
	out := play(j, packets, 22)
	if !bytes.Contains(out, second[200:1280]) {
		t.Error("the second source is not heard whole")
	}
}

func TestJitterBufferPassesOverAStrayButFollowsAClockThatWentBack(t *testing.T) {
	codes := noiseCodes(16000)
	packets := cut(codes, 160, 100_000)
	stray := packets[2]
	stray.at += 8000 // a second late
	back := shift(cut(codes[:3200], 160, 50_000), 16000)
	j := NewJitterBuffer(JitterConfig{})
	out := play(j, append(append(packets, stray), back...), 125)
	if !bytes.Contains(out, codes[:15840]) {
		t.Error("a stray disturbs what is heard")
	}
	if !bytes.Contains(out[16000:], codes[640:2560]) {
		t.Error("after the clock went back nothing is heard")
	}
	if s := j.Stats(); s.Late != 3 { // the stray, and two until the jump was believed
		t.Errorf("%+v", s)
	}
}

func TestJitterBufferMakesComfortNoise(t *testing.T) {
	j := NewJitterBuffer(JitterConfig{})
	play(j, cut(sineCodes(g711.MuLaw, 400, 8000, 0, 1600), 160, 0), 11)
	j.Write(&Packet{Kind: Noise, Timestamp: 1600, Source: 1, Payload: []byte{50}})
	var pcm [160]int16
	var sum float64
	for range 50 {
		j.ReadLinear(&pcm)
	}
	for range 50 {
		if j.ReadLinear(&pcm) {
			t.Error("noise counts as heard")
		}
		for _, s := range pcm {
			sum += float64(s) * float64(s)
		}
	}
	near(t, "the noise in dBov", 10*math.Log10(sum/8000/32768/32768), -50, 0.5)
	// The voice is back: no noise beside it.
	codes := noiseCodes(1600)
	packets := cut(codes, 160, 1600+100*160)
	if out := play(j, packets, 12); !bytes.Contains(out, codes[:1200][200:]) {
		t.Error("the voice after the pause is not heard")
	}
}

func TestJitterBufferTakesPauses(t *testing.T) {
	// A sender that leaves packets out in silence, 2 s at a time, without saying so.
	codes := noiseCodes(1600)
	j := NewJitterBuffer(JitterConfig{})
	var packets []arrival
	for k := range 10 {
		packets = append(packets, shift(cut(codes, 160, uint32(k*17600)), float64(k*17600))...)
	}
	out := play(j, packets, 10*110)
	for found, at := 0, 0; ; found++ {
		i := bytes.Index(out[at:], codes[160:1440])
		if i < 0 {
			if found != 10 {
				t.Errorf("%d of 10 sentences are whole", found)
			}
			break
		}
		at += i + 1
	}
	if s := j.Stats(); s.Late != 0 || s.Slips != 0 {
		t.Errorf("%+v", s)
	}
}

func FuzzJitterBuffer(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 160, 1, 0, 0, 160, 160, 255, 255, 255, 0, 3})
	f.Fuzz(func(t *testing.T, in []byte) {
		j := NewJitterBuffer(JitterConfig{Law: g711.ALaw})
		var payload [2000]byte
		var frame [160]byte
		ts := uint32(0)
		for len(in) >= 5 {
			kind := Kind(in[0] % 4)
			ts += uint32(int32(int8(in[1]))<<uint(in[2]%32)) + uint32(in[3])
			n := int(in[4]) * 8 % (len(payload) + 1)
			if kind < 3 {
				j.Write(&Packet{Kind: kind, Timestamp: ts, Source: uint32(in[2] >> 7), Payload: payload[:n]})
			}
			for range in[3] % 8 {
				j.Read(frame[:])
			}
			in = in[5:]
		}
		if d := j.Stats().Depth; d > 500*time.Millisecond {
			t.Errorf("%v deep", d)
		}
	})
}

// TestFixedDepth: a depth that may not change stays through jitter and silence.
func TestFixedDepth(t *testing.T) {
	j := NewJitterBuffer(JitterConfig{})
	var frame [160]byte
	payload := make([]byte, 160)
	p := Packet{Payload: payload, Source: 1}
	write := func() {
		for i := range payload {
			payload[i] = g711.MuLaw.Silence()
		}
		payload[0] = byte(p.Seq)
		j.Write(&p)
		p.Seq++
		p.Timestamp += 160
	}
	write()
	j.Read(frame[:])
	j.Fix(true)
	slips := j.Stats().Slips
	for range 1000 { // jitter of 40 ms, all in silence
		write()
		write()
		j.Read(frame[:])
		j.Read(frame[:])
	}
	if s := j.Stats(); s.Slips != slips || s.Underruns+s.Overruns+s.Late != 0 {
		t.Errorf("%+v", s)
	}
	if s := j.Stats(); s.Depth < 40*time.Millisecond {
		t.Errorf("depth %v", s.Depth)
	}
}
