package rtp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	pion "github.com/pion/rtp"

	"crosspoint/media"
	"crosspoint/media/dtmf"
	"crosspoint/media/g711"
)

// event sends one update of a telephone-event; the sequence number moves on,
// the timestamp is the event's.
func (f *far) event(code byte, duration int, marker, end bool) {
	e := media.TelephoneEvent{Code: code, End: end, Volume: 10, Duration: uint16(duration)}
	f.send(pion.Header{Version: 2, PayloadType: 101, Marker: marker, SSRC: f.ssrc, SequenceNumber: f.seq, Timestamp: f.ts}, e.Put(make([]byte, 4)))
	f.seq++
}

// digitBench is a bench whose session notes digits as "5/100ms".
func digitBench(t *testing.T, test func(b *bench, f *far, told func() string)) {
	var told notes
	c := Config{
		Format:  Format{EventPT: 101},
		OnDigit: func(digit byte, d time.Duration) { told.add("%c/%v", digit, d) },
	}
	onBench(t, c, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		test(b, f, told.String)
	})
}

func TestThreeEndsAreOneDigit(t *testing.T) {
	digitBench(t, func(b *bench, f *far, told func() string) {
		for i := range 5 {
			f.event(5, 160*(i+1), i == 0, false)
			time.Sleep(20 * time.Millisecond)
		}
		if got := told(); got != "" {
			t.Errorf("told %q before the end", got)
		}
		for range 3 {
			f.event(5, 960, false, true)
		}
		f.ts += 2000
		for range 3 { // only ends: the rest was lost
			f.event(11, 800, false, true)
		}
		time.Sleep(time.Second)
		if got := told(); got != "5/120ms #/100ms" {
			t.Errorf("told %q", got)
		}
		if n := len(b.heard.take()); n != 11 {
			t.Errorf("%d packets passed on", n)
		}
	})
}

func TestSameDigitTwiceIsTwo(t *testing.T) {
	digitBench(t, func(b *bench, f *far, told func() string) {
		for range 2 {
			f.event(7, 400, true, false)
			f.event(7, 800, false, true)
			f.event(7, 800, false, true)
			f.ts += 1600
		}
		if got := told(); got != "7/100ms 7/100ms" {
			t.Errorf("told %q", got)
		}
	})
}

func TestDigitWhoseEndsAreLostTimesOut(t *testing.T) {
	digitBench(t, func(b *bench, f *far, told func() string) {
		f.event(9, 160, true, false)
		time.Sleep(20 * time.Millisecond)
		f.event(9, 320, false, false)
		time.Sleep(199 * time.Millisecond)
		if got := told(); got != "" {
			t.Errorf("told %q already", got)
		}
		time.Sleep(2 * time.Millisecond)
		if got := told(); got != "9/40ms" {
			t.Errorf("told %q", got)
		}
		f.event(9, 480, false, true) // the end comes after all
		if got := told(); got != "9/40ms" {
			t.Errorf("told %q", got)
		}
	})
}

func TestNextDigitEndsTheOneBefore(t *testing.T) {
	digitBench(t, func(b *bench, f *far, told func() string) {
		f.event(1, 800, true, false)
		f.ts += 1600
		f.event(2, 160, true, false)
		f.event(2, 800, false, true)
		if got := told(); got != "1/100ms 2/100ms" {
			t.Errorf("told %q", got)
		}
	})
}

func TestLongDigitOfSeveralSegmentsIsOne(t *testing.T) { // RFC 4733 §2.5.1.3
	digitBench(t, func(b *bench, f *far, told func() string) {
		f.event(0, 0xffff-100, true, false)
		f.event(0, 0xffff, false, false)
		f.ts += 0xffff
		f.event(0, 4465, false, false)
		f.event(0, 14465, false, true)
		if got := told(); got != "0/10s" {
			t.Errorf("told %q", got)
		}
	})
}

func TestReorderedEventPacketsMakeNoDigit(t *testing.T) {
	digitBench(t, func(b *bench, f *far, told func() string) {
		f.event(3, 160, true, false)
		late, ts := f.seq, f.ts
		f.seq++
		f.event(3, 800, false, true)
		f.ts += 1600
		f.event(4, 160, true, false)
		next, now := f.seq, f.ts
		f.seq, f.ts = late, ts
		f.event(3, 480, false, false)
		f.seq, f.ts = next, now
		f.event(4, 800, false, true)
		if got := told(); got != "3/100ms 4/100ms" {
			t.Errorf("told %q", got)
		}
	})
}

func TestEventsThatAreNoDigitsAreNotTold(t *testing.T) {
	digitBench(t, func(b *bench, f *far, told func() string) {
		f.event(16, 800, true, true) // hook-flash
		f.ts += 1600
		f.send(pion.Header{Version: 2, PayloadType: 101, SSRC: f.ssrc, SequenceNumber: f.seq, Timestamp: f.ts}, []byte{1, 0x80})
		if got := told(); got != "" {
			t.Errorf("told %q", got)
		}
	})
}

// eventOf is the telephone-event in a packet.
func eventOf(t *testing.T, p pion.Packet) media.TelephoneEvent {
	t.Helper()
	e, ok := media.ParseTelephoneEvent(p.Payload)
	if p.PayloadType != 101 || !ok {
		t.Fatalf("no event: %v", p)
	}
	return e
}

func TestSentDigitIsAProperEvent(t *testing.T) {
	onBench(t, Config{Format: Format{EventPT: 101}}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		m := b.mouth(1)
		m.say(5)
		before := f.take()
		if err := b.SendDigit('#', 100*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		m.say(20) // 400 ms
		got := f.take()
		unbroken(t, append(before, got...))
		var events, audio []pion.Packet
		for _, p := range got {
			if p.PayloadType == 101 {
				events = append(events, p)
			} else {
				audio = append(audio, p)
			}
		}
		var durations []string
		for i, p := range events {
			e := eventOf(t, p)
			durations = append(durations, fmt.Sprint(e.Duration, e.End))
			if e.Code != 11 || p.Timestamp != events[0].Timestamp || p.Marker != (i == 0) {
				t.Errorf("update %d: %+v %v", i, e, p.Header)
			}
		}
		want := "160 false,320 false,480 false,640 false,800 true,800 true,800 true"
		if s := strings.Join(durations, ","); s != want {
			t.Errorf("sent %s\nwant %s", s, want)
		}
		// 100 ms of digit and 40 ms of ends take the place of 6 to 8 packets.
		if n := len(audio); n < 12 || n > 14 {
			t.Errorf("%d packets of audio beside the digit", n)
		}
		after := audio[len(audio)-1]
		if span := after.Timestamp - before[4].Timestamp; span != 20*160 {
			t.Errorf("400 ms with a digit in them are %d samples", span)
		}
	})
}

func TestDigitsAreSentOneAfterTheOther(t *testing.T) {
	onBench(t, Config{Format: Format{EventPT: 101}}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		begun := time.Now()
		for _, d := range []byte("199") {
			b.SendDigit(d, 0)
		}
		time.Sleep(time.Second)
		var dialled []byte
		var starts []uint32
		for _, p := range f.take() {
			if p.Marker {
				d, _ := eventOf(t, p).Digit()
				dialled = append(dialled, d)
				starts = append(starts, p.Timestamp)
			}
		}
		if string(dialled) != "199" {
			t.Fatalf("dialled %q in %v", dialled, time.Since(begun))
		}
		for i := 1; i < 3; i++ {
			if gap := starts[i] - starts[i-1] - 800; gap != 480 {
				t.Errorf("%d samples of pause", gap)
			}
		}
		if err := b.SendDigit('x', 0); err == nil {
			t.Error("x was taken for a digit")
		}
	})
}

func TestLongDigitIsSentInSegments(t *testing.T) { // RFC 4733 §2.5.1.3
	onBench(t, Config{Format: Format{EventPT: 101}}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		b.SendDigit('1', 20*time.Second)
		time.Sleep(21 * time.Second)
		var total, markers int
		starts := map[uint32]int{}
		last := uint32(0)
		for _, p := range f.take() {
			e := eventOf(t, p)
			if p.Marker {
				markers++
			}
			starts[p.Timestamp] = max(starts[p.Timestamp], int(e.Duration))
			last = p.Timestamp
			if len(starts) < 3 && e.End {
				t.Error("the event ends too early")
			}
		}
		for start, d := range starts {
			total += d
			if _, next := starts[start+uint32(d)]; !next && start != last {
				t.Errorf("the segment of %d samples is not followed by another", d)
			}
		}
		if total != 160000 || markers != 1 || len(starts) != 3 {
			t.Errorf("%d samples in %d segments, %d markers", total, len(starts), markers)
		}
	})
}

func TestDigitIsHeardAsToneWhereNoEventsWereAgreed(t *testing.T) {
	onBench(t, Config{Format: Format{Law: g711.ALaw}}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		b.mouth(1).say(3)
		b.SendDigit('8', 0)
		b.SendDigit('8', 0)
		time.Sleep(time.Second)
		got := f.take()
		unbroken(t, got)
		if heard := hear(got); heard != "88" {
			t.Errorf("heard %q", heard)
		}
	})
}

func TestRelayedEventIsHeardAsToneWhereNoEventsWereAgreed(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		m := b.mouth(1)
		m.say(3)
		start := m.p.Timestamp
		for i := range 7 {
			e := media.TelephoneEvent{Code: 4, Duration: uint16(160 * min(i+1, 5)), End: i >= 4}
			b.Write(&media.Packet{Kind: media.Event, Marker: i == 0, Source: 1, Seq: m.p.Seq, Timestamp: start, Payload: e.Put(make([]byte, 4))})
			m.p.Seq++
			m.p.Timestamp += 160
			time.Sleep(20 * time.Millisecond)
		}
		m.say(10)
		got := f.take()
		unbroken(t, got)
		if heard := hear(got); heard != "4" {
			t.Errorf("heard %q", heard)
		}
	})
}

func TestRelayedEventKeepsItsForm(t *testing.T) {
	onBench(t, Config{Format: Format{EventPT: 96}}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		m := b.mouth(1)
		m.say(3)
		payload := media.TelephoneEvent{Code: 4, Duration: 480, Volume: 7}.Put(make([]byte, 4))
		for i := range 3 {
			b.Write(&media.Packet{Kind: media.Event, Marker: i == 0, Source: 1, Seq: m.p.Seq, Timestamp: m.p.Timestamp, Payload: payload})
			m.p.Seq++
		}
		m.p.Timestamp += 800
		m.say(1)
		got := f.take()
		unbroken(t, got)
		for i, p := range got[3:6] {
			if p.PayloadType != 96 || p.Timestamp != got[2].Timestamp+160 || p.Marker != (i == 0) || string(p.Payload) != string(payload) {
				t.Errorf("%v", p)
			}
		}
		if p := got[6]; p.Timestamp != got[2].Timestamp+960 || p.Marker {
			t.Errorf("the voice after the event: %v", p)
		}
	})
}

// hear detects digits in audio, put in place by its timestamps.
func hear(packets []pion.Packet) string {
	var pcm [2 * g711.SampleRate]int16
	for _, p := range packets {
		law := g711.MuLaw
		if p.PayloadType == 8 {
			law = g711.ALaw
		}
		for i, c := range p.Payload {
			if at := int(p.Timestamp-packets[0].Timestamp) + i; at >= 0 && at < len(pcm) {
				pcm[at] = law.DecodeSample(c)
			}
		}
	}
	var s []byte
	for _, e := range dtmf.NewDetector(dtmf.Limits{}).Detect(pcm[:]) {
		if e.Down {
			s = append(s, e.Digit)
		}
	}
	return string(s)
}
