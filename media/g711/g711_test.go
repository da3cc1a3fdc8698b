package g711

import (
	"math"
	"testing"
)

// Codes and values of ITU-T G.711, tables 1a and 2a, in 16-bit scale.
func TestKnownCodes(t *testing.T) {
	for _, c := range []struct {
		law    Law
		code   byte
		linear int16
	}{
		{MuLaw, 0xff, 0}, {MuLaw, 0x80, 32124}, {MuLaw, 0x00, -32124}, {MuLaw, 0x10, -15996}, {MuLaw, 0xfe, 8},
		{ALaw, 0xd5, 8}, {ALaw, 0x55, -8}, {ALaw, 0xaa, 32256}, {ALaw, 0x2a, -32256}, {ALaw, 0x10, -2752},
	} {
		if got := c.law.DecodeSample(c.code); got != c.linear {
			t.Errorf("%s code %#02x is %d, want %d", c.law, c.code, got, c.linear)
		}
		if got := c.law.EncodeSample(c.linear); got != c.code {
			t.Errorf("%s of %d is %#02x, want %#02x", c.law, c.linear, got, c.code)
		}
	}
	for _, law := range []Law{MuLaw, ALaw} {
		if s := law.DecodeSample(law.Silence()); s < -8 || s > 8 {
			t.Errorf("%s silence is %d", law, s)
		}
	}
	if MuLaw.String() != "PCMU" || ALaw.String() != "PCMA" {
		t.Error("names are not those of RFC 3551")
	}
}

// What was companded once comes through any number of times unchanged, so a
// relay by way of linear samples is bit-exact. µ-law has two zeros.
func TestRoundTrip(t *testing.T) {
	for _, law := range []Law{MuLaw, ALaw} {
		for code := range 256 {
			b := byte(code)
			if law == MuLaw && b == 0x7f {
				continue // negative zero
			}
			if got := law.EncodeSample(law.DecodeSample(b)); got != b {
				t.Errorf("%s: %#02x comes back as %#02x", law, b, got)
			}
		}
	}
}

// Blocks are converted as samples are, up to the shorter slice, in place too.
func TestBlocks(t *testing.T) {
	codes := make([]byte, 256)
	for i := range codes {
		codes[i] = byte(i)
	}
	for _, law := range []Law{MuLaw, ALaw} {
		pcm := make([]int16, 300)
		if n := law.Decode(pcm, codes); n != 256 {
			t.Errorf("%d samples were decoded", n)
		}
		for i, b := range codes {
			if pcm[i] != law.DecodeSample(b) {
				t.Fatalf("%s: sample %d is %d", law, i, pcm[i])
			}
		}
		back := make([]byte, 100)
		if n := law.Encode(back, pcm); n != 100 {
			t.Errorf("%d samples were encoded", n)
		}
		other := append([]byte(nil), codes...)
		if n := law.Convert(other, other); n != 256 {
			t.Errorf("%d codes were converted", n)
		}
		for i := range codes { // the other law's nearest step
			a, b := float64(law.DecodeSample(codes[i])), float64((1 - law).DecodeSample(other[i]))
			if math.Abs(a-b) > 16+math.Abs(a)/20 {
				t.Errorf("%s %#02x (%v) becomes %#02x (%v)", law, codes[i], a, other[i], b)
			}
		}
	}
}

// A 1 kHz tone at 0 dBm0 keeps more than 37 dB to the distortion of one
// companding step (ITU-T G.712).
func TestDistortionOfOneStep(t *testing.T) {
	for _, law := range []Law{MuLaw, ALaw} {
		var signal, noise float64
		for i := range 8000 {
			s := 22000 * math.Sin(2*math.Pi*1004*float64(i)/8000)
			d := float64(law.DecodeSample(law.EncodeSample(int16(s)))) - s
			signal += s * s
			noise += d * d
		}
		if db := 10 * math.Log10(signal/noise); db < 37 {
			t.Errorf("%s: %.1f dB", law, db)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	pcm, codes := make([]int16, FrameSize), make([]byte, FrameSize)
	b.ReportAllocs()
	for b.Loop() {
		MuLaw.Decode(pcm, codes)
	}
}

func BenchmarkConvert(b *testing.B) {
	codes := make([]byte, FrameSize)
	b.ReportAllocs()
	for b.Loop() {
		MuLaw.Convert(codes, codes)
	}
}
