package callerid

import (
	"bytes"
	"errors"
	"testing"
)

// TestKnownMessages reads messages written out byte by byte.
func TestKnownMessages(t *testing.T) {
	for _, c := range []struct {
		name    string
		message string // without its checksum
		want    CallerID
	}{
		{"SDMF", "\x04\x1209302055" + "6095551212", CallerID{Number: "6095551212", Time: Time{9, 30, 20, 55}}},
		{"SDMF private", "\x04\x0909302055P", CallerID{NumberAbsent: Private, Time: Time{9, 30, 20, 55}}},
		{"SDMF out of area", "\x04\x0909302055O", CallerID{NumberAbsent: Unavailable, Time: Time{9, 30, 20, 55}}},
		{"MDMF", "\x80\x1d\x01\x0812010859\x02\x045678\x07\x0bJOE EXAMPLE", CallerID{Number: "5678", Name: "JOE EXAMPLE", Time: Time{12, 1, 8, 59}}},
		{"MDMF withheld", "\x80\x10\x01\x0812010859\x04\x01P\x08\x01P", CallerID{NumberAbsent: Private, NameAbsent: Private, Time: Time{12, 1, 8, 59}}},
		{"MDMF with what nobody knows", "\x80\x0b\x02\x04\x35\x36\x37\x38\x77\x03abc", CallerID{Number: "5678"}},
		{"ETSI redirected", "\x80\x0e\x02\x045678\x1a\x04\x39\x38\x37\x36\x11\x00", CallerID{Number: "5678", Redirecting: "9876"}},
		{"reason in place of the number", "\x80\x03\x02\x01P", CallerID{NumberAbsent: Private}},
		{"impossible date", "\x80\x0e\x01\x0813329999\x02\x0212", CallerID{Number: "12"}},
		{"control characters", "\x80\x0a\x02\x0212\x07\x04a\nb\xe4", CallerID{Number: "12", Name: "ab?"}},
		{"lamp on", "\x82\x03\x0b\x01\xff", CallerID{Waiting: MessagesWait}},
		{"lamp off", "\x82\x03\x0b\x01\x00", CallerID{Waiting: NoMessagesWait}},
		{"SDMF lamp on", "\x06\x03BBB", CallerID{Waiting: MessagesWait}},
		{"SDMF lamp off", "\x06\x03ooo", CallerID{Waiting: NoMessagesWait}},
	} {
		m := []byte(c.message)
		m = append(m, -sum(m))
		if got, err := Parse(m); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

// TestBuildBytes compares with a message written out byte by byte.
func TestBuildBytes(t *testing.T) {
	got := Build(CallerID{Number: "5551212", Name: "AL", Time: Time{1, 2, 3, 4}}, MDMF)
	want := []byte("\x80\x17\x01\x0801020304\x02\x075551212\x07\x02AL")
	want = append(want, -sum(want))
	if !bytes.Equal(got, want) {
		t.Errorf("% x\nis not\n% x", got, want)
	}
	if s := sum(got); s != 0 {
		t.Errorf("all bytes add up to %#x", s)
	}
}

func TestBuildRewrites(t *testing.T) {
	for _, c := range []struct{ in, want CallerID }{
		{CallerID{Number: "+49 (30) 123-45"}, CallerID{Number: "+493012345"}},
		{CallerID{Number: "1", Name: "Zoë Größe 山"}, CallerID{Number: "1", Name: "Zoe Grosse ?"}},
		{CallerID{Number: "1", Name: "Øre\tÆsop"}, CallerID{Number: "1", Name: "OreAEsop"}},
		{CallerID{Number: "123456789012345678901234"}, CallerID{Number: "12345678901234567890"}},
		{CallerID{}, CallerID{NumberAbsent: Unavailable}},
		{CallerID{Number: "12", NumberAbsent: Private}, CallerID{NumberAbsent: Private}},
		{CallerID{Number: "1", Dialed: "55", Redirecting: "66", Waiting: MessagesWait}, CallerID{Number: "1", Dialed: "55", Redirecting: "66", Waiting: MessagesWait}},
		{CallerID{Number: "anonymous"}, CallerID{NumberAbsent: Unavailable}},
	} {
		if got, err := Parse(Build(c.in, MDMF)); err != nil || got != c.want {
			t.Errorf("%+v became %+v, %v", c.in, got, err)
		}
	}
	for _, c := range []struct{ in, want CallerID }{
		{CallerID{Number: "5678", Name: "lost", Time: Time{5, 6, 7, 8}}, CallerID{Number: "5678", Time: Time{5, 6, 7, 8}}},
		{CallerID{NumberAbsent: Private}, CallerID{NumberAbsent: Private, Time: Time{Month: 1, Day: 1}}},
	} {
		if got, err := Parse(Build(c.in, SDMF)); err != nil || got != c.want {
			t.Errorf("%+v became %+v, %v in SDMF", c.in, got, err)
		}
	}
	for _, on := range []bool{true, false} {
		if got, err := Parse(BuildWaiting(on)); err != nil || (got.Waiting == MessagesWait) != on {
			t.Errorf("lamp %v became %+v, %v", on, got, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good := Build(joe, MDMF)
	for i := range good {
		if _, err := Parse(good[:i]); !errors.Is(err, ErrTruncated) {
			t.Errorf("%d of %d bytes: %v", i, len(good), err)
		}
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if got, err := Parse(bad); err == nil {
			t.Errorf("byte %d damaged: %+v", i, got)
		}
	}
	for _, m := range []string{"\x04\x03abc", "\x06\x03abc", "\x33\x00"} {
		if _, err := Parse(append([]byte(m), -sum([]byte(m)))); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", m, err)
		}
	}
}

func TestDTMF(t *testing.T) {
	for digits, want := range map[string]CallerID{
		"A5551234C":           {Number: "5551234"},
		"A5551234#":           {Number: "5551234"},
		"D5551234C":           {Number: "5551234"},
		"A5551234D777C":       {Number: "5551234", Redirecting: "777"},
		"A5551234D777B12C":    {Number: "5551234", Redirecting: "777"},
		"B10C":                {NumberAbsent: Private},
		"B00C":                {NumberAbsent: Unavailable},
		"D1C":                 {NumberAbsent: Private},
		"D3#":                 {NumberAbsent: Unavailable},
		"AC":                  {NumberAbsent: Unavailable},
		"A12345678901234567C": {Number: "12345678901234567"},
	} {
		if got, err := ParseDTMF(digits); err != nil || got != want {
			t.Errorf("%s: %+v, %v", digits, got, err)
		}
	}
	for digits, want := range map[string]error{
		"": ErrFormat, "5551234": ErrFormat, "C": ErrFormat, "A555": ErrTruncated, "A5*5C": ErrFormat, "A555CC": ErrFormat,
	} {
		if got, err := ParseDTMF(digits); !errors.Is(err, want) {
			t.Errorf("%q: %+v, %v", digits, got, err)
		}
	}
	for s, want := range map[Standard]string{DTMFA: "A49301234D777C", DTMFD: "D49301234C", DTMFHash: "A49301234#", Bellcore: ""} {
		if got := BuildDTMF(CallerID{Number: "+49 30#1234", Redirecting: "7*7+7"}, s); got != want {
			t.Errorf("%v: %q", s, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Build(joe, MDMF))
	f.Add(Build(joe, SDMF))
	f.Add(BuildWaiting(true))
	f.Fuzz(func(t *testing.T, m []byte) {
		c, err := Parse(m)
		if err != nil || c.Waiting != 0 {
			return
		}
		again, err := Parse(Build(c, MDMF))
		if err != nil {
			t.Errorf("%+v cannot be sent again: %v", c, err)
		}
		if n := number(c.Number); n != "" && c.NumberAbsent == 0 && again.Number != n {
			t.Errorf("%q became %q", c.Number, again.Number)
		}
	})
}

func FuzzParseDTMF(f *testing.F) {
	f.Add("A5551234D777B10C")
	f.Fuzz(func(t *testing.T, digits string) {
		c, err := ParseDTMF(digits)
		if err == nil && c.Number == "" && c.NumberAbsent == 0 {
			t.Errorf("%q tells nothing", digits)
		}
	})
}

func FuzzBuild(f *testing.F) {
	f.Add("+49 30 123", "Jörg", byte('P'), byte(0), int64(12))
	f.Fuzz(func(t *testing.T, num, name string, absent, nameAbsent byte, date int64) {
		c := CallerID{Number: num, Name: name, NumberAbsent: Absence(absent), NameAbsent: Absence(nameAbsent),
			Dialed: name, Redirecting: num, Time: Time{int(date % 13), int(date / 13 % 32), int(date / 416 % 24), 7}}
		for _, format := range []Format{MDMF, SDMF} {
			if _, err := Parse(Build(c, format)); err != nil {
				t.Errorf("%+v: %v", c, err)
			}
		}
		for s := range standards {
			NewSender(c, Config{Standard: s})
		}
	})
}
