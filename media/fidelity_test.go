package media

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/media/g711"
	"crosspoint/media/measure"
)

// A 1 kHz tone keeps its level within 0.1 dB through everything that touches
// samples, and stays more than 37 dB above what companding adds to it. (ITU-T
// G.712 asks for 33 dB from -30 to 0 dBm0 of a whole encoder and decoder.)
func TestToneKeepsItsLevelAndClarity(t *testing.T) {
	const seconds, clear, slack = 2, 37, 0.1
	const hz = 1004 // of ITU-T O.132: 1000 Hz hits the same few codes again and again
	for _, peak := range []float64{20000, 8000, 2000} {
		pcm := sine(hz, peak, 0, seconds*g711.SampleRate)
		want := measure.Sine(pcm).Level
		for name, path := range fidelityPaths() {
			t.Run(name, func(t *testing.T) {
				got := measure.Sine(path(t, pcm))
				t.Logf("%.2f dBm0: %.3f dB off, %.1f dB clear", want, got.Level-want, got.SINAD)
				if off := got.Level - want; math.Abs(off) > slack {
					t.Errorf("the level changed by %.3f dB at %.1f dBm0", off, want)
				}
				if got.SINAD <= clear {
					t.Errorf("only %.1f dB above noise and distortion at %.1f dBm0", got.SINAD, want)
				}
			})
		}
	}
}

// fidelityPaths are the ways of a party's audio to another, each with one
// companding step: what is said is encoded once.
func fidelityPaths() map[string]func(t *testing.T, pcm []int16) []int16 {
	paths := map[string]func(t *testing.T, pcm []int16) []int16{}
	for _, law := range []g711.Law{g711.MuLaw, g711.ALaw} {
		paths["relay "+law.String()] = func(t *testing.T, pcm []int16) []int16 { return talk(t, 2, law, pcm) }
		paths["mix of three "+law.String()] = func(t *testing.T, pcm []int16) []int16 { return talk(t, 3, law, pcm) }
		paths["player "+law.String()] = func(t *testing.T, pcm []int16) (heard []int16) {
			synctest.Test(t, func(t *testing.T) {
				p := &phone{law: law}
				pl := new(Pacer).Play(&Samples{PCM: pcm}, p, law, nil)
				time.Sleep(3 * time.Second)
				pl.Stop()
				heard = settled(p.takePCM())
			})
			return heard
		}
	}
	return paths
}

// talk has the first of n parties say pcm and returns what the last hears.
func talk(t *testing.T, n int, law g711.Law, pcm []int16) (heard []int16) {
	synctest.Test(t, func(t *testing.T) {
		bridge := NewBridge(nil)
		defer bridge.Close()
		phones := make([]*phone, n)
		for i := range phones {
			phones[i] = &phone{law: law}
			bridge.Join(phones[i])
		}
		codes := make([]byte, len(pcm))
		law.Encode(codes, pcm)
		for at := 0; at+g711.FrameSize <= len(codes); at += g711.FrameSize {
			phones[0].say(codes[at : at+g711.FrameSize])
			time.Sleep(FrameTime)
		}
		synctest.Wait()
		heard = settled(phones[n-1].takePCM())
	})
	return heard
}

// settled leaves the first half second out, in which jitter buffers fill, and
// what follows a second after it.
func settled(pcm []int16) []int16 {
	const from, to = g711.SampleRate / 2, g711.SampleRate * 3 / 2
	if len(pcm) < to {
		return nil
	}
	return pcm[from:to]
}
