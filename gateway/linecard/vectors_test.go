package linecard

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/vectors.txt anew from the codec; then read the difference")

const (
	vectorsFile = "testdata/vectors.txt"
	protocolDoc = "../../docs/linecard-protocol.md"
)

// A vector is one frame of the specification. content is nil where nothing
// may come of the wire's octets.
type vector struct {
	name, about   string
	content, wire []byte
	damaged       bool
}

// ramp is a tick whose samples say where they are.
func ramp(n int, from byte) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = from + byte(i)
	}
	return p
}

// cadence is a list of times in ms.
func cadence(ms ...int) (times []time.Duration) {
	for _, n := range ms {
		times = append(times, time.Duration(n)*time.Millisecond)
	}
	return times
}

// good are the frames of docs/linecard-protocol.md, as the codec writes them.
func good() []vector {
	const session, boot = 0x1d2c3b4a, 0x7e7dcafe
	v := func(name, about string, content []byte) vector {
		return vector{name: name, about: about, content: content, wire: AppendFrame(nil, content)}
	}
	hello := CardHello{
		Major: 1, Session: session, Boot: boot, Clock: 16000, SampleRate: 8000, Buffer: 4000,
		Model: "CP-4", Serial: "A0001", FrameTimes: []uint8{10, 20}, Codecs: []uint8{0},
		Ports: []PortInfo{
			{KindFXO, AttrPolarity, Present | Battery}, {KindFXO, AttrPolarity, Present},
			{KindFXS, AttrPolarity, Present | Battery}, {KindFXS, 0, Present | Battery | OffHook},
		},
	}
	other := CardHello{Major: 2, Minor: 1, Boot: boot}
	media := func(seq uint16, clock, mask uint32, ticks ...[]byte) []byte {
		b := BeginMedia(nil, seq, clock, mask)
		for _, t := range ticks {
			b = PutSamples(b, t)
		}
		return b
	}
	return []vector{
		v("hello-host", "host opens session 1d2c3b4a", HostHello{Major: 1, Session: session}.Append(nil)),
		v("hello-card", "card with two FXO ports (the second without battery) and two FXS ports (the second off-hook)", hello.Append(nil)),
		v("hello-card-major-2", "card that refuses the host: session 0, and only the versions count", other.Append(nil)),
		v("configure", "order 1, card: ticks of 20 ms, PCMU", Configure{Tick: 20}.Append(nil, 1)),
		v("ack-configure", "", AppendAck(nil, 0, 1)),
		v("set-off-hook", "order 2, port 1: off-hook, audio", Set{Want: WantOffHook | WantAudio}.Append(nil, 1, 2)),
		v("ack-off-hook", "", AppendAck(nil, 1, 2)),
		v("media-card", "one tick of 10 ms of ports 1 and 3, from sample 17600 on", media(1, 17600, 0b101, ramp(80, 0x70), ramp(80, 0xd0))),
		v("media-host", "the answer for port 1, to be played from sample 18080 on", media(1, 18080, 0b001, ramp(80, 0xf0))),
		v("media-silence", "10 ms of digital silence (µ-law ff): 80 on the wire, and nothing is escaped", media(2, 17680, 0b001, bytes.Repeat([]byte{0xff}, 80))),
		v("ping", "", Ping{Session: session}.Append(nil, 9)),
		v("pong", "", Pong{Session: session, Boot: boot, Clock: 24000, LastEvent: 3}.Append(nil, 9)),
		v("pong-no-session", "the card has given the host up", Pong{Boot: boot, Clock: 48000, LastEvent: 3}.Append(nil, 12)),
		v("report", "least margin 300 samples, nothing late", Report{Clock: 25600, Margin: 300}.Append(nil, 5)),
		v("report-late", "160 samples late, 2 ticks late, 4 missing, 1 damaged, 3 dropped", Report{Clock: 27200, Margin: -160, Late: 2, Missing: 4, BadFCS: 1, Dropped: 3}.Append(nil, 6)),
		v("event-ring-on", "event 1, port 1 rings", Event{Clock: 20000, What: WhatRingOn, State: Present | Battery | Ringing}.Append(nil, 1, 1)),
		v("event-loop-drop", "event 2, port 1: loop current was away for 350 ms", Event{Clock: 90000, What: WhatLoopDrop, State: Present | Battery | OffHook, Arg: 350}.Append(nil, 1, 2)),
		v("event-pulse", "event 3, port 4: the digit 7 by pulses", Event{Clock: 90400, What: WhatPulse, State: Present | Battery | OffHook, Arg: 7}.Append(nil, 4, 3)),
		v("event-ack-2", "events up to 2 have arrived", Header{Type: TypeEventAck, Seq: 2}.Append(nil)),
		v("event-ack", "events up to 3 have arrived", Header{Type: TypeEventAck, Seq: 3}.Append(nil)),
		v("snapshot-request", "", Header{Type: TypeSnapshotRequest}.Append(nil)),
		v("snapshot", "four ports, all events up to 3 included", Snapshot{Clock: 91000, States: []State{
			Present | Battery | OffHook, Present, Present | Battery, Present | Battery | OffHook}}.Append(nil, 3)),
		v("set-ring", "order 3, port 3: ring 2 s, pause 4 s", Set{Want: WantRing, Cadence: []time.Duration{2 * time.Second, 4 * time.Second}}.Append(nil, 3, 3)),
		v("event-burst", "event 4, port 1: a line with distinctive rings begins to ring", Event{Clock: 160000, What: WhatRingOn, State: Present | Battery | Ringing}.Append(nil, 1, 4)),
		v("event-pause", "event 5, port 1: the burst was 800 ms", Event{Clock: 166400, What: WhatRingOff, State: Present | Battery}.Append(nil, 1, 5)),
		v("event-burst-again", "event 6, port 1: the pause was 400 ms", Event{Clock: 169600, What: WhatRingOn, State: Present | Battery | Ringing}.Append(nil, 1, 6)),
		v("set-ring-three", "order 10, port 3: 0.4/0.2/0.4/0.2/0.8/4", Set{Want: WantRing, Cadence: cadence(400, 200, 400, 200, 800, 4000)}.Append(nil, 3, 10)),
		v("set-ring-eight", "order 11, port 3: eight bursts, the most that fit", Set{Want: WantRing,
			Cadence: cadence(300, 200, 300, 200, 300, 200, 300, 200, 300, 200, 300, 200, 300, 200, 300, 2000)}.Append(nil, 3, 11)),
		v("set-ring-none", "order 12, port 3: the first burst is none", Set{Want: WantRing, Cadence: cadence(0, 4000)}.Append(nil, 3, 12)),
		v("nak-ring-none", "order 12 refused", Nak{Reason: ReasonBadArgument, Text: "first burst is 0 ms"}.Append(nil, 3, 12)),
		v("set-idle", "order 4, port 1: on-hook, no audio", Set{}.Append(nil, 1, 4)),
		v("flash", "order 5, port 1: the loop opens for 750 ms", AppendTimed(nil, TypeFlash, 1, 5, 750*time.Millisecond)),
		v("flash-fxs", "order 6, port 3: a flash, which an FXS port refuses", AppendTimed(nil, TypeFlash, 3, 6, 750*time.Millisecond)),
		v("drop", "order 9, port 3: no battery for 500 ms", AppendTimed(nil, TypeDrop, 3, 9, 500*time.Millisecond)),
		v("timing", "order 7, port 4: flash from 80 to 500 ms, the rest as it was", Timing{FlashMin: 80 * time.Millisecond, FlashMax: 500 * time.Millisecond}.Append(nil, 4, 7)),
		v("nak", "order 6 refused: not for this kind of port", Nak{Reason: ReasonWrongKind, Text: "port 3 is FXS"}.Append(nil, 3, 6)),
		v("hello-card-tdm", "card with three timeslots of a T1, the second seized by the far end", CardHello{
			Major: 1, Session: session, Boot: boot, Clock: 16000, SampleRate: 8000, Buffer: 4000, Model: "CP-T1", Serial: "A0002",
			FrameTimes: []uint8{10, 20}, Codecs: []uint8{0}, Ports: []PortInfo{
				{KindTDM, 0, Present | Battery}, {KindTDM, 0, Present | Battery | Ringing}, {KindTDM, 0, Present | Battery}}}.Append(nil)),
		v("signalling-em", "order 1, port 1: the bits are those of an E&M trunk", SignallingEM.Append(nil, 1, 1)),
		v("signalling-fxs-loop", "order 1, port 3: the bits are those of a telephone's line, loop start", SignallingFXSLoop.Append(nil, 3, 1)),
		v("set-seize", "order 2, port 1: off-hook, audio", Set{Want: WantOffHook | WantAudio}.Append(nil, 1, 2)),
		v("event-wink-begins", "event 1, port 1: the far end is off-hook", Event{Clock: 24160, What: WhatOffHook, State: Present | Battery | OffHook | Ringing}.Append(nil, 1, 1)),
		v("event-wink", "event 2, port 1: on-hook after 200 ms, a wink", Event{Clock: 26560, What: WhatOnHook, State: Present | Battery | OffHook, Arg: 200}.Append(nil, 1, 2)),
		v("flash-wink", "order 2, port 2: a wink of 200 ms", AppendTimed(nil, TypeFlash, 2, 2, 200*time.Millisecond)),
		v("set-blocked", "order 3, port 3: blocked", Set{Want: WantBlocked}.Append(nil, 3, 3)),
		v("event-red-alarm", "event 3, port 1: no signal on the span", Event{Clock: 40000, What: WhatBatteryOff, State: (Present | OffHook).InAlarm(LossOfSignal)}.Append(nil, 1, 3)),
		v("event-alarm-clear", "event 4, port 1: the alarm is over", Event{Clock: 120000, What: WhatBatteryOn, State: Present | Battery}.Append(nil, 1, 4)),
		v("nak-signalling", "order 1 refused: the card does not know the signalling", Nak{Reason: ReasonBadArgument, Text: "E&M only"}.Append(nil, 3, 1)),
		v("bye", "order 8", Header{Type: TypeBye, Seq: 8}.Append(nil)),
	}
}

// bad are octets of which nothing, or something damaged, may come.
func bad() []vector {
	ping := AppendFrame(nil, Ping{Session: 0x1d2c3b4a}.Append(nil, 9))
	flipped := bytes.Clone(ping)
	flipped[6] ^= 0x04
	media := AppendFrame(nil, PutSamples(BeginMedia(nil, 3, 17760, 1), ramp(80, 0x80)))
	click := bytes.Clone(media)
	click[40] ^= 0x10
	header := bytes.Clone(media)
	header[12] ^= 0x01 // the mask says another port
	var garbled []vector
	add := func(name, about string, content, wire []byte) {
		garbled = append(garbled, vector{name, about, content, wire, content != nil})
	}
	content := func(wire []byte) []byte { // without flags and FCS; these frames have no escapes
		return wire[1 : len(wire)-3]
	}
	add("bad-fcs", "one bit wrong: dropped", content(flipped), flipped)
	add("bad-abort", "escape before a flag: dropped (RFC 1662 section 4.3)", nil, append(bytes.Clone(ping[:8]), 0x7d, 0x7e))
	add("bad-short", "fewer octets than a header and an FCS: dropped", nil, []byte{0x7e, 0x02, 0x00, 0x01, 0x7e})
	add("bad-empty", "flags alone are no frame", nil, []byte{0x7e, 0x7e, 0x7e})
	add("damaged-media", "one sample wrong: the tick is used", content(click), click)
	add("damaged-media-header", "the header check is wrong: dropped", content(header), header)
	return garbled
}

func spaced(b []byte) string {
	var s []string
	for _, c := range b {
		s = append(s, hex.EncodeToString([]byte{c}))
	}
	return strings.Join(s, " ")
}

// text is the vectors file.
func text() string {
	var b strings.Builder
	b.WriteString(`# Test vectors of the line-card protocol, version 1 (docs/linecard-protocol.md).
#
# Each vector is a name, what it is about, the content of the frame (type, port,
# sequence, payload) and the octets on the wire. "damaged" gives content whose
# frame check sequence is wrong; without content nothing comes of the octets.
`)
	for _, v := range append(good(), bad()...) {
		fmt.Fprintf(&b, "\n%s\n", v.name)
		if v.about != "" {
			fmt.Fprintf(&b, "  about   %s\n", v.about)
		}
		kind := "content"
		if v.damaged {
			kind = "damaged"
		}
		if v.content != nil {
			fmt.Fprintf(&b, "  %s %s\n", kind, spaced(v.content))
		}
		fmt.Fprintf(&b, "  wire    %s\n", spaced(v.wire))
	}
	return b.String()
}

// read reads the vectors file.
func read(t *testing.T) (all []vector) {
	data, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] != ' ' {
			all = append(all, vector{name: line})
			continue
		}
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		v := &all[len(all)-1]
		if key == "about" {
			v.about = strings.TrimSpace(value)
			continue
		}
		octets, err := hex.DecodeString(strings.ReplaceAll(value, " ", ""))
		if err != nil {
			t.Fatalf("%s: %s: %v", v.name, key, err)
		}
		switch key {
		case "content":
			v.content = octets
		case "damaged":
			v.content, v.damaged = octets, true
		case "wire":
			v.wire = octets
		}
	}
	return all
}

func TestVectorsAreWhatWeWrite(t *testing.T) {
	if *update {
		if err := os.WriteFile(vectorsFile, []byte(text()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != text() {
		t.Errorf("%s differs from what the codec writes: a change of the protocol, or a mistake", vectorsFile)
	}
}

func TestVectorsAreWhatWeRead(t *testing.T) {
	all := read(t)
	if len(all) < 30 {
		t.Fatalf("only %d vectors", len(all))
	}
	for _, v := range all {
		var d Decoder
		var got []Frame
		for in := v.wire; len(in) > 0; {
			var f Frame
			if f, in = d.Next(in); f.Content != nil {
				got = append(got, Frame{bytes.Clone(f.Content), f.Damaged})
			}
		}
		if v.content == nil {
			if len(got) != 0 {
				t.Errorf("%s: %x came of it", v.name, got[0].Content)
			}
			continue
		}
		if len(got) != 1 || !bytes.Equal(got[0].Content, v.content) || got[0].Damaged != v.damaged {
			t.Errorf("%s: got %+v, want one frame %x", v.name, got, v.content)
			continue
		}
		if v.content[0] == byte(TypeMedia) {
			_, err := ParseMedia(v.content, 80)
			if (err != nil) != (v.name == "damaged-media-header") {
				t.Errorf("%s: %v", v.name, err)
			}
		}
	}
}

// TestVectorsParse reads every message and writes it again: no field is lost
// or moved.
func TestVectorsParse(t *testing.T) {
	for _, v := range good() {
		h, p, err := ParseHeader(v.content)
		if err != nil {
			t.Fatal(v.name, err)
		}
		var again []byte
		switch {
		case v.name == "hello-host":
			m, e := ParseHostHello(p)
			again, err = m.Append(nil), e
		case h.Type == TypeHello:
			m, e := ParseCardHello(p)
			again, err = m.Append(nil), e
			if m.Major != Major { // the rest is not read
				if m.Major != 2 || m.Minor != 1 || m.Boot != 0 {
					t.Errorf("%s: %+v", v.name, m)
				}
				continue
			}
		case h.Type == TypePing:
			m, e := ParsePing(p)
			again, err = m.Append(nil, h.Seq), e
		case h.Type == TypePong:
			m, e := ParsePong(p)
			again, err = m.Append(nil, h.Seq), e
		case h.Type == TypeEvent:
			m, e := ParseEvent(p)
			again, err = m.Append(nil, h.Port, h.Seq), e
		case h.Type == TypeSnapshot:
			m, e := ParseSnapshot(p)
			again, err = m.Append(nil, h.Seq), e
		case h.Type == TypeReport:
			m, e := ParseReport(p)
			again, err = m.Append(nil, h.Seq), e
		case h.Type == TypeSet:
			m, e := ParseSet(p)
			again, err = m.Append(nil, h.Port, h.Seq), e
		case h.Type == TypeFlash || h.Type == TypeDrop:
			d, e := ParseTimed(p)
			again, err = AppendTimed(nil, h.Type, h.Port, h.Seq, d), e
		case h.Type == TypeSignalling:
			m, e := ParseSignalling(p)
			again, err = m.Append(nil, h.Port, h.Seq), e
		case h.Type == TypeConfigure:
			m, e := ParseConfigure(p)
			again, err = m.Append(nil, h.Seq), e
		case h.Type == TypeTiming:
			m, e := ParseTiming(p)
			again, err = m.Append(nil, h.Port, h.Seq), e
		case h.Type == TypeNak:
			m, e := ParseNak(p)
			again, err = m.Append(nil, h.Port, h.Seq), e
		case h.Type == TypeMedia:
			m, e := ParseMedia(v.content, 80)
			again, err = append(BeginMedia(nil, m.Seq, m.Clock, m.Mask), m.Samples...), e
		default:
			again = h.Append(nil)
		}
		if err != nil || !bytes.Equal(again, v.content) {
			t.Errorf("%s: %v: read and written again it is\n%x instead of\n%x", v.name, err, again, v.content)
		}
	}
}

// quoted is a frame in the document: who sends it, its name in the vectors
// file, and its octets, with … where some are left out.
var quoted = regexp.MustCompile(`(?m)^(?:host|card|wire) +([a-z0-9-]+) +(7e [0-9a-f …]*7e)$`)

func TestDocumentQuotesTheVectors(t *testing.T) {
	doc, err := os.ReadFile(protocolDoc)
	if err != nil {
		t.Fatal(err)
	}
	frames := quoted.FindAllStringSubmatch(string(doc), -1)
	if len(frames) < 15 {
		t.Fatalf("%s quotes only %d frames", protocolDoc, len(frames))
	}
	wire := map[string]string{}
	for _, v := range read(t) {
		wire[v.name] = spaced(v.wire)
	}
	for _, f := range frames {
		head, tail, cut := strings.Cut(f[2], " … ")
		want := wire[f[1]]
		ok := want == f[2]
		if cut {
			ok = strings.HasPrefix(want, head) && strings.HasSuffix(want, tail)
		}
		if !ok {
			t.Errorf("%s: the document says\n%s\nthe vector\n%s", f[1], f[2], want)
		}
	}
}
