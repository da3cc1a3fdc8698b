package linecard

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// frames decodes a stream cut into pieces of n octets.
func frames(d *Decoder, wire []byte, n int) (got []Frame) {
	for len(wire) > 0 {
		in := wire[:min(n, len(wire))]
		wire = wire[len(in):]
		for len(in) > 0 {
			var f Frame
			if f, in = d.Next(in); f.Content != nil {
				got = append(got, Frame{bytes.Clone(f.Content), f.Damaged})
			}
		}
	}
	return got
}

func TestFCS(t *testing.T) { // the check value of CRC-16/X-25, which RFC 1662's FCS-16 is
	if got := ^fcs(fcsInit, []byte("123456789")); got != 0x906e {
		t.Errorf("FCS of 123456789 is %04x, want 906e", got)
	}
}

func TestFramesComeBackWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		contents := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom([]byte{0x7e, 0x7d, 0x5e, 0x5d, 0, 1, 0xff}), headerSize, 60), 1, 8).Draw(t, "contents")
		var wire []byte
		shared := rapid.Bool().Draw(t, "shared flags")
		for _, c := range contents {
			if shared && len(wire) > 0 {
				wire = wire[:len(wire)-1]
			}
			wire = AppendFrame(wire, c)
		}
		var d Decoder
		got := frames(&d, wire, rapid.IntRange(1, 50).Draw(t, "piece"))
		if len(got) != len(contents) || d.Errors != (FrameErrors{}) {
			t.Fatalf("%d frames of %d, %+v", len(got), len(contents), d.Errors)
		}
		for i := range got {
			if got[i].Damaged || !bytes.Equal(got[i].Content, contents[i]) {
				t.Fatalf("frame %d is %x, want %x", i, got[i].Content, contents[i])
			}
		}
	})
}

func TestDecoderResynchronises(t *testing.T) {
	whole := AppendFrame(nil, []byte{0x02, 0, 0, 1, 9, 9})
	cases := []struct {
		name string
		junk []byte
		want FrameErrors
	}{
		{"joined in the middle of a frame", []byte{1, 2, 3, 4, 5, 6, 7, 8}, FrameErrors{BadFCS: 1}},
		{"too short", []byte{0x7e, 1, 2, 3, 4, 5}, FrameErrors{Resyncs: 1}},
		{"aborted", []byte{0x7e, 1, 2, 3, 4, 5, 6, 7, 0x7d}, FrameErrors{Resyncs: 1}},
		{"a terminal's greeting", []byte("login: "), FrameErrors{BadFCS: 1}},
		{"too long", bytes.Repeat([]byte{7}, MaxContent+10), FrameErrors{Resyncs: 1}},
	}
	for _, c := range cases {
		for _, piece := range []int{1, 3, 10000} {
			var d Decoder
			var good int
			for _, f := range frames(&d, append(bytes.Clone(c.junk), whole...), piece) {
				if !f.Damaged {
					good++
				}
			}
			if good != 1 || d.Errors != c.want {
				t.Errorf("%s: %d good frames, %+v, want 1 and %+v", c.name, good, d.Errors, c.want)
			}
		}
	}
}

func TestLongestFrame(t *testing.T) {
	content := bytes.Repeat([]byte{0x7e}, MaxContent)
	var d Decoder
	got := frames(&d, AppendFrame(nil, content), 4096)
	if len(got) != 1 || got[0].Damaged || !bytes.Equal(got[0].Content, content) {
		t.Errorf("%d frames, %+v", len(got), d.Errors)
	}
}

func TestSequenceArithmetic(t *testing.T) { // RFC 1982
	for _, c := range []struct {
		a, b uint16
		want bool
	}{{1, 0, true}, {0, 1, false}, {0, 0xffff, true}, {5, 5, false}, {0x7fff, 0, true}, {0x8001, 0, false}} {
		if SeqAfter(c.a, c.b) != c.want {
			t.Errorf("%d after %d: want %v", c.a, c.b, c.want)
		}
	}
}

// TestQuietLineNeedsNoEscapes: the reason for inverting samples on the wire.
func TestQuietLineNeedsNoEscapes(t *testing.T) {
	quiet := make([]byte, 160)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range quiet { // the lowest eight codes of both signs
		quiet[i] = 0xff - byte(rng.IntN(8)) ^ byte(rng.IntN(2))<<7
	}
	plain := AppendFrame(nil, append(BeginMedia(nil, 1, 0, 1), quiet...))
	inverted := AppendFrame(nil, PutSamples(BeginMedia(nil, 1, 0, 1), quiet))
	if len(inverted) > 160+mediaHeaderSize+4+2 {
		t.Errorf("a quiet tick takes %d octets", len(inverted))
	}
	if len(plain) < len(inverted)+15 {
		t.Errorf("and would take no more without inversion: %d", len(plain))
	}
	back := make([]byte, 160)
	m, err := ParseMedia(PutSamples(BeginMedia(nil, 1, 0, 1), quiet), 160)
	if err != nil {
		t.Fatal(err)
	}
	if GetSamples(back, m.Samples); !bytes.Equal(back, quiet) {
		t.Error("samples do not come back")
	}
}

func TestCodecDoesNotAllocate(t *testing.T) {
	var d Decoder
	tick := make([]byte, 160)
	content := make([]byte, 0, 1000)
	wire := make([]byte, 0, 2000)
	if n := testing.AllocsPerRun(100, func() {
		content = PutSamples(PutSamples(BeginMedia(content[:0], 7, 1600, 3), tick), tick)
		wire = AppendFrame(wire[:0], content)
		f, _ := d.Next(wire)
		if m, err := ParseMedia(f.Content, 160); err != nil || m.Clock != 1600 {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a tick", n)
	}
}

func FuzzDecoder(f *testing.F) {
	for _, v := range append(good(), bad()...) {
		f.Add(v.wire)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		var whole, pieces Decoder
		a, b := frames(&whole, wire, len(wire)+1), frames(&pieces, wire, 1)
		if len(a) != len(b) || whole.Errors != pieces.Errors {
			t.Fatalf("%d frames at once, %d octet by octet", len(a), len(b))
		}
		for i, f := range a {
			if !bytes.Equal(f.Content, b[i].Content) || len(f.Content) < headerSize || len(f.Content) > MaxContent {
				t.Fatalf("frame %d: %x, %x", i, f.Content, b[i].Content)
			}
		}
	})
}

func FuzzMessages(f *testing.F) {
	for _, v := range good() {
		f.Add(v.content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		_, p, err := ParseHeader(content)
		if err != nil {
			return
		}
		ParseHostHello(p)
		if m, err := ParseCardHello(p); err == nil && len(m.Ports) > MaxPorts {
			t.Fatal(len(m.Ports))
		}
		ParsePing(p)
		ParsePong(p)
		ParseEvent(p)
		if m, err := ParseSnapshot(p); err == nil && len(m.States) > MaxPorts {
			t.Fatal(len(m.States))
		}
		ParseReport(p)
		ParseSet(p)
		ParseTimed(p)
		ParseConfigure(p)
		ParseTiming(p)
		ParseNak(p)
		for _, tick := range []int{40, 80, 160} {
			if m, err := ParseMedia(content, tick); err == nil && len(m.Samples)%tick != 0 {
				t.Fatal(len(m.Samples))
			}
		}
	})
}
