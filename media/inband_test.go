package media

import (
	"testing"

	"crosspoint/media/dtmf"
	"crosspoint/media/g711"
)

// keys are the digits that a detector hears in what a phone was sent, put in
// place by their timestamps.
func keys(packets []Packet) string {
	if len(packets) == 0 {
		return ""
	}
	base := packets[0].Timestamp
	var pcm [4 * g711.SampleRate]int16
	for _, p := range packets {
		for i, c := range p.Payload {
			if at := int(p.Timestamp-base) + i; at >= 0 && at < len(pcm) {
				pcm[at] = p.Law.DecodeSample(c)
			}
		}
	}
	d := dtmf.NewDetector(dtmf.Limits{})
	var s []byte
	for _, e := range d.Detect(pcm[:]) {
		if e.Down {
			s = append(s, e.Digit)
		}
	}
	return string(s)
}

// pressed are the packets of a digit of n updates, with three ends.
func pressed(digit byte, seq uint16, ts uint32, updates int) (packets []Packet) {
	code, _ := EventCode(digit)
	for i := range updates + 2 {
		e := TelephoneEvent{Code: code, Volume: 10, End: i >= updates-1, Duration: uint16(160 * min(i+1, updates))}
		packets = append(packets, Packet{
			Kind: Event, Marker: i == 0, Seq: seq + uint16(i), Timestamp: ts, Source: 1,
			Payload: e.Put(make([]byte, 4)),
		})
	}
	return packets
}

func spoken(seq uint16, ts uint32, n int) (packets []Packet) {
	for i := range n {
		packets = append(packets, Packet{
			Seq: seq + uint16(i), Timestamp: ts + uint32(160*i), Source: 1, Payload: make([]byte, 160),
		})
		for k := range packets[i].Payload {
			packets[i].Payload[k] = 0xff
		}
	}
	return packets
}

func convert(law g711.Law, groups ...[]Packet) []Packet {
	to := &phone{law: law}
	c := NewInBand(to, to.Law)
	for _, g := range groups {
		for _, p := range g {
			c.Write(&p)
		}
	}
	return to.take()
}

func TestInBandMakesTonesOfEvents(t *testing.T) {
	for _, law := range []g711.Law{g711.MuLaw, g711.ALaw} {
		out := convert(law,
			spoken(0, 0, 5), pressed('7', 5, 800, 5), spoken(12, 800+7*160, 5),
			pressed('#', 17, 800+12*160, 4), spoken(23, 800+20*160, 5))
		if got := keys(out); got != "7#" {
			t.Errorf("%v: heard %q", law, got)
		}
		for i := 1; i < len(out); i++ {
			if out[i].Seq != out[i-1].Seq+1 {
				t.Errorf("%v: after packet %d comes %d", law, out[i-1].Seq, out[i].Seq)
			}
		}
	}
}

func TestInBandSurvivesLosses(t *testing.T) {
	digit := pressed('5', 5, 800, 6)
	after := spoken(13, 800+9*160, 10)
	for name, groups := range map[string][][]Packet{
		"an update":     {spoken(0, 0, 5), append(append([]Packet{}, digit[:2]...), digit[4:]...), after},
		"the beginning": {spoken(0, 0, 5), digit[3:], after},
		"all ends":      {spoken(0, 0, 5), digit[:5], after},
	} {
		out := convert(g711.MuLaw, groups...)
		if got := keys(out); got != "5" {
			t.Errorf("%s lost: heard %q", name, got)
		}
		if last := out[len(out)-1]; last.Timestamp != after[9].Timestamp {
			t.Errorf("%s lost: the voice does not come back", name)
		}
	}
}

func TestInBandSuppressesTheVoiceBesideADigit(t *testing.T) {
	var mixed []Packet
	for i, p := range pressed('9', 0, 800, 6) {
		p.Seq = uint16(2 * i)
		mixed = append(mixed, p, Packet{Seq: uint16(2*i + 1), Timestamp: 800 + uint32(160*i), Source: 1, Payload: sineCodes(0, 300, 8000, 0, 160)})
	}
	if got := keys(convert(g711.MuLaw, mixed)); got != "9" {
		t.Errorf("heard %q", got)
	}
}

func TestInBandKeepsALongToneWhole(t *testing.T) {
	// 0xffff samples are one segment; the next goes on with the timestamp after it.
	seg := func(ts uint32, d uint16) Packet {
		return Packet{Kind: Event, Timestamp: ts, Source: 1, Payload: TelephoneEvent{Code: 1, Duration: d}.Put(make([]byte, 4))}
	}
	first := seg(0, 400)
	first.Marker = true
	out := convert(g711.MuLaw, []Packet{first, seg(0, 0xffff-400), seg(0, 0xffff), seg(0xffff, 300)})
	if last := out[len(out)-1]; last.Timestamp != 0xffff || len(last.Payload) != 300 {
		t.Errorf("the second segment became %d samples at %d", len(last.Payload), last.Timestamp)
	}
}

func TestInBandPassesOverWhatIsNoDigit(t *testing.T) {
	flash := Packet{Kind: Event, Payload: TelephoneEvent{Code: 16, Duration: 800}.Put(make([]byte, 4))}
	short := Packet{Kind: Event, Payload: []byte{1, 2}}
	if out := convert(g711.MuLaw, []Packet{flash, short}, spoken(2, 0, 1)); len(out) != 1 || out[0].Seq != 0 {
		t.Errorf("%v", out)
	}
}

func TestTelephoneEventReadsWhatItWrites(t *testing.T) {
	for _, e := range []TelephoneEvent{{}, {15, true, 63, 0xffff}, {16, false, 10, 160}} {
		if got, ok := ParseTelephoneEvent(e.Put(make([]byte, 4))); !ok || got != e {
			t.Errorf("%+v became %+v", e, got)
		}
	}
	for _, d := range []byte("0123456789*#ABCD") {
		code, ok := EventCode(d)
		if back, _ := (TelephoneEvent{Code: code}).Digit(); !ok || back != d {
			t.Errorf("%c became %c", d, back)
		}
	}
	if _, ok := EventCode('x'); ok {
		t.Error("x has an event code")
	}
}
