package callerid

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"crosspoint/internal/dsp"
	"crosspoint/internal/sounds"
	"crosspoint/media/dtmf"
	"crosspoint/media/fsk"
	"crosspoint/media/g711"
	"crosspoint/media/tone"
)

var joe = CallerID{Number: "5551234", Name: "Joe Example", Time: Time{12, 24, 18, 5}}

// sent is the whole signal between silences.
func sent(s *Sender) []int16 {
	pcm := make([]int16, 1000, 20000)
	var block [160]int16
	for s.Busy() {
		n := s.Read(block[:])
		pcm = append(pcm, block[:n]...)
	}
	return append(pcm, make([]int16, 1000)...)
}

// received shows pcm to a Receiver in frames of 20 ms.
func received(pcm []int16) (CallerID, error) {
	r := NewReceiver()
	for len(pcm) > 0 {
		n := min(160, len(pcm))
		if id, ok := r.Receive(pcm[:n]); ok {
			return id, r.Err()
		}
		pcm = pcm[n:]
	}
	return CallerID{}, r.Err()
}

// TestEveryStandard sends through the µ-law, and the receiver finds out which standard it was.
func TestEveryStandard(t *testing.T) {
	for s := range standards {
		for _, id := range []CallerID{
			joe,
			{NumberAbsent: Private},
			{NumberAbsent: Unavailable},
		} {
			pcm := sent(NewSender(id, Config{Standard: s}))
			for i, v := range pcm {
				pcm[i] = g711.MuLaw.DecodeSample(g711.MuLaw.EncodeSample(v))
			}
			want := id
			if _, ok := s.modem(); !ok || s == NTT {
				want = CallerID{Number: id.Number, NumberAbsent: id.NumberAbsent}
			}
			if got, err := received(pcm); err != nil || got != want {
				t.Errorf("%v: received %+v, %v, not %+v", s, got, err, want)
			}
		}
	}
}

// TestLine sends at the levels and with the noise of bad lines.
func TestLine(t *testing.T) {
	for _, s := range []Standard{Bellcore, ETSI, BT} {
		for _, c := range []struct{ level, snr float64 }{{-3, 40}, {-13.5, 20}, {-30, 20}, {-40, 25}, {-13.5, 12}, {-13.5, 8}} {
			pcm := sent(NewSender(joe, Config{Standard: s, Level: c.level}))
			r := rand.New(rand.NewPCG(1, 2))
			rms := math.Sqrt(dsp.MeanSquare(c.level - c.snr))
			for i := range pcm {
				pcm[i] = dsp.Clip(float64(pcm[i]) + rms*r.NormFloat64())
			}
			if got, err := received(pcm); err != nil || got != joe {
				t.Errorf("%v at %v dBm0, %v dB S/N: %+v, %v", s, c.level, c.snr, got, err)
			}
		}
	}
}

// TestErrors breaks the signal in the ways that lines do, and asks what the operator reads.
func TestErrors(t *testing.T) {
	message := Build(joe, MDMF)
	damaged := bytes.Clone(message)
	damaged[10] ^= 4
	empty := finish([]byte{typeMDMF, 0})
	long := finish([]byte{typeMDMF, 0, paramNumber, 9, '1'})
	whole := sent(NewSender(joe, Config{}))
	dial := func(digits string) []int16 {
		g := dtmf.NewGenerator(dtmf.Timing{})
		if err := g.Dial(digits); err != nil {
			t.Fatal(err)
		}
		pcm := make([]int16, 16000)
		g.Read(pcm)
		return pcm
	}
	for _, c := range []struct {
		name string
		pcm  []int16
		want error
		says string
	}{
		{"silence", make([]int16, 16000), ErrNothing, "no caller ID signal was heard"},
		{"damaged", sent(NewMessageSender(damaged, Config{})), ErrChecksum, "checksum 0x"},
		{"cut short", whole[:len(whole)-2600], ErrTruncated, "ends after"},
		{"nothing in it", sent(NewMessageSender(empty, Config{})), ErrFormat, "neither number nor name"},
		{"parameter too long", sent(NewMessageSender(long, Config{})), ErrFormat, "longer than its message"},
		{"digits without end", dial("A5551234"), ErrTruncated, `"A5551234" have no C or #`},
	} {
		_, err := received(c.pcm)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error is %v", c.name, err)
		}
	}
}

// TestAfterNoise finds a message although its beginning was mistaken, and a second one after a damaged one.
func TestAfterNoise(t *testing.T) {
	damaged := Build(joe, MDMF)
	damaged[5]++
	m := fsk.NewModulator(fsk.Bell202, -13.5)
	m.Mark(60)
	m.Send(0x80, 0x30, 1, 2, 3) // a message that ends at once
	m.Mark(30)
	m.Send(damaged...)
	m.Mark(30)
	m.Send(Build(joe, MDMF)...)
	m.Mark(3)
	pcm := make([]int16, 16000)
	m.Read(pcm)
	if got, err := received(pcm); err != nil || got != joe {
		t.Errorf("received %+v, %v", got, err)
	}
}

// TestNoFalseCaller listens to what is no caller ID.
func TestNoFalseCaller(t *testing.T) {
	for i := range uint64(2) {
		for name, s := range map[string]interface{ Read([]int16) int }{
			"speech": sounds.NewSpeech(i, -15), "music": sounds.NewMusic(i, -15)} {
			pcm := make([]int16, 20*8000)
			s.Read(pcm)
			if got, err := received(pcm); err == nil {
				t.Errorf("%s %d: received %+v", name, i, got)
			}
		}
	}
}

func TestReset(t *testing.T) {
	r := NewReceiver()
	pcm := sent(NewSender(joe, Config{}))
	for i, want := range []bool{true, false} { // it tells once
		if _, ok := r.Receive(pcm); ok != want {
			t.Errorf("message %d: %v", i, ok)
		}
	}
	r.Reset()
	if err := r.Err(); !errors.Is(err, ErrNothing) {
		t.Errorf("after Reset: %v", err)
	}
	if got, ok := r.Receive(pcm); !ok || got != joe {
		t.Errorf("after Reset: %+v", got)
	}
}

// TestSilentAllocations holds what runs while a line rings to no allocation.
func TestSilentAllocations(t *testing.T) {
	r, s := NewReceiver(), NewSender(CallerID{Number: "1"}, Config{Standard: BT})
	speech := sounds.NewSpeech(1, -15)
	var block [160]int16
	if n := testing.AllocsPerRun(200, func() {
		speech.Read(block[:])
		r.Receive(block[:])
		s.Read(block[:])
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// TestTimes compares what a signal lasts with the standards.
func TestTimes(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		bits int // of seizure and marks
		ms   int // of alert and gap
	}{
		{Config{}, 480, 0},
		{Config{Standard: ETSI}, 480, 0},
		{Config{Standard: ETSIAlert}, 380, 160},
		{Config{Standard: BT}, 240, 160},
		{Config{OffHook: true}, 80, 0},
	} {
		n := len(sent(NewSender(joe, c.cfg))) - 2000
		want := c.ms*8 + (c.bits+10*len(Build(joe, MDMF))+2)*8000/1200
		if n < want-1 || n > want+1 {
			t.Errorf("%+v lasts %d samples, not %d", c.cfg, n, want)
		}
	}
	if n := len(sent(&Sender{alert: *newAlert(), modem: fsk.NewModulator(fsk.V23, 0)})) - 2000; n != 640 {
		t.Errorf("the call-waiting alert lasts %d samples", n)
	}
}

func TestNear(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 3, 0, 0, time.UTC)
	for _, c := range []struct {
		t    Time
		want time.Time
	}{
		{Time{12, 31, 23, 59}, time.Date(2025, 12, 31, 23, 59, 0, 0, time.UTC)},
		{Time{1, 1, 0, 1}, time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC)},
		{Time{2, 29, 12, 0}, time.Time{}},
		{Time{}, time.Time{}},
	} {
		if got := c.t.Near(now); !got.Equal(c.want) {
			t.Errorf("%+v is %v, not %v", c.t, got, c.want)
		}
	}
	if TimeOf(now) != (Time{1, 1, 0, 3}) {
		t.Error("TimeOf")
	}
}

func TestNames(t *testing.T) {
	for s := range standards {
		if got, err := Lookup(s.String()); err != nil || got != s {
			t.Errorf("%v is looked up as %v, %v", s, got, err)
		}
	}
	if _, err := Lookup("morse"); err == nil || !strings.Contains(err.Error(), "bellcore, etsi") {
		t.Errorf("error is %v", err)
	}
	for country, want := range map[string]Standard{"us": Bellcore, "gb": BT, "uk": BT, "de": ETSI, "nl": DTMFD, "dk": DTMFA, "jp": NTT, "": Bellcore} {
		if got := Of(country); got != want {
			t.Errorf("%q has %v", country, got)
		}
	}
}

func newAlert() *tone.Generator { return tone.NewGenerator(CallWaiting()) }
