package callerid

import (
	"strings"
	"testing"

	"crosspoint/internal/witness"
)

// TestSpandspReads has the receivers of libspandsp read each of our standards.
func TestSpandspReads(t *testing.T) {
	spandsp := witness.NeedSpandsp(t)
	withheld := CallerID{NumberAbsent: Private, Time: joe.Time}
	const inFull = "message 128|1 12241805|2 5551234|7 Joe Example"
	for _, c := range []struct {
		id   CallerID
		cfg  Config
		as   string
		want string
	}{
		{joe, Config{}, "class", inFull},
		{joe, Config{Format: SDMF}, "class", "message 4|0 122418055551234"},
		{withheld, Config{}, "class", "message 128|1 12241805|4 P"},
		{withheld, Config{Format: SDMF}, "class", "message 4|0 12241805P"},
		{CallerID{Number: "12", Waiting: MessagesWait}, Config{}, "class", "message 128|2 12|11 \xff"},
		{joe, Config{OffHook: true}, "class", inFull},
		{joe, Config{Standard: ETSI}, "clip", inFull},
		{joe, Config{Standard: ETSIAlert}, "clip", inFull},
		{joe, Config{Standard: BT}, "clip", inFull},
		{withheld, Config{Standard: BT}, "clip", "message 128|1 12241805|4 P"},
		{joe, Config{Standard: ETSI, Format: SDMF}, "aclip", "message 4|0 122418055551234"},
		{CallerID{Number: "0312345678"}, Config{Standard: NTT}, "jclip", "message 64|2 0312345678"},
		{CallerID{Number: "0312345678", Dialed: "5678"}, Config{Standard: NTT}, "jclip", "message 64|2 0312345678|9 5678"},
		{CallerID{NumberAbsent: Private}, Config{Standard: NTT}, "jclip", "message 64|4 P"},
		{CallerID{NumberAbsent: Payphone}, Config{Standard: NTT}, "jclip", "message 64|4 C"},
		{CallerID{NumberAbsent: ServiceConflict}, Config{Standard: NTT}, "jclip", "message 64|4 S"},
		{CallerID{Number: "5551234", Redirecting: "77"}, Config{Standard: DTMFA}, "clip-dtmf", "message 67|65 5551234|68 77"},
		{CallerID{NumberAbsent: Private}, Config{Standard: DTMFA}, "clip-dtmf", "message 67|66 10"},
		{joe, Config{Standard: DTMFD}, "clip-dtmf", "message 67|68 5551234"},
		{joe, Config{Standard: DTMFHash}, "clip-dtmf", "message 35|65 5551234"},
		{withheld, Config{Standard: DTMFHash}, "clip-dtmf", "message 35|68 1"},
	} {
		got := strings.TrimSpace(spandsp.Hears(sent(NewSender(c.id, c.cfg)), "adsi", c.as))
		if got = strings.ReplaceAll(got, "\n", "|"); got != c.want {
			t.Errorf("%+v by %+v: spandsp as %s read %q, not %q", c.id, c.cfg, c.as, got, c.want)
		}
	}
}

// TestFromSpandsp reads what libspandsp sends.
func TestFromSpandsp(t *testing.T) {
	spandsp := witness.NeedSpandsp(t)
	for _, c := range []struct {
		args string
		want CallerID
	}{
		{"class 128 1=12241805 2=5551234 7=Joe_Example", CallerID{Number: "5551234", Name: "Joe_Example", Time: joe.Time}},
		{"class 128 4=P 8=P", CallerID{NumberAbsent: Private, NameAbsent: Private}},
		{"class 4 0=122418055551234", CallerID{Number: "5551234", Time: joe.Time}},
		{"clip 128 alert 1=12241805 2=5551234 26=99 17=x", CallerID{Number: "5551234", Redirecting: "99", Time: joe.Time}},
		{"clip 128 4=O", CallerID{NumberAbsent: Unavailable}},
		{"aclip 4 alert 0=122418055551234", CallerID{Number: "5551234", Time: joe.Time}},
		{"aclip 128 2=5551234 6=L", CallerID{Number: "5551234"}},
		{"jclip 64 2=0312345678 33=215 9=5678 34=215", CallerID{Number: "0312345678", Dialed: "5678"}},
		{"jclip 64 2=1234567890123456", CallerID{Number: "1234567890123456"}},
		{"jclip 64 4=C", CallerID{NumberAbsent: Payphone}},
		{"jclip 64 4=P", CallerID{NumberAbsent: Private}},
		{"jclip 64 4=O", CallerID{NumberAbsent: Unavailable}},
		{"jclip 64 4=S", CallerID{NumberAbsent: ServiceConflict}},
		{"clip-dtmf 67 65=5551234 68=77", CallerID{Number: "5551234", Redirecting: "77"}},
		{"clip-dtmf 67 66=10", CallerID{NumberAbsent: Private}},
		{"clip-dtmf 67 68=5551234", CallerID{Number: "5551234"}},
		{"clip-dtmf 35 65=5551234", CallerID{Number: "5551234"}},
		{"clip-dtmf 35 68=3", CallerID{NumberAbsent: Unavailable}},
	} {
		pcm := spandsp.Says(append([]string{"adsi-tx"}, strings.Fields(c.args)...)...)
		if got, err := received(pcm); err != nil || got != c.want {
			t.Errorf("%s: read %+v, %v", c.args, got, err)
		}
	}
}
