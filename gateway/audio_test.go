package gateway

import (
	"log/slog"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"crosspoint/gateway/jack"
	"crosspoint/internal/inbox"
	"crosspoint/media"
	"crosspoint/media/g711"
	"crosspoint/media/tone"
)

// talkingAudio is the audio of a line in the midst of a call, without its owner.
func talkingAudio(tb testing.TB) (*audio, *stream) {
	c, err := countryOf("us")
	if err != nil {
		tb.Fatal(err)
	}
	l := &line{country: c, cfg: LineConfig{ReceiveGain: 3, SendGain: -3}, inbox: inbox.New[event](), log: slog.New(slog.DiscardHandler)}
	l.audio = newAudio(l)
	s := newStream()
	s.open()
	l.audio.play(program{stream: s, hear: true, say: true, tones: true, keys: true})
	return l.audio, s
}

type nowhere struct{}

func (nowhere) Write(*media.Packet) {}

// tickWith makes a function that does one tick of a call in which both ends talk.
func tickWith(a *audio, s *stream) func() {
	var pcm [jack.FrameSize]int16
	var rx, tx, said [jack.FrameSize]byte
	voice := &talk{n: 800}
	voice.Read(pcm[:])
	g711.MuLaw.Encode(rx[:], pcm[:])
	copy(said[:], rx[:])
	p := media.Packet{Law: g711.MuLaw, Source: 1, Payload: said[:]}
	s.Feed(nowhere{})
	var clock uint64
	return func() {
		s.Write(&p)
		p.Seq++
		p.Timestamp += jack.FrameSize
		a.tick(rx[:], tx[:], clock)
		clock += jack.FrameSize
	}
}

func TestTickDoesNotAllocate(t *testing.T) {
	a, s := talkingAudio(t)
	tick := tickWith(a, s)
	for range 100 {
		tick()
	}
	if n := testing.AllocsPerRun(500, tick); n != 0 {
		t.Errorf("%v allocations a tick while talking", n)
	}
	a.play(program{sound: &sound{Source: tone.NewGenerator(us.Ringback)}, keys: true})
	tick()
	if n := testing.AllocsPerRun(500, tick); n != 0 {
		t.Errorf("%v allocations a tick while a tone is played", n)
	}
	a.play(program{callerID: newReceiver()})
	tick()
	if n := testing.AllocsPerRun(500, tick); n != 0 {
		t.Errorf("%v allocations a tick while caller ID is waited for", n)
	}
	a.play(program{})
	if n := testing.AllocsPerRun(500, tick); n != 0 {
		t.Errorf("%v allocations a tick at rest", n)
	}
}

func BenchmarkTick(b *testing.B) {
	a, s := talkingAudio(b)
	tick := tickWith(a, s)
	b.ReportAllocs()
	before := processorTime()
	for b.Loop() {
		tick()
	}
	b.ReportMetric(float64(processorTime()-before)/float64(b.N), "cpu-ns/op")
}

// processorTime is what this process has used, in nanoseconds.
func processorTime() int64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func TestTickOfWrongSize(t *testing.T) {
	a, _ := talkingAudio(t)
	a.tick(make([]byte, 10), make([]byte, 160), 0)
	a.tick(make([]byte, 160), nil, 0)
	a.tick(nil, nil, 0)
}

// TestClock: the card's counter may jump anywhere without harm.
func TestClock(t *testing.T) {
	a, s := talkingAudio(t)
	h := &hears{}
	s.Feed(h)
	rx, tx := make([]byte, 160), make([]byte, 160)
	for _, clock := range []uint64{0, 160, 640, 480, 640, 1 << 40, 1<<40 + 160, 5, 165} {
		a.tick(rx, tx, clock)
	}
	var lost []uint16
	all := h.all()
	for i := 1; i < len(all); i++ {
		lost = append(lost, all[i].Seq-all[i-1].Seq-1)
	}
	want := []uint16{0, 2, 0, 0, 0, 0, 0, 0}
	for i := range want {
		if lost[i] != want[i] {
			t.Errorf("lost %v, expected %v", lost, want)
			break
		}
	}
	if n := a.lost.Load(); n != 2 {
		t.Errorf("%d ticks lost", n)
	}
}

func TestGainTable(t *testing.T) {
	if newGain(0) != nil {
		t.Error("a table for no gain")
	}
	g := newGain(6.0206)
	for _, s := range []int16{0, 100, -100, 1000, -8000, 30000, -30000} {
		got := int(g711.MuLaw.DecodeSample(g[g711.MuLaw.EncodeSample(s)]))
		want := max(-32124, min(32124, 2*int(s)))
		if d := got - want; d > abs(want)/20+8 || -d > abs(want)/20+8 {
			t.Errorf("%d made louder by 6 dB is %d", s, got)
		}
	}
}

func abs(n int) int { return max(n, -n) }

func TestConfigMistakes(t *testing.T) {
	port := func(k jack.Kind) *fakeJack { return newFakeJack(t, "x", k) }
	for want, c := range map[string]Config{
		"a line has no name":                     {Lines: []LineConfig{{Port: port(jack.FXO)}}},
		"line a has no port":                     {Lines: []LineConfig{{Name: "a"}}},
		"line a is configured twice":             {Lines: []LineConfig{{Name: "a", Port: port(jack.FXO)}, {Name: "a", Port: port(jack.FXO)}}},
		`say "fxo" for a line to an exchange`:    {Lines: []LineConfig{{Name: "a", Port: port(jack.Unknown)}}},
		"a gain is from -24 to 24 dB":            {Lines: []LineConfig{{Name: "a", Port: port(jack.FXO), SendGain: 30}}},
		`line a: `:                               {Lines: []LineConfig{{Name: "a", Port: port(jack.FXO), Country: "xx"}}},
		`caller ID standard "x" is not known`:    {Lines: []LineConfig{{Name: "a", Port: port(jack.FXO), CallerID: "x"}}},
		`trunk t: there is no line "b"`:          {Trunks: []TrunkConfig{{Name: "t", Lines: []string{"b"}}}},
		`trunk t: access: "9x" can't be dialled`: {Lines: []LineConfig{{Name: "a", Port: port(jack.FXO)}}, Trunks: []TrunkConfig{{Name: "t", Lines: []string{"a"}, Access: "9x"}}},
		"trunk t has no lines":                   {Trunks: []TrunkConfig{{Name: "t"}}},
		"a trunk is made of FXO lines":           {Lines: []LineConfig{{Name: "a", Port: port(jack.FXS)}}, Trunks: []TrunkConfig{{Name: "t", Lines: []string{"a"}}}},
		"trunk t is configured twice":            {Lines: []LineConfig{{Name: "a", Port: port(jack.FXO)}}, Trunks: []TrunkConfig{{Name: "t", Lines: []string{"a"}}, {Name: "t", Lines: []string{"a"}}}},
		"trunk t: unknown hunting order 9":       {Lines: []LineConfig{{Name: "a", Port: port(jack.FXO)}}, Trunks: []TrunkConfig{{Name: "t", Lines: []string{"a"}, Hunt: 9}}},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected %q", err, want)
		}
	}
	for s, want := range map[string]Hunt{"": Ascending, "ascending": Ascending, "descending": Descending, "round-robin": RoundRobin, "round-robin-down": RoundRobinDown} {
		if h, err := ParseHunt(s); err != nil || h != want {
			t.Errorf("%q is %v, %v", s, h, err)
		}
	}
	if _, err := ParseHunt("random"); err == nil {
		t.Error("no error for an unknown hunting order")
	}
}
