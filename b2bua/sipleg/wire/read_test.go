package wire

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// invite is a well-formed message of today's kind.
const invite = `INVITE sip:102@192.0.2.1;transport=udp SIP/2.0
Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKnashds8;rport
Max-Forwards: 70
From: "Alice" <sip:101@192.0.2.1>;tag=1928301774
To: <sip:102@192.0.2.1>
Call-ID: a84b4c76e66710@192.0.2.7
CSeq: 314159 INVITE
Contact: <sip:101@192.0.2.7:5060>
Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY
Supported: replaces, timer
User-Agent: Test phone 1.0
Content-Type: application/sdp
Content-Length: 4

v=0
`

// with is the invite with lines changed: "Name: value" replaces, "+Name: value"
// adds, "-Name" removes, and a line without colon before its first blank is a
// new start line.
func with(changes ...string) []byte {
	lines := strings.Split(strings.TrimSuffix(invite, "\n\nv=0\n"), "\n")
	for _, c := range changes {
		name, _, _ := strings.Cut(c, ":")
		switch {
		case strings.HasPrefix(c, "+"):
			lines = append(lines, c[1:])
			continue
		case strings.HasPrefix(c, "-"):
			name = c[1:]
		case strings.HasPrefix(c, "!"):
			lines[0] = c[1:]
			continue
		}
		var out []string
		for _, l := range lines {
			if !strings.HasPrefix(l, name+":") {
				out = append(out, l)
			} else if c[0] != '-' {
				out = append(out, c)
			}
		}
		lines = out
	}
	return append(crlf(strings.Join(lines, "\n")+"\n\n"), "v=0\n"...)
}

// What is allowed is read without mending, and nothing of it is lost.
func TestRead(t *testing.T) {
	via := func(r *sip.Request) string { return r.Via().Value() }
	from := func(r *sip.Request) string { return r.From().Value() }
	contact := func(r *sip.Request) string { return r.Contact().Value() }
	header := func(name string) func(*sip.Request) string {
		return func(r *sip.Request) string {
			h := r.GetHeader(name)
			if h == nil {
				return "none"
			}
			return h.Value()
		}
	}
	for _, tc := range []struct {
		name string
		raw  []byte
		of   func(*sip.Request) string
		want string
	}{
		{"names of parameters in any case", with("From: <sip:a@h>;TAG=x1"), from, "<sip:a@h>;tag=x1"},
		{"branch in any case", with("Via: SIP/2.0/UDP h;BRANCH=z9hG4bKx;RPort"), via, "SIP/2.0/UDP h;branch=z9hG4bKx;rport"},
		{"blanks around ; and =", with("From: <sip:a@h> ; tag = x1"), from, "<sip:a@h>;tag=x1"},
		{"blanks in Via", with("Via: SIP / 2.0 / UDP  h : 5062 ; branch = z9hG4bKx ; ttl=1"), via, "SIP/2.0/UDP h:5062;branch=z9hG4bKx;ttl=1"},
		{"quoted value with separators", with(`From: <sip:a@h>;x="b;c=d,e";tag=x1`), from, `<sip:a@h>;x="b;c=d,e";tag=x1`},
		{"quoted value with blanks", with(`Via: SIP/2.0/UDP h;x="b c";branch=z9hG4bKx`), via, `SIP/2.0/UDP h;x="b c";branch=z9hG4bKx`},
		{"escaped quote in a display name", with(`From: "A \"B\" <c>" <sip:a@h>;tag=x1`), from, `"A \"B\" <c>" <sip:a@h>;tag=x1`},
		{"display name without quotes", with(`From: The Big Guy <sip:a@h>;tag=x1`), from, `"The Big Guy" <sip:a@h>;tag=x1`},
		{"address without brackets", with(`From: sip:a@h;tag=x1`), from, `<sip:a@h>;tag=x1`},
		{"short names", with("-From", "-Via", "+f: <sip:a@h>;tag=x1", "+v: SIP/2.0/UDP h;branch=z9hG4bKx"), from, "<sip:a@h>;tag=x1"},
		{"short Refer-To", with("+r: <sip:a@h>"), header("Refer-To"), "<sip:a@h>"},
		{"short Supported", with("-Supported", "+K: timer"), header("Supported"), "timer"},
		{"short Session-Expires", with("+x: 90"), header("Session-Expires"), "90"},
		{"short Event", with("+o: refer"), header("Event"), "refer"},
		{"short Referred-By", with("+b: <sip:a@h>"), header("Referred-By"), "<sip:a@h>"},
		{"name in any case", with("+SESSION-EXPIRES: 90"), header("session-expires"), "90"},
		{"blank before the colon", with("+Replaces  : x"), header("Replaces"), "x"},
		{"folded header", with("Supported: replaces,\n   timer,\n\tnorefersub"), header("Supported"), "replaces, timer, norefersub"},
		{"empty header", with("+Subject:"), header("Subject"), ""},
		{"several blanks in CSeq", with("CSeq: 9 \t INVITE"), header("CSeq"), "9 INVITE"},
		{"several Contacts: the first counts", with("Contact: <sip:a@h>, <sip:b@h>"), contact, "<sip:a@h>"},
		{"Contact with +sip.instance", with(`Contact: <sip:a@h>;+sip.instance="<urn:uuid:a=b>"`), contact, `<sip:a@h>;+sip.instance="<urn:uuid:a=b>"`},
		{"Contact without brackets with +sip.instance", with(`Contact: sip:a@h;+sip.instance="<urn:x>"`), contact, `<sip:a@h>;+sip.instance="<urn:x>"`},
		{"names of URI parameters in any case", with("Contact: <sip:a@h;Transport=TCP;LR>"), contact, "<sip:a@h;transport=TCP;lr>"},
		{"IPv6", with("Via: SIP/2.0/UDP [2001:db8::1]:5062;branch=z9hG4bKx"), via, "SIP/2.0/UDP [2001:db8::1]:5062;branch=z9hG4bKx"},
		{"IPv6 in a URI", with("Contact: <sip:a@[2001:db8::1]:5062>"), contact, "<sip:a@[2001:db8::1]:5062>"},
		{"Replaces in Refer-To", with("+Refer-To: <sip:a@h?Replaces=1%40h%3Bto-tag%3D2>"), header("Refer-To"), "<sip:a@h?Replaces=1%40h%3Bto-tag%3D2>"},
		{"telephone number", with("To: <tel:7773660;phone-context=p1234>"), func(r *sip.Request) string { return r.To().Address.Raw() }, "7773660;phone-context=p1234"},
		{"semicolon in the user", with("To: <sip:7773660;phone-context=p1234@h>"), func(r *sip.Request) string { return r.To().Address.User }, "7773660;phone-context=p1234"},
		{"comma in the user of a list", with("Contact: <sip:7773660,phone-context=p1234@h>"), contact, "<sip:7773660,phone-context=p1234@h>"},
		{"no Max-Forwards", with("-Max-Forwards"), via, "SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKnashds8;rport"},
		{"no branch, no tag", with("Via: SIP/2.0/UDP h", "From: <sip:a@h>"), via, "SIP/2.0/UDP h"},
		{"method of its own", with("!NEWMETHOD sip:a@h SIP/2.0", "CSeq: 1 NEWMETHOD"), func(r *sip.Request) string { return string(r.Method) }, "NEWMETHOD"},
		{"body by Content-Length", append(with(), "trailing bytes"...), func(r *sip.Request) string { return string(r.Body()) }, "v=0\n"},
		{"body to the datagram's end", with("-Content-Length"), func(r *sip.Request) string { return string(r.Body()) }, "v=0\n"},
		{"lower-case version", with("!INVITE sip:a@h sip/2.0"), func(r *sip.Request) string { return r.Recipient.String() }, "sip:a@h"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in, f := read(tc.raw)
			if f != nil {
				t.Fatalf("refused: %v\n%s", f, tc.raw)
			}
			if len(in.Mended) > 0 {
				t.Errorf("mended %v, though it is allowed", in.Mended)
			}
			if got := tc.of(in.Request); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// Lists come out as one header for each.
func TestReadLists(t *testing.T) {
	in, f := read(with("Via: SIP/2.0/UDP a;branch=1, SIP/2.0/TCP b:5061 ; branch=\"x,y\"", "+Via: SIP/2.0/UDP c",
		`Contact: "A, B" <sip:a@h>;q=0.5 , sip:b@h;expires=3 ,<sip:c,d@h>`, "+Record-Route: <sip:p1;lr>,<sip:p2>",
		"+Route: <sip:r1;lr>", "+Route: <sip:r2;lr>"))
	if f != nil {
		t.Fatal(f)
	}
	for name, want := range map[string][]string{
		"Via":          {"SIP/2.0/UDP a;branch=1", `SIP/2.0/TCP b:5061;branch="x,y"`, "SIP/2.0/UDP c"},
		"Contact":      {`"A, B" <sip:a@h>;q=0.5`, "<sip:b@h>;expires=3", "<sip:c,d@h>"},
		"Record-Route": {"<sip:p1;lr>", "<sip:p2>"},
		"Route":        {"<sip:r1;lr>", "<sip:r2;lr>"},
	} {
		var got []string
		for _, h := range in.Request.GetHeaders(name) {
			got = append(got, h.Value())
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := in.Request.Via().Value(); got != "SIP/2.0/UDP a;branch=1" {
		t.Errorf("top Via %q", got)
	}
	if got := in.Request.Route().Address.Host; got != "r1" {
		t.Errorf("first Route %q", got)
	}
}

// Headers that stay text have the same addresses in them.
func TestReadAddress(t *testing.T) {
	for _, tc := range []struct{ value, want string }{
		{`"Bob \"B\" <jr>, x" <sip:bob@b.example;user=phone?Replaces=a%3Bb> ; Reason="no answer";n, <sip:x@y>`, `Bob \"B\" <jr>, x|sip:bob@b.example;user=phone?Replaces=a%3Bb|reason="no answer";n`},
		{"sip:bob@b.example;reason=busy", "|sip:bob@b.example|reason=busy"},
		{"<tel:+15551234>", "|tel:+15551234|"},
		{"Bob <sip: bob@ b.example>", "Bob|sip:bob@b.example|"},
		{"<bob@b.example>;a=1", "|sip:bob@b.example|a=1"},
		{"sip:7773660,phone-context=p1234@gw1.wcom.com", "|sip:7773660,phone-context=p1234@gw1.wcom.com|"},
		{"garbage", ""}, {"", ""}, {"*", ""}, {"<sip:", ""}, {"<>", ""}, {`"Bob`, ""}, {"Bob, jr <sip:bob@b.example>", ""}, {"<sip:@b.example>", ""},
	} {
		a, err := ReadAddress(tc.value)
		got := a.Name + "|" + a.URI.String() + "|" + a.Params.ToString(';')
		if err != nil {
			got = ""
		}
		if got != tc.want {
			t.Errorf("%s: %q (%v), want %q", tc.value, got, err, tc.want)
		}
	}
}

// What phones of 1999, and some of later, write differently is mended, and the
// mending is named.
func TestMend(t *testing.T) {
	for _, tc := range []struct {
		by   Mending
		raw  []byte
		of   func(Inbound) string
		want string
	}{
		{LineFeeds, []byte(strings.ReplaceAll(string(with()), "\r\n", "\n")), func(in Inbound) string { return string(*in.Request.CallID()) }, "a84b4c76e66710@192.0.2.7"},
		{RequestLineBlank, with("!INVITE sip:a@h SIP/2.0  "), uriOf, "sip:a@h"},
		{NoReason, crlf("SIP/2.0 200\nVia: SIP/2.0/UDP h\nFrom: <sip:a@h>\nTo: <sip:b@h>\nCall-ID: 1\nCSeq: 1 BYE\n\n"), func(in Inbound) string { return fmt.Sprint(in.Response.StatusCode) }, "200"},
		{HeaderNameBlank, with("-Content-Length", "+Content Length:4"), func(in Inbound) string { return in.Request.ContentLength().Value() }, "4"},
		{NoLength, with("Content-Length: ..."), func(in Inbound) string { return string(in.Request.Body()) }, "v=0\n"},
		{URIBlank, with("!INVITE sip: UserB@there.com SIP/2.0"), uriOf, "sip:UserB@there.com"},
		{URIBlank, with("!INVITE sip:UserB1@ there.com SIP/2.0"), uriOf, "sip:UserB1@there.com"},
		{URIBlank, with("To: TheLittleGuy < sip:UserB@there.com >;tag=3"), toOf, `"TheLittleGuy" <sip:UserB@there.com>;tag=3`},
		{URIBlank, with("To: sip: UserB@there.com;tag=3"), toOf, `<sip:UserB@there.com>;tag=3`},
		{URIScheme, with("To: <UserB4@there.com>;tag=3"), toOf, `<sip:UserB4@there.com>;tag=3`},
		{URIScheme, with("To: <there.com:5060>"), toOf, `<sip:there.com:5060>`},
		{URIScheme, with("!INVITE UserB@there.com SIP/2.0"), uriOf, "sip:UserB@there.com"},
		{URISlashes, with("!INVITE sip://UserB@there.com SIP/2.0"), uriOf, "sip:UserB@there.com"},
		{URIUnbracketed, with("Contact: sip:7773660,phone-context=p1234@gw1.wcom.com;q=1"), contactOf, "<sip:7773660,phone-context=p1234@gw1.wcom.com>;q=1"},
		{URIUnbracketed, with("Contact: sip:7773660;Phone-Context=p1234@gw1.wcom.com"), contactOf, "<sip:7773660;Phone-Context=p1234@gw1.wcom.com>"},
		{DisplayName, with("To: Doe, John (office) <sip:john@h>"), toOf, `"Doe, John (office)" <sip:john@h>`},
		{DisplayName, with(`To: a"b <sip:john@h>`), toOf, `"a\"b" <sip:john@h>`},
		{ViaComment, with("Via: SIP/2.0/UDP h;branch=z9hG4bKx (Acme server)"), func(in Inbound) string { return in.Request.Via().Value() }, "SIP/2.0/UDP h;branch=z9hG4bKx"},
	} {
		t.Run(tc.by.String(), func(t *testing.T) {
			in, f := read(tc.raw)
			if f != nil {
				t.Fatalf("refused: %v\n%s", f, tc.raw)
			}
			if !reflect.DeepEqual(in.Mended, []Mending{tc.by}) {
				t.Errorf("mended %v, want %v", in.Mended, tc.by)
			}
			if got := tc.of(in); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func uriOf(in Inbound) string     { return in.Request.Recipient.String() }
func toOf(in Inbound) string      { return in.Request.To().Value() }
func contactOf(in Inbound) string { return in.Request.Contact().Value() }

// What is no message, or could be understood in two ways, is refused and said why.
func TestRefuse(t *testing.T) {
	for _, tc := range []struct {
		raw    []byte
		status int
		why    string
	}{
		{with("-From"), 400, "no From"},
		{with("-To"), 400, "no To"},
		{with("-Call-ID"), 400, "no Call-ID"},
		{with("-CSeq"), 400, "no CSeq"},
		{with("-Via"), 400, "no Via"},
		{with("CSeq: 1 BYE"), 400, "CSeq names BYE, the request INVITE"},
		{with("CSeq: 1"), 400, "CSeq"},
		{with("CSeq: 2147483648 INVITE"), 400, "CSeq"},
		{with("CSeq: -1 INVITE"), 400, "CSeq"},
		{with("+From: <sip:b@h>;tag=2"), 400, "From stands twice"},
		{with("+f: <sip:b@h>;tag=2"), 400, "From stands twice"},
		{with("+To: <sip:b@h>"), 400, "To stands twice"},
		{with("+Call-Id: 2"), 400, "Call-ID stands twice"},
		{with("+CSeq: 2 INVITE"), 400, "CSeq stands twice"},
		{with("+Max-Forwards: 3"), 400, "Max-Forwards stands twice"},
		{with("+l: 4"), 400, "Content-Length stands twice"},
		{with("+Replaces: a", "+Replaces: b"), 400, "Replaces stands twice"},
		{with("+Refer-To: <sip:a@h>", "+r: <sip:b@h>"), 400, "Refer-To stands twice"},
		{with("Call-ID: a b"), 400, "Call-ID"},
		{with("Max-Forwards: 256"), 400, "Max-Forwards"},
		{with("Max-Forwards: many"), 400, "Max-Forwards"},
		{with("Content-Length: 5"), 400, "Content-Length is 5, but the body has 4 bytes"},
		{with("Content-Length: -1"), 400, "Content-Length"},
		{with("Content-Length: 99999999999999999999"), 400, "Content-Length"},
		{with("From: <sip:a@h>;tag=1;tag=2"), 400, "parameter tag stands twice"},
		{with("From: <sip:a@h>;tag=1;TAG=2"), 400, "parameter tag stands twice"},
		{with(`From: "Alice <sip:a@h>;tag=1`), 400, "quote without end"},
		{with("From: <sip:a@h;tag=1"), 400, "< without >"},
		{with(`From: "Alice" sip:a@h`), 400, "display name, but no <address>"},
		{with("From: <sip:a@h> junk"), 400, "no parameter"},
		{with("From: *"), 400, "* is no address"},
		{with("From:"), 400, "no address"},
		{with("To: <sip:@h>"), 400, "empty user"},
		{with("To: <sip:a@>"), 400, "no host"},
		{with("To: <sip:a@h:99999>"), 400, "port"},
		{with("To: <sip:a@h\"x>"), 400, "character"},
		{with("Via: SIP/2.0/UDP"), 400, "no transport"},
		{with("Via: SIP/3.0/UDP h"), 400, "protocol"},
		{with("Via: SIP/2.0/UDP h:port"), 400, "port"},
		{with("Via: SIP/2.0/UDP h,"), 0, ""}, // a comma at the end says nothing
		{with("+No colon in this line"), 400, "without a colon"},
		{with("+Bad(name: x"), 400, "header name"},
		{with("!INVITE * SIP/2.0"), 400, "Request-URI is *"},
		{with("!INVITE sip: SIP/2.0"), 400, "Request-URI"},
		{with("!INVITE <sip:a@h> SIP/2.0"), 400, "Request-URI"},
		{with("!INVITE sip:a@h SIP/7.0"), 505, "version SIP/7.0"},
		{with("!INVITE sip:a@h SIP/2.00"), 505, "version"},
		{with("!INVITE sip:a@h HTTP/1.1"), -1, "no SIP message"},
		{with("!GET / HTTP/1.1"), -1, "no SIP message"},
		{with("!INV{}TE sip:a@h SIP/2.0"), -1, "no SIP message"},
		{with("!INVITE"), -1, "no SIP message"},
		{with("+Subject: a\rb"), -1, "carriage return"},
		{[]byte(strings.Replace(string(with("+Subject: a|Evil: b")), "|", "\n", 1)), -1, "some lines end without carriage return"},
		{with("+Subject: a\x00b"), -1, "control character"},
		{with("+Subject: a\x1bb"), -1, "control character"},
		{[]byte("INVITE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n"), -1, "no empty line"},
		{crlf("SIP/2.0 2000 OK\n\n"), -1, "no status code"},
		{crlf("SIP/2.0 099 OK\n\n"), -1, "no status code"},
		{crlf("SIP/2.0 OK\n\n"), -1, "no status code"},
	} {
		in, f := read(tc.raw)
		switch {
		case tc.status == 0 && f == nil:
		case tc.status == 0:
			t.Errorf("refused: %v\n%s", f, tc.raw)
		case f == nil:
			t.Errorf("read, but should be refused: %s\n%s", tc.why, tc.raw)
		case f.status != max(tc.status, 0) || !strings.Contains(f.why, tc.why):
			t.Errorf("%d %q, want %d %q", f.status, f.why, tc.status, tc.why)
		}
		_ = in
	}
}

// What is written is read the same.
func TestRoundTrip(t *testing.T) {
	for _, p := range append(draft(t), printed{text: string(with())}) {
		in, f := read([]byte(p.text))
		if f != nil {
			t.Fatal(f)
		}
		once, err := Bytes(in.Message())
		if err != nil {
			t.Fatal(err)
		}
		again, f := read(once)
		if f != nil {
			t.Fatalf("line %d: what we write is refused: %v\n%s", p.line, f, once)
		}
		if len(again.Mended) > 0 {
			t.Errorf("line %d: what we write needs mending: %v\n%s", p.line, again.Mended, once)
		}
		twice, err := Bytes(again.Message())
		if err != nil || string(once) != string(twice) {
			t.Errorf("line %d: written twice, it differs:\n%s\n%s", p.line, once, twice)
		}
	}
}

// A line break in a value that comes from elsewhere does not get out.
func TestInjection(t *testing.T) {
	in, _ := read(with())
	in.Request.AppendHeader(sip.NewHeader("Subject", "hello\r\nRoute: <sip:evil@h>"))
	if _, err := Bytes(in.Request); err != ErrUnclean {
		t.Errorf("%v, want %v", err, ErrUnclean)
	}
	in, _ = read(with())
	in.Request.From().DisplayName = "x\nVia: y"
	if _, err := Bytes(in.Request); err != ErrUnclean {
		t.Errorf("%v, want %v", err, ErrUnclean)
	}
}

// docs/legacy-sip.md lists every mending by name.
func TestMendingsDocumented(t *testing.T) {
	text := readDoc(t, "../../../docs/legacy-sip.md")
	for m := range mendings {
		if !strings.Contains(text, "`"+m.String()+"`") {
			t.Errorf("docs/legacy-sip.md does not list %s", m)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(with())
	for i, p := range draft(f) {
		if i%9 == 0 {
			f.Add([]byte(p.text))
		}
	}
	f.Add(with(`Contact: "a\" <sip:b@h>, <sip:c;d=e?f=g>;h="i,j"`, "+Record-Route: <sip:[::1];lr>, sip:x"))
	f.Add(with("Via: SIP/2.0/UDP h;x=\"(\" (y), SIP/2.0/UDP [::1]:5"))
	f.Add(with("+Alert-Info: <urn:alert:source:internal>,Bellcore-dr2;a=\"b, c\"", "+alert-info:", "+ALERT-INFO: <\xff"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, flt := read(raw)
		if flt != nil {
			if in.Request != nil && in.Request.Via() != nil {
				if _, err := Bytes(refusal(in.Request, flt)); err != nil {
					t.Errorf("the refusal can't be written: %v", err)
				}
			}
			return
		}
		m := in.Message()
		if m.Via() == nil || m.From() == nil || m.To() == nil || m.CallID() == nil || m.CSeq() == nil {
			t.Fatal("a header that is promised is missing")
		}
		out, err := Bytes(m)
		if err != nil {
			t.Fatalf("what was read can't be written: %v", err)
		}
		again, flt := read(out)
		if flt != nil {
			t.Fatalf("what was written can't be read: %v\n%q\n%q", flt, raw, out)
		}
		if len(withLength(again.Message())) != len(withLength(m)) {
			t.Fatalf("headers came or went:\n%q\n%q", raw, out)
		}
		if n, err := frame(out, 1<<20); err != nil || n != len(out) {
			t.Fatalf("framed as %d of %d bytes: %v", n, len(out), err)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	raw := with()
	b.ReportAllocs()
	for b.Loop() {
		if _, f := read(raw); f != nil {
			b.Fatal(f)
		}
	}
}

// The library's own parser, for comparison.
func BenchmarkLibraryParser(b *testing.B) {
	raw := with()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sip.ParseMessage(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadMended(b *testing.B) {
	raw := with("!INVITE sip: UserB@there.com SIP/2.0", "To: < sip:UserB@there.com >", "-Content-Length", "+Content Length:4")
	b.ReportAllocs()
	for b.Loop() {
		if _, f := read(raw); f != nil {
			b.Fatal(f)
		}
	}
}

func BenchmarkBytes(b *testing.B) {
	in, _ := read(with())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Bytes(in.Request); err != nil {
			b.Fatal(err)
		}
	}
}
