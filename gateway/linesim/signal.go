package linesim

import (
	"math"
	"time"

	"crosspoint/media/tone"
)

// Signal is a sound of the given length by which a talk path is measured:
// noise in the telephone band that swells and fades like syllables. It is the
// same at each call, aligns with itself at one place only, and resembles no
// tone that an exchange listens for. Its level is about -15 dBm0.
func Signal(d time.Duration) []int16 {
	pcm := make([]int16, d/(time.Second/8000))
	seed := uint32(0x2545f491)
	var low, high, last float64
	for i := range pcm {
		seed ^= seed << 13 // xorshift, period 2^32-1
		seed ^= seed >> 17
		seed ^= seed << 5
		white := float64(int32(seed)) / (1 << 31)
		low += 0.7 * (white - low)        // rolls off above 1.5 kHz
		high = 0.85 * (high + low - last) // and below 200 Hz
		last = low
		syllable := 0.55 + 0.45*math.Sin(2*math.Pi*3.1*float64(i)/8000)
		pcm[i] = int16(9000 * syllable * high)
	}
	return pcm
}

// Announcement is a melody of chords that stands for a recorded voice: words
// of 300 ms with short pauses, on pitches that are no network's tones.
func Announcement(d time.Duration) []int16 {
	pitches := [...][]float64{{523, 659, 784}, {587, 740, 880}, {494, 622, 740}, {523, 698, 880}}
	var parts []tone.Part
	for _, p := range pitches {
		parts = append(parts, tone.Part{Hz: p, Level: -18, For: 300 * time.Millisecond}, tone.Part{For: 80 * time.Millisecond})
	}
	pcm := make([]int16, d/(time.Second/8000))
	tone.NewGenerator(tone.Tone{Parts: parts}).Read(pcm)
	return pcm
}

// FaxAnswer is what a fax machine that was called says first: its answer tone,
// CED, of 2100 Hz for 3 s, 2 s after the answer (ITU-T T.30: 2.6 to 4.0 s of it,
// after 1.8 to 2.5 s). It has no more to say.
func FaxAnswer() []int16 {
	pcm := make([]int16, 5*8000)
	tone.NewGenerator(tone.Tone{Loop: -1, Parts: []tone.Part{{For: 2 * time.Second}, {Hz: []float64{2100}, Level: -12, For: 3 * time.Second}}}).Read(pcm)
	return pcm
}

// FaxCalling is what a fax machine that calls says until it is answered: CNG,
// 1100 Hz for 0.5 s, again and again after 3 s (ITU-T T.30).
func FaxCalling(d time.Duration) []int16 {
	pcm := make([]int16, d/(time.Second/8000))
	tone.NewGenerator(tone.Tone{Parts: []tone.Part{{Hz: []float64{1100}, Level: -12, For: 500 * time.Millisecond}, {For: 3 * time.Second}}}).Read(pcm)
	return pcm
}

// DefaultSubscribers is the town of a Config that names no subscribers.
func DefaultSubscribers() []Subscriber {
	return []Subscriber{
		{Number: "7773660", Name: "Bob", Answer: time.Second, Plays: Signal(20 * time.Second)},
		{Number: "5550100", Name: "Announcement", Answer: 2 * time.Second, Plays: Announcement(10 * time.Second), HangUp: 10 * time.Second},
		{Number: "5550101", Name: "Busy", Busy: true},
		{Number: "5550102", Name: "Nobody", NoAnswer: true},
		{Number: "5550103", Name: "Echo", Answer: time.Second, Echo: true},
		{Number: "5550104", Name: "Congested", Congested: true},
		{Number: "5550106", Name: "Fax", Answer: time.Second, Plays: FaxAnswer()},
		{Number: "5550199", Name: "Call Back", Answer: time.Second, Plays: Announcement(5 * time.Second), CallBack: 5 * time.Second},
		{Number: "911", Name: "Emergency", Answer: time.Second, Plays: Announcement(20 * time.Second)},
	}
}
