package gateway_test

import (
	"fmt"
	"testing"

	"crosspoint/gateway"
	"crosspoint/gateway/jack"
	"crosspoint/media"
	"crosspoint/media/g711"
	"crosspoint/media/measure"
)

// TestDriftForAnHour: for an hour a card whose crystal is 200 ppm off takes what
// the network sends, through the line's own stream and jitter buffer, and what
// it plays has no click. What TestDrift has besides, the serial line and the
// town, is spared, and so it need not be shorter.
func TestDriftForAnHour(t *testing.T) {
	cases := drifts()
	if underRace {
		cases = cases[:1]
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%+.0fppm,pauses=%v", c.ppm, c.pauses), func(t *testing.T) {
			said := syllables(c.pauses)
			codes := make([]byte, len(said))
			g711.MuLaw.Encode(codes, said)
			s := gateway.NewOpenStream()
			frame := make([]byte, jack.FrameSize)
			var pcm [2 + jack.FrameSize]int16 // with the two samples before
			clicks, loud := 0, 0
			p := media.Packet{Source: 1}
			const packets = 3600 * 50
			at, step := 0.0, 1/(1+c.ppm*1e-6) // of the card's tick, in packets
			for range packets {
				from := int(p.Timestamp) % len(codes)
				p.Payload = codes[from : from+jack.FrameSize]
				s.Write(&p)
				p.Seq++
				p.Timestamp += jack.FrameSize
				for ; at < 1; at += step {
					gateway.Hear(s, frame)
					copy(pcm[:2], pcm[jack.FrameSize:])
					g711.MuLaw.Decode(pcm[2:], frame)
					if measure.Bend(pcm[0], pcm[1], pcm[2:]) > toneAmplitude*35/100 {
						clicks++
					}
					loud += measure.Loud(pcm[2:], toneAmplitude/4)
				}
				at--
			}
			j := gateway.JitterOf(s)
			if clicks != 0 || loud < packets*10 {
				t.Errorf("%d clicks, %d loud samples: %+v", clicks, loud, j)
			}
			if c.pauses && (j.Underruns+j.Overruns > 1 || j.Slips < 36) { // 720 ms of drift
				t.Errorf("the buffer did not follow in the pauses: %+v", j)
			}
		})
	}
}
