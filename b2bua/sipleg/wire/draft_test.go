package wire

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// printed is a message as the service examples of 1999 print it.
type printed struct {
	line int // of the draft
	text string
}

var (
	draftStart  = regexp.MustCompile(`^(INVITE|ACK|BYE|CANCEL) ?sip|^SIP/2\.0 \d\d\d `)
	draftHeader = regexp.MustCompile(`^(Via|From|To|Call-Id|CSeq|Contact|Content-Type|Content-Length|Content Length|Record-Route|Route|Proxy-Authenticate|Proxy-Authorization|Also|Requested-By): ?`)
	draftFolded = regexp.MustCompile(`^(WorldCom SIP"|domain=|opaque=|response=)`)
	draftBody   = regexp.MustCompile(`^[vosctma]= ?\S`)
	draftPage   = regexp.MustCompile(`^MCI WorldCom +\[Page|^Internet Draft +Service Examples`)
)

// draft takes all printed messages out of the draft. The printer's line breaks
// inside a URI are joined, those inside a header become folding, page breaks
// vanish, and "Content-Length: ..." is filled in.
func draft(t testing.TB) (messages []printed) {
	t.Helper()
	text, err := os.ReadFile("testdata/service-examples.txt")
	if err != nil {
		t.Fatal(err)
	}
	var m *printed
	var body []string
	finish := func() {
		if m == nil {
			return
		}
		b := strings.Join(body, "")
		head := strings.Replace(m.text, "Content-Length: ...", fmt.Sprintf("Content-Length: %d", len(b)), 1)
		m.text = head + "\r\n" + b
		messages = append(messages, *m)
		m, body = nil, nil
	}
	for n, line := range strings.Split(strings.ReplaceAll(string(text), "\r", ""), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case draftPage.MatchString(line) || line == "":
		case line == "SIP/2.0" && m != nil: // a request line that was too long to print
			m.text = strings.TrimSuffix(m.text, "\r\n") + " SIP/2.0\r\n"
		case draftStart.MatchString(line):
			finish()
			m = &printed{line: n + 1, text: line + "\r\n"}
		case m == nil:
		case draftHeader.MatchString(line):
			m.text += line + "\r\n"
		case strings.HasPrefix(line, "context="): // "phone-" ends the line above
			m.text = strings.TrimSuffix(m.text, "\r\n") + line + "\r\n"
		case draftFolded.MatchString(line):
			m.text += "    " + line + "\r\n"
		case draftBody.MatchString(line):
			body = append(body, line+"\r\n")
		default:
			finish()
		}
	}
	finish()
	return messages
}

// Every message that the draft prints is read, and what the exchange needs of
// it comes out.
func TestDraft(t *testing.T) {
	requests, responses := 0, 0
	mended := make(map[Mending]int)
	for _, p := range draft(t) {
		in, f := read([]byte(p.text))
		if f != nil {
			t.Errorf("line %d: %v\n%s", p.line, f, p.text)
			continue
		}
		for _, m := range in.Mended {
			mended[m]++
		}
		msg := in.Message()
		if id := string(*msg.CallID()); !strings.Contains(id, "@") {
			t.Errorf("line %d: Call-ID %q", p.line, id)
		}
		for _, u := range []sip.Uri{msg.From().Address, msg.To().Address} {
			if u.User == "" || u.Host == "" {
				t.Errorf("line %d: address %q", p.line, u.String())
			}
		}
		if strings.Contains(p.text, "To: TheLittleGuy <sip:UserB@there.com>;tag=") && !msg.To().Params.Has("tag") {
			t.Errorf("line %d: To tag lost", p.line)
		}
		if want := strings.Count(p.text, "\r\nVia:"); len(msg.GetHeaders("Via")) != want {
			t.Errorf("line %d: %d Via, want %d", p.line, len(msg.GetHeaders("Via")), want)
		}
		if strings.Contains(p.text, "branch=") != (msg.Via().Params.Has("branch")) {
			t.Errorf("line %d: branch of %s", p.line, msg.Via())
		}
		if strings.Contains(p.text, "\r\nv=0") != (len(msg.Body()) > 0) {
			t.Errorf("line %d: body of %d bytes", p.line, len(msg.Body()))
		}
		if req := in.Request; req != nil {
			requests++
			if u := req.Recipient; u.User == "" || strings.ContainsAny(u.Host, " <>") || u.Host == "" {
				t.Errorf("line %d: Request-URI %q", p.line, u.String())
			}
			for _, h := range req.GetHeaders("Route") {
				if u := h.(*sip.RouteHeader).Address; u.Host == "" || strings.Contains(u.String(), " ") {
					t.Errorf("line %d: Route %q", p.line, u.String())
				}
			}
		} else {
			responses++
		}
	}
	// As many as the draft has lines with a Call-Id.
	if requests != 96 || responses != 90 {
		t.Errorf("%d requests and %d responses were found, the draft prints 96 and 90", requests, responses)
	}
	want := map[Mending]int{HeaderNameBlank: 14, URIBlank: 46, URIScheme: 1}
	if fmt.Sprint(mended) != fmt.Sprint(want) {
		t.Errorf("mended %v, want %v", mended, want)
	}
}

// The private-plan number of section 2.5 keeps its context in both places.
func TestDraftPhoneContext(t *testing.T) {
	found := 0
	for _, p := range draft(t) {
		if !strings.Contains(p.text, "phone-context") {
			continue
		}
		in, f := read([]byte(p.text))
		if f != nil {
			t.Fatalf("line %d: %v", p.line, f)
		}
		var u sip.Uri
		switch {
		case in.Request != nil:
			u = in.Request.Recipient
		default:
			u = in.Response.Contact().Address
		}
		if user, _ := u.UriParams.Get("user"); u.User != "7773660,phone-context=p1234" || u.Host != "gw1.wcom.com" || user != "phone" {
			t.Errorf("line %d: %s", p.line, u.String())
		}
		found++
	}
	if found != 7 {
		t.Errorf("%d messages with the number, the draft prints 7", found)
	}
}
