package callerid

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestNTTBytes compares with a frame written out octet by octet: each character
// has even parity, and the CRC covers all after SOH.
func TestNTTBytes(t *testing.T) {
	want := []byte{0x90, 0x81, 0x87, 0x90, 0x82, 0xc0, 0x06, 0x82, 0x84, 0xb1, 0xb2, 0x33, 0xb4, 0x90, 0x03}
	crc := uint16(0)
	for _, b := range want[2:] { // bit by bit, by the definition
		for i := range 8 {
			out := crc&1 ^ uint16(b>>i&1)
			crc = crc>>1 ^ out<<15 ^ out<<10 ^ out<<3
		}
	}
	want = append(want, byte(crc), byte(crc>>8))
	if got := buildNTT(CallerID{Number: "1234"}); !bytes.Equal(got, want) {
		t.Errorf("% x\nis not\n% x", got, want)
	}
}

// TestNTT: what is told, with each reason for telling no number, and with a
// length that is a DLE and so stands twice.
func TestNTT(t *testing.T) {
	for _, c := range []struct{ in, want CallerID }{
		{CallerID{Number: "0312345678"}, CallerID{Number: "0312345678"}},
		{CallerID{Number: "0312345678", Name: "Lost", Time: Time{1, 2, 3, 4}}, CallerID{Number: "0312345678"}},
		{CallerID{Number: "1234567890123456"}, CallerID{Number: "1234567890123456"}},
		{CallerID{Number: "12345678901234"}, CallerID{Number: "12345678901234"}}, // 16 octets in all
		{CallerID{Number: "03", Dialed: "5678"}, CallerID{Number: "03", Dialed: "5678"}},
		{CallerID{NumberAbsent: Private}, CallerID{NumberAbsent: Private}},
		{CallerID{NumberAbsent: Unavailable}, CallerID{NumberAbsent: Unavailable}},
		{CallerID{NumberAbsent: Payphone}, CallerID{NumberAbsent: Payphone}},
		{CallerID{NumberAbsent: ServiceConflict}, CallerID{NumberAbsent: ServiceConflict}},
		{CallerID{}, CallerID{NumberAbsent: Unavailable}},
		{CallerID{Number: "12", NumberAbsent: Private}, CallerID{NumberAbsent: Private}},
	} {
		if got, err := received(sent(NewSender(c.in, Config{Standard: NTT}))); err != nil || got != c.want {
			t.Errorf("%+v became %+v, %v", c.in, got, err)
		}
	}
}

// TestNTTDamaged: no octet of a frame may be another without being noticed, and
// the receiver says what was wrong as soon as the frame is over.
func TestNTTDamaged(t *testing.T) {
	good := buildNTT(CallerID{Number: "0312345678"})
	for i := range good[2:] {
		for _, bit := range []byte{1, 0x80} {
			bad := bytes.Clone(good)
			bad[2+i] ^= bit
			if id, err := parseNTT(bad); !errors.Is(err, ErrChecksum) {
				t.Errorf("octet %d: %+v, %v", 2+i, id, err)
			}
		}
	}
	damaged := bytes.Clone(good)
	damaged[10] ^= 3
	r := NewReceiver()
	pcm := sent(NewMessageSender(damaged, Config{Standard: NTT}))
	if _, ok := r.Receive(pcm[:len(pcm)/2]); ok || r.Failed() != nil {
		t.Errorf("half of it: %v", r.Failed())
	}
	if _, ok := r.Receive(pcm[len(pcm)/2:]); ok || !errors.Is(r.Failed(), ErrChecksum) {
		t.Errorf("%v", r.Failed())
	}
	whole := sent(NewMessageSender(good, Config{Standard: NTT}))
	if _, err := received(whole[:len(whole)-2600]); !errors.Is(err, ErrTruncated) || !strings.Contains(err.Error(), "frame ends after") {
		t.Errorf("cut short: %v", err)
	}
	for what, frame := range map[string][]byte{
		"another service": {dle, soh, nttHeader, dle, stx, 0x41, 0, dle, etx},
		"too short":       {dle, soh},
		"no length":       {dle, soh, nttHeader, dle, stx, nttService, dle, etx},
		"too long inside": {dle, soh, nttHeader, dle, stx, nttService, 3, paramNumber, 9, '1', dle, etx},
		"tells nothing":   {dle, soh, nttHeader, dle, stx, nttService, 0, dle, etx},
	} {
		crc := crc16(frame[2:])
		if id, err := parseNTT(append(frame, byte(crc), byte(crc>>8))); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %+v, %v", what, id, err)
		}
	}
}

// TestNTTAfterNoise finds a frame behind what looked like the beginning of one.
func TestNTTAfterNoise(t *testing.T) {
	noise := []byte{dle, soh, nttHeader, 'x'}
	if id, ok := NewReceiver().Receive(sent(NewMessageSender(append(noise, buildNTT(CallerID{Number: "0312345678"})...), Config{Standard: NTT}))); !ok || id.Number != "0312345678" {
		t.Errorf("%+v", id)
	}
}

func TestActivation(t *testing.T) {
	for ring, want := range map[time.Duration]bool{
		100 * time.Millisecond: false, 420 * time.Millisecond: true, 500 * time.Millisecond: true,
		580 * time.Millisecond: true, time.Second: false, 920 * time.Millisecond: false,
	} {
		if IsActivation(ring) != want {
			t.Errorf("%v: %v", ring, !want)
		}
	}
}

func FuzzNTT(f *testing.F) {
	f.Add(buildNTT(CallerID{Number: "0312345678"}))
	f.Add(buildNTT(CallerID{NumberAbsent: Payphone, Dialed: "12"}))
	f.Fuzz(func(t *testing.T, octets []byte) {
		frame := frameNTT{}
		for _, b := range octets {
			if !frame.take(b) {
				continue
			}
			if id, err := parseNTT(frame.octets); err == nil && id.Number == "" && id.NumberAbsent == 0 {
				t.Errorf("% x tells nothing", frame.octets)
			}
			frame.reset()
		}
		crc := crc16(octets)
		_, _ = parseNTT(append(append([]byte{dle, soh}, octets...), byte(crc), byte(crc>>8))) // whatever it is, it must not panic
	})
}
