package sdp

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/media/g711"
)

// body is a description with the session level that most tests need.
func body(media string) []byte {
	return []byte(strings.ReplaceAll("v=0\no=alice 1 1 IN IP4 192.0.2.7\ns=-\nc=IN IP4 192.0.2.7\nt=0 0\n"+strings.TrimSpace(media)+"\n", "\n", "\r\n"))
}

func ours() *Session {
	return &Session{RTP: netip.MustParseAddrPort("192.0.2.1:16384"), ID: 1}
}

// lines is the part of a description behind the session level.
func lines(text []byte) string {
	s := strings.ReplaceAll(string(text), "\r\n", "\n")
	_, s, _ = strings.Cut(s, "\nm=")
	return strings.TrimSpace("m=" + s)
}

func TestOffer(t *testing.T) {
	s := ours()
	got := string(s.Offer(Prefs{}))
	want := strings.ReplaceAll(`v=0
o=crosspoint 1 1 IN IP4 192.0.2.1
s=crosspoint
c=IN IP4 192.0.2.1
t=0 0
m=audio 16384 RTP/AVP 0 8 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a=sendrecv
`, "\n", "\r\n")
	if got != want {
		t.Errorf("offer\n%s\nwant\n%s", got, want)
	}
}

// What an offer is answered by, and what we make of it.
func TestAnswer(t *testing.T) {
	for _, tc := range []struct {
		name   string
		offer  string
		prefs  Prefs
		answer string
		agreed string // of the fields that String below shows
	}{
		{"both laws: ours first", `
m=audio 4000 RTP/AVP 8 0 101
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000`, Prefs{}, `
m=audio 16384 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a=sendrecv`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 other 8 event 101 20ms sendrecv"},
		{"both laws: theirs first", `
m=audio 4000 RTP/AVP 8 0`, Prefs{OfferersChoice: true, NoEvents: true}, `
m=audio 16384 RTP/AVP 8
a=rtpmap:8 PCMA/8000
a=ptime:20
a=sendrecv`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMA 8/8 other 0 20ms sendrecv"},
		{"a law preferred", `
m=audio 4000 RTP/AVP 0 8`, Prefs{Laws: []g711.Law{g711.ALaw, g711.MuLaw}}, `
m=audio 16384 RTP/AVP 8
a=rtpmap:8 PCMA/8000
a=ptime:20
a=sendrecv`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMA 8/8 other 0 20ms sendrecv"},
		{"static types without rtpmap, others unknown", `
m=audio 4000 RTP/AVP 18 3 8`, Prefs{}, `
m=audio 16384 RTP/AVP 8
a=rtpmap:8 PCMA/8000
a=ptime:20
a=sendrecv`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMA 8/8 20ms sendrecv"},
		{"dynamic numbers are the offerer's", `
m=audio 4000 RTP/AVP 96 97 98
a=rtpmap:96 opus/48000/2
a=rtpmap:97 pcma/8000/1
a=rtpmap:98 TELEPHONE-EVENT/8000`, Prefs{}, `
m=audio 16384 RTP/AVP 97 98
a=rtpmap:97 PCMA/8000
a=rtpmap:98 telephone-event/8000
a=fmtp:98 0-15
a=ptime:20
a=sendrecv`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMA 97/97 event 98 20ms sendrecv"},
		{"number 0 mapped to something else", `
m=audio 4000 RTP/AVP 0 8
a=rtpmap:0 L16/8000`, Prefs{}, `
m=audio 16384 RTP/AVP 8
a=rtpmap:8 PCMA/8000
a=ptime:20
a=sendrecv`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMA 8/8 20ms sendrecv"},
		{"wideband events are not ours", `
m=audio 4000 RTP/AVP 0 99
a=rtpmap:99 telephone-event/16000`, Prefs{}, `
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
a=sendrecv`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms sendrecv"},
		{"video refused in its place", `
m=video 5000 RTP/AVP 31 34
m=audio 4000 RTP/AVP 0
m=audio 4002 RTP/AVP 0
m=application 7000 TCP/BFCP *`, Prefs{}, `
m=video 0 RTP/AVP 31 34
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
a=sendrecv
m=audio 0 RTP/AVP 0
m=application 0 TCP/BFCP *`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms sendrecv"},
		{"fax refused in its place", `
m=audio 4000 RTP/AVP 0
m=image 4002 udptl t38`, Prefs{}, `
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
a=sendrecv
m=image 0 udptl t38`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms sendrecv"},
		{"a disabled and an encrypted stream are passed over", `
m=audio 0 RTP/AVP 0
m=audio 4000 RTP/SAVP 0
m=audio 4002 RTP/AVP 0`, Prefs{}, `
m=audio 0 RTP/AVP 0
m=audio 0 RTP/SAVP 0
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
a=sendrecv`, "192.0.2.7:4002 rtcp 192.0.2.7:4003 PCMU 0/0 20ms sendrecv"},
		{"held by sendonly", `
m=audio 4000 RTP/AVP 0
a=sendonly`, Prefs{}, `
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
a=recvonly`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms recvonly held: sendonly"},
		{"held by inactive at the session level", `
a=inactive
m=audio 4000 RTP/AVP 0`, Prefs{}, `
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
a=inactive`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms inactive held: inactive"},
		{"the stream's direction is before the session's", `
a=inactive
m=audio 4000 RTP/AVP 0
a=sendrecv`, Prefs{}, `
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
a=sendrecv`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms sendrecv"},
		{"held by c=0.0.0.0", `
m=audio 4000 RTP/AVP 0
c=IN IP4 0.0.0.0`, Prefs{}, `
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
a=sendrecv`, "port 4000 PCMU 0/0 20ms recvonly held: c=0.0.0.0"},
		{"held both ways", `
m=audio 4000 RTP/AVP 0
a=sendonly`, Prefs{Direction: SendOnly}, `
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
a=inactive`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms inactive held: sendonly"},
		{"it only listens", `
m=audio 4000 RTP/AVP 0
a=recvonly`, Prefs{}, `
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
a=sendonly`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms sendonly"},
		{"address at the stream, rtcp elsewhere, 30 ms", `
m=audio 4000 RTP/AVP 0
c=IN IP4 198.51.100.9
a=rtcp:53020 IN IP4 198.51.100.10
a=ptime:30`, Prefs{}, `
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
a=sendrecv`, "198.51.100.9:4000 rtcp 198.51.100.10:53020 PCMU 0/0 30ms sendrecv"},
		{"rtcp at another port", `
m=audio 4000 RTP/AVP 0
a=rtcp:4099`, Prefs{}, `
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
a=sendrecv`, "192.0.2.7:4000 rtcp 192.0.2.7:4099 PCMU 0/0 20ms sendrecv"},
		{"rtcp-mux", `
m=audio 4000 RTP/AVP 0
a=rtcp-mux`, Prefs{}, `
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=rtcp-mux
a=ptime:20
a=sendrecv`, "192.0.2.7:4000 rtcp 192.0.2.7:4000 mux PCMU 0/0 20ms sendrecv"},
		{"IPv6", `
m=audio 4000 RTP/AVP 0
c=IN IP6 2001:db8::7`, Prefs{}, `
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
a=sendrecv`, "[2001:db8::7]:4000 rtcp [2001:db8::7]:4001 PCMU 0/0 20ms sendrecv"},
		{"a host name", `
m=audio 4000 RTP/AVP 0
c=IN IP4 gatewayone.wcom.com`, Prefs{}, `
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
a=sendrecv`, "host gatewayone.wcom.com port 4000 PCMU 0/0 20ms sendrecv"},
		{"a bare answer for an old phone", `
m=audio 4000 RTP/AVP 0`, Prefs{Bare: true}, `
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms sendrecv"},
		{"a nonsense ptime", `
m=audio 4000 RTP/AVP 0
a=ptime:100000000000000000000`, Prefs{}, `
m=audio 16384 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
a=sendrecv`, "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms sendrecv"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			answer, a, err := ours().Answer(body(tc.offer), tc.prefs)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := lines(answer), strings.TrimSpace(tc.answer); got != want {
				t.Errorf("answer\n%s\nwant\n%s", got, want)
			}
			if got := shown(a); got != tc.agreed {
				t.Errorf("agreed\n%s\nwant\n%s", got, tc.agreed)
			}
		})
	}
}

// shown is an Agreed in one line.
func shown(a Agreed) string {
	var b strings.Builder
	if a.Remote.IsValid() {
		fmt.Fprintf(&b, "%s rtcp %s", a.Remote, a.RTCP)
	} else {
		if a.RemoteHost != "" {
			fmt.Fprintf(&b, "host %s ", a.RemoteHost)
		}
		fmt.Fprintf(&b, "port %d", a.RemotePort)
	}
	if a.Mux {
		b.WriteString(" mux")
	}
	fmt.Fprintf(&b, " %s %d/%d", a.Law, a.PT, a.RecvPT)
	if a.HasOther {
		fmt.Fprintf(&b, " other %d", a.OtherPT)
	}
	if a.Events {
		fmt.Fprintf(&b, " event %d", a.EventPT)
		if a.RecvEvent != a.EventPT {
			fmt.Fprintf(&b, "/%d", a.RecvEvent)
		}
	}
	fmt.Fprintf(&b, " %v %s", a.Ptime, a.Direction)
	if a.Hold != NotHeld {
		fmt.Fprintf(&b, " held: %s", a.Hold)
	}
	return b.String()
}

// What can't be answered is refused with the status that says why.
func TestRefused(t *testing.T) {
	for _, tc := range []struct {
		offer  string
		status int
		why    string
	}{
		{"m=audio 4000 RTP/AVP 18 3", 488, "no codec in common: the offer has 18 3"},
		{"m=audio 4000 RTP/AVP", 488, "no codec in common"},
		{"m=audio 4000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000", 488, "no codec in common"},
		{"m=audio 0 RTP/AVP 0", 488, "no audio stream"},
		{"m=audio 4000 RTP/SAVP 0", 488, "no audio stream"},
		{"m=image 4000 udptl t38", 488, "no audio stream"},
		{"", 488, "no audio stream"},
		{"m=audio 99999 RTP/AVP 0", 400, "port"},
		{"m=audio x RTP/AVP 0", 400, "session description"},
		{"m=audio 4000", 400, "session description"},
	} {
		_, _, err := ours().Answer(body(tc.offer), Prefs{})
		var c leg.Cause
		if !errors.As(err, &c) || c.Status != tc.status || !strings.Contains(c.Text, tc.why) {
			t.Errorf("%q: %v, want %d %q", tc.offer, err, tc.status, tc.why)
		}
	}
	for _, junk := range []string{"", "\x00\xff", "INVITE", "v=0", strings.Repeat("a=x\r\n", 20000)} {
		if _, _, err := ours().Answer([]byte(junk), Prefs{}); err == nil {
			t.Errorf("%.20q is answered", junk)
		}
	}
}

// The answers to our offer.
func TestReadAnswer(t *testing.T) {
	for _, tc := range []struct {
		name   string
		prefs  Prefs
		answer string
		agreed string
	}{
		{"plain", Prefs{}, "m=audio 4000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000", "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 event 101 20ms sendrecv"},
		{"it takes both, the second first", Prefs{}, "m=audio 4000 RTP/AVP 8 0", "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMA 8/8 other 0 20ms sendrecv"},
		{"it numbers the events its own way", Prefs{}, "m=audio 4000 RTP/AVP 0 96\na=rtpmap:96 telephone-event/8000", "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 event 96/101 20ms sendrecv"},
		{"no events", Prefs{}, "m=audio 4000 RTP/AVP 0", "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms sendrecv"},
		{"it holds us", Prefs{}, "m=audio 4000 RTP/AVP 0\na=sendonly", "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms recvonly held: sendonly"},
		{"it accepts our hold", Prefs{Direction: SendOnly}, "m=audio 4000 RTP/AVP 0\na=recvonly", "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms sendonly"},
		{"it holds us as we hold it", Prefs{Direction: SendOnly}, "m=audio 4000 RTP/AVP 0\na=inactive", "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms inactive held: inactive"},
		{"it can only accept inactive", Prefs{Direction: Inactive}, "m=audio 4000 RTP/AVP 0\na=inactive", "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms inactive"},
		{"it can only send when we only listen", Prefs{Direction: RecvOnly}, "m=audio 4000 RTP/AVP 0\na=sendonly", "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms recvonly"},
		{"it does not know our hold", Prefs{Direction: SendOnly}, "m=audio 4000 RTP/AVP 0", "192.0.2.7:4000 rtcp 192.0.2.7:4001 PCMU 0/0 20ms sendonly"},
		{"it answers our hold as in 1999", Prefs{Direction: Inactive, ZeroAddress: true}, "m=audio 4000 RTP/AVP 0\nc=IN IP4 0.0.0.0", "port 4000 PCMU 0/0 20ms inactive held: c=0.0.0.0"},
	} {
		s := ours()
		s.Offer(tc.prefs)
		a, err := s.ReadAnswer(body(tc.answer))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if got := shown(a); got != tc.agreed {
			t.Errorf("%s: agreed\n%s\nwant\n%s", tc.name, got, tc.agreed)
		}
	}
	s := ours()
	s.Offer(Prefs{})
	for answer, status := range map[string]int{"m=audio 0 RTP/AVP 0": 488, "m=audio 4000 RTP/AVP 18": 488} {
		_, err := s.ReadAnswer(body(answer))
		var c leg.Cause
		if !errors.As(err, &c) || c.Status != status {
			t.Errorf("%q: %v", answer, err)
		}
	}
}

// The version in o= counts changes, and only those (RFC 3264 §8).
func TestVersions(t *testing.T) {
	s := ours()
	version := func(text []byte) string {
		return regexp.MustCompile(`o=crosspoint 1 (\d+)`).FindStringSubmatch(string(text))[1]
	}
	answer := func(p Prefs) []byte {
		text, _, err := s.Answer(body("m=audio 4000 RTP/AVP 0"), p)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for i, step := range []struct {
		text []byte
		want string
	}{
		{s.Offer(Prefs{}), "1"},
		{s.Offer(Prefs{}), "1"},
		{answer(Prefs{}), "2"}, // one codec instead of three
		{answer(Prefs{}), "2"},
		{answer(Prefs{Direction: SendOnly}), "3"}, // hold
		{answer(Prefs{}), "4"},                    // and back
		{answer(Prefs{}), "4"},
	} {
		if got := version(step.text); got != step.want {
			t.Errorf("step %d has version %s, want %s", i+1, got, step.want)
		}
	}
}

// The same description again is no change; a refresh of the session timer
// brings it (RFC 4028 §7.4).
func TestChanged(t *testing.T) {
	s := ours()
	for i, step := range []struct {
		media string
		want  bool
	}{
		{"m=audio 4000 RTP/AVP 0", true},
		{"m=audio 4000 RTP/AVP 0", false},
		{"m=audio 4002 RTP/AVP 0", true},
		{"m=audio 4002 RTP/AVP 0", false},
	} {
		_, a, err := s.Answer(body(step.media), Prefs{})
		if err != nil || a.Changed != step.want {
			t.Errorf("step %d: changed %v (%v), want %v", i+1, a.Changed, err, step.want)
		}
	}
}

// Payload types keep the numbers of the first offer, whoever offers later (RFC
// 3264 §8.3.2).
func TestNumbersStay(t *testing.T) {
	s := ours()
	if _, _, err := s.Answer(body("m=audio 4000 RTP/AVP 97 98\na=rtpmap:97 PCMA/8000\na=rtpmap:98 telephone-event/8000"), Prefs{}); err != nil {
		t.Fatal(err)
	}
	got := lines(s.Offer(Prefs{Laws: []g711.Law{g711.ALaw}}))
	if !strings.HasPrefix(got, "m=audio 16384 RTP/AVP 97 98\na=rtpmap:97 PCMA/8000\na=rtpmap:98 telephone-event/8000") {
		t.Errorf("our offer later:\n%s", got)
	}
}

// Our hold for a phone that knows no direction attributes (RFC 2543 §B.5).
func TestZeroAddress(t *testing.T) {
	s := ours()
	held := string(s.Offer(Prefs{Direction: SendOnly, ZeroAddress: true}))
	if !strings.Contains(held, "c=IN IP4 0.0.0.0\r\n") || !strings.Contains(held, "o=crosspoint 1 1 IN IP4 192.0.2.1\r\n") {
		t.Errorf("held:\n%s", held)
	}
	if back := string(s.Offer(Prefs{ZeroAddress: true})); !strings.Contains(back, "c=IN IP4 192.0.2.1\r\n") {
		t.Errorf("retrieved:\n%s", back)
	}
}

func TestIPv6AndRTCP(t *testing.T) {
	s := &Session{RTP: netip.MustParseAddrPort("[2001:db8::1]:16384"), RTCP: netip.MustParseAddrPort("[2001:db8::1]:17000"), ID: 7, Name: "office"}
	got := string(s.Offer(Prefs{}))
	for _, want := range []string{"o=office 7 1 IN IP6 2001:db8::1\r\n", "c=IN IP6 2001:db8::1\r\n", "a=rtcp:17000\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

// A session without an id takes the time, and keeps it.
func TestSessionID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ours()
		s.ID = 0
		first := s.Offer(Prefs{})
		time.Sleep(time.Second)
		if string(first) != string(s.Offer(Prefs{})) {
			t.Error("the id changed")
		}
	})
}

// Every description that the service examples of 1999 print is understood.
func TestDraft(t *testing.T) {
	text, err := os.ReadFile("../wire/testdata/service-examples.txt")
	if err != nil {
		t.Fatal(err)
	}
	page := regexp.MustCompile(`(?m)^(MCI WorldCom +\[Page|Internet Draft +Service).*\n`)
	found, hosts, holds := 0, 0, 0
	for _, m := range regexp.MustCompile(`(?m)(^[vosctma]= ?\S.*\n)+`).FindAllString(page.ReplaceAllString(string(text), ""), -1) {
		if !strings.Contains(m, "v=0") {
			continue
		}
		found++
		_, a, err := ours().Answer([]byte(m), Prefs{})
		if err != nil {
			t.Errorf("%v\n%s", err, m)
			continue
		}
		switch {
		case a.RemoteHost != "":
			hosts++
		case a.Hold == HeldZero:
			holds++
		case !a.Remote.IsValid():
			t.Errorf("no address in\n%s", m)
		}
		if a.Law != g711.MuLaw || a.RemotePort == 0 {
			t.Errorf("%s of\n%s", shown(a), m)
		}
	}
	if found != 66 || hosts != 2 || holds != 8 {
		t.Errorf("%d descriptions, %d with a host name, %d holding; the draft prints 66, 2 and 8", found, hosts, holds)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(body("m=audio 4000 RTP/AVP 0 8 101\na=rtpmap:101 telephone-event/8000\na=sendonly\na=rtcp:5 IN IP4 1.2.3.4"))
	f.Add(body("m=video 5000 RTP/AVP 31\nm=audio 4000/2 RTP/AVP 0\nc=IN IP6 ::1/3"))
	f.Add([]byte("v=0\no=G 1 1 IN IP4 g\nt=0 0\nc=IN IP4 g\nm=audio 3456 RTP/AVP 0\na=rtpmap:0 PCMU/8000\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := ours()
		answer, a, err := s.Answer(text, Prefs{})
		if err != nil {
			var c leg.Cause
			if !errors.As(err, &c) || c.Status < 400 {
				t.Fatalf("not a cause: %v", err)
			}
			return
		}
		if a.PT > 127 || a.EventPT > 127 || a.Ptime <= 0 || a.Ptime > 200*time.Millisecond {
			t.Fatalf("%+v", a)
		}
		if asked, answered := mediaLines(bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))), mediaLines(answer); len(asked) != len(answered) {
			t.Fatalf("%d streams are answered by %d", len(asked), len(answered))
		}
		peer := ours()
		peer.Offer(Prefs{})
		if _, err := peer.ReadAnswer(answer); err != nil && a.Direction != Inactive {
			var c leg.Cause
			if !errors.As(err, &c) || c.Status != 488 {
				t.Fatalf("our answer can't be read: %v\n%s", err, answer)
			}
		}
	})
}

func BenchmarkAnswer(b *testing.B) {
	offer := body("m=audio 4000 RTP/AVP 0 8 101\na=rtpmap:0 PCMU/8000\na=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\na=sendrecv")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ours().Answer(offer, Prefs{}); err != nil {
			b.Fatal(err)
		}
	}
}
