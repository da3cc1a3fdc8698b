package lab

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/internal/siptest"
)

// A replay sends the phones' printed messages of one flow, and expects what the
// figure has the proxy send to them. What is adapted, and nothing else:
//
//   - Content-Length is filled in.
//   - The Request-URI of the first INVITE names the lab's extension that has
//     the service (UserB-busy for UserB).
//   - A response has Via, From, Call-Id and CSeq of the request that it
//     answers, and the printed tag in To: RFC 2543 §6.13 forces that, and a
//     B2BUA's requests are its own.
//   - A request within a call that the exchange began has that call's Call-Id,
//     and a To tag, where one is printed, is the tag that the exchange gave.
//   - Nonce and response of the digest.
//   - Where the figure leaves the authentication out, the 407 comes before it.
type replay struct {
	*scene
	l       *Lab
	flow    *flow
	phones  map[string]*siptest.Peer
	dialogs map[string]*dialog // by party and printed Call-Id
	nonces  map[string]string  // by party
	cut     [][2]int           // what is not of the figure in the tap's ladder: the authentication
	media   map[string]*place
	shown   int // messages that were sent as printed, or came as in the figure
}

// A dialog is a phone's part in one call.
type dialog struct {
	callID string                      // on the wire
	local  string                      // the phone's From where the exchange began the call, with the tag that it gave itself
	tag    string                      // the exchange's; empty: not known yet
	last   map[string]*siptest.Message // by method: the latest request that the phone was sent
}

// A scene says how a flow is played in the lab.
type scene struct {
	section string
	dials   string                // the extension that UserB is dialled as; empty: UserB
	as      [2]string             // a name that stands for another in all messages: UserD for UserA
	rename  map[int][2]string     // captions that name the wrong party: number -> from, to
	errata  map[int][2]string     // what is misprinted, and what was meant
	absent  []int                 // messages that the exchange has no use for
	place   map[int]string        // messages that belong to the call with this printed Call-Id instead
	marks   map[int]func(*replay) // what is to be heard behind a message
	file    func(string) string   // changes the lab's file; nil: it stays
	gateway string                // address of the SIP gateway that the file names; empty: none
	notes   string                // what is not as in the figure, and why
}

func (s *scene) run(t *testing.T, f *flow) (r *replay) {
	r = &replay{scene: s, flow: f, phones: map[string]*siptest.Peer{}, dialogs: map[string]*dialog{}, nonces: map[string]string{}, media: map[string]*place{}}
	cfg := Config{Name: "seed-lab.toml", Text: seedLab(t)}
	if s.file != nil {
		cfg.Text = s.file(cfg.Text)
	}
	if s.gateway != "" {
		cfg.Hosts = map[string]netip.AddrPort{"gw1.wcom.com": netip.MustParseAddrPort(s.gateway)}
	}
	Play(t, cfg, func(l *Lab) {
		r.l = l
		for _, m := range f.msgs {
			from, to := r.ends(m)
			r.phone(from)
			r.phone(to)
		}
		for _, m := range f.msgs {
			if slices.Contains(s.absent, m.n) {
				continue
			}
			r.step(m)
			if mark := s.marks[m.n]; mark != nil {
				mark(r)
			}
		}
		time.Sleep(40 * time.Second) // nothing comes after it
		synctest.Wait()
		r.compare()
	})
	return r
}

// ends are who a message is from and to.
func (r *replay) ends(m printed) (from, to string) {
	from, to = m.from, m.to
	if ends, ok := r.rename[m.n]; ok {
		from, to = ends[0], ends[1]
	}
	return r.played(from), r.played(to)
}

func (r *replay) played(name string) string {
	if r.as[0] == name {
		return r.as[1]
	}
	return name
}

// text is a message without its misprints, in the names that are played.
func (r *replay) text(m printed) string {
	text := m.text
	if e, ok := r.errata[m.n]; ok {
		text = strings.ReplaceAll(text, e[0], e[1])
	}
	if r.as[0] != "" {
		text = strings.ReplaceAll(text, r.as[0], r.as[1])
	}
	return text
}

// The parties that are no phones of the file.
const (
	line    = "line"    // the exchange's own telephone line
	gateway = "gateway" // another SIP gateway
)

func (r *replay) step(m printed) {
	from, to := r.ends(m)
	m.text = r.text(m)
	switch {
	case from == line || to == line: // it speaks no SIP: the town is looked at instead
	case to == leg.Us && strings.HasPrefix(m.text, "SIP/2.0"):
		r.respond(from, m)
	case to == leg.Us:
		r.request(from, m)
	default:
		r.expect(to, m)
	}
}

func (r *replay) phone(name string) *siptest.Peer {
	switch {
	case name == leg.Us || name == line:
		return nil
	case r.phones[name] != nil:
	case name == gateway:
		r.phones[name] = r.l.Peer(name, r.gateway)
	default:
		r.phones[name] = r.l.Phone(name)
	}
	r.phones[name].Wait = 5 * time.Second
	return r.phones[name]
}

func (r *replay) dialog(party string, m printed) *dialog {
	id := header(m.text, "Call-Id")
	if other, ok := r.place[m.n]; ok {
		id = other
	}
	id, _, _ = strings.Cut(id, "@") // the draft varies what is behind the @
	key := party + " " + id
	if r.dialogs[key] == nil {
		r.dialogs[key] = &dialog{last: map[string]*siptest.Message{}}
	}
	return r.dialogs[key]
}

// request sends a phone's request.
func (r *replay) request(party string, m printed) {
	d := r.dialog(party, m)
	text := m.text
	method, _, _ := strings.Cut(text, " ")
	if d.callID == "" { // the phone begins the call
		d.callID = header(text, "Call-Id")
		if r.dials != "" {
			text = strings.Replace(text, "INVITE sip:UserB@", "INVITE sip:"+r.dials+"@", 1)
		}
		if !r.flow.challenges() {
			r.authenticate(party, text)
			if header(text, "Proxy-Authorization") == "" {
				text = insertBefore(text, "Content-Type:", digestOf(r.flow, party))
			}
		}
	}
	text = setHeader(text, "Call-Id", d.callID)
	if d.tag != "" && method != "INVITE" || header(text, "To") != "" {
		text = retag(text, d.tag)
	}
	if _, ok := r.place[m.n]; ok && d.local != "" {
		text = setHeader(text, "From", d.local)
	}
	text = r.digest(party, text)
	r.spoke(party, text)
	r.phone(party).Send(text)
	r.shown++
}

// authenticate has the phone challenged, as the flows of the draft leave out.
func (r *replay) authenticate(party, text string) {
	synctest.Wait()
	begin := len(r.l.Wire.Rungs())
	text = dropHeader(setHeader(text, "Call-Id", "before."+header(text, "Call-Id")), "Proxy-Authorization")
	p := r.phone(party)
	p.Send(text)
	r.challenged(party, p.Expect("407"))
	head, _, _ := strings.Cut(text, "\n\n")
	head = dropHeader(dropHeader(strings.ReplaceAll(head, "INVITE", "ACK")+"\n\n", "Contact"), "Content-Type")
	p.Send(head)
	synctest.Wait()
	r.cut = append(r.cut, [2]int{begin, len(r.l.Wire.Rungs())})
}

// challenges tells that the figure shows the authentication.
func (f *flow) challenges() bool {
	return slices.ContainsFunc(f.msgs, func(m printed) bool { return strings.HasPrefix(m.text, "SIP/2.0 407") })
}

func (r *replay) challenged(party string, m *siptest.Message) {
	c := siptest.DigestParams(m.Get("Proxy-Authenticate"))
	if c["realm"] != "MCI WorldCom SIP" || c["qop"] != "" {
		r.l.t.Errorf("challenge %q", m.Get("Proxy-Authenticate"))
	}
	r.nonces[party] = c["nonce"]
}

// digestOf is the draft's credentials of User A as those of another party.
func digestOf(f *flow, party string) string {
	for _, m := range f.msgs {
		if i := strings.Index(m.text, "Proxy-Authorization:"); i >= 0 {
			v := m.text[i:strings.Index(m.text, "\nContent-Type:")]
			return strings.Replace(v, `"UserA"`, `"`+party+`"`, 1)
		}
	}
	return ""
}

var (
	nonceParam    = regexp.MustCompile(`nonce="[0-9a-f]*"`)
	responseParam = regexp.MustCompile(`response="[0-9a-f]*"`)
	uriParam      = regexp.MustCompile(`uri="([^"]*)"`)
)

// digest fills nonce and response of printed credentials in: RFC 2069 §2.1.2.
func (r *replay) digest(party, text string) string {
	uri := uriParam.FindStringSubmatch(text)
	if uri == nil {
		return text
	}
	hash := func(s string) string { h := md5.Sum([]byte(s)); return hex.EncodeToString(h[:]) }
	nonce := r.nonces[party]
	response := hash(hash(party+":MCI WorldCom SIP:seed-"+strings.ToLower(party)) + ":" + nonce + ":" + hash("INVITE:"+uri[1]))
	text = nonceParam.ReplaceAllString(text, `nonce="`+nonce+`"`)
	return responseParam.ReplaceAllString(text, `response="`+response+`"`)
}

// respond sends a phone's response to the latest request of its method.
func (r *replay) respond(party string, m printed) {
	d := r.dialog(party, m)
	_, method, _ := strings.Cut(header(m.text, "CSeq"), " ")
	req := d.last[method]
	if req == nil {
		r.l.t.Fatalf("section %s: %s is to answer F%d, but was sent no %s", r.section, party, m.n, method)
	}
	to := req.Get("To")
	if tag := tagOf(header(m.text, "To")); tag != "" && req.Param("To", "tag") == "" {
		to += ";tag=" + tag
	}
	text := dropHeader(dropHeader(m.text, "Via"), "Record-Route")
	start, rest, _ := strings.Cut(text, "\n")
	text = start + "\n"
	for _, via := range req.All("Via") {
		text += "Via: " + via + "\n"
	}
	if d.local == "" {
		d.local = to
	}
	r.spoke(party, m.text)
	text = setHeader(setHeader(text+rest, "From", req.Get("From")), "To", to)
	text = setHeader(setHeader(text, "Call-Id", req.Get("Call-ID")), "CSeq", req.Get("CSeq"))
	r.phone(party).Send(text)
	r.shown++
}

// expect waits for what the figure has the proxy send.
func (r *replay) expect(party string, m printed) {
	r.l.t.Helper()
	want := message(m.text)
	what := want.Method
	if what == "" {
		what = want.String()
	}
	got := r.phone(party).Expect(what)
	r.heard(party, got)
	r.shown++
	d := r.dialog(party, m)
	switch {
	case got.Status == 407:
		r.challenged(party, got)
		return
	case got.Status > 0:
		if tag := got.Param("To", "tag"); tag != "" && strings.HasSuffix(got.Get("CSeq"), "INVITE") && d.last["INVITE"] == nil {
			d.tag = tag
		}
	default:
		if d.callID == "" {
			d.callID, d.tag = got.Get("Call-ID"), got.Param("From", "tag")
		}
		d.last[got.Method] = got
	}
	r.looksLike(party, m.n, want, got)
}

// looksLike compares what people see of a message: who calls whom, why it
// failed, who transferred.
func (r *replay) looksLike(party string, n int, want, got *siptest.Message) {
	where := fmt.Sprintf("section %s: F%d at %s", r.section, n, party)
	if want.Status > 0 {
		if want.Status >= 300 && want.Status != 407 && want.Reason != got.Reason {
			r.l.t.Errorf("%s: %s, not %s", where, got.Start, want.Start)
		}
		return
	}
	if want.Method == "INVITE" && want.Param("From", "tag") == "" {
		for _, h := range []string{"From", "To"} {
			if g, w := name(got, h), name(want, h); g != w {
				r.l.t.Errorf("%s: %s: %s, not %s", where, h, g, w)
			}
		}
	}
	if g, w := got.Address("Requested-By"), want.Address("Requested-By"); g != w {
		r.l.t.Errorf("%s: Requested-By: %s, not %s", where, g, w)
	}
	if g, w := userOf(got.URI), userOf(want.URI); !strings.EqualFold(g, w) && want.Method == "INVITE" {
		r.l.t.Errorf("%s: Request-URI %s, not %s", where, got.URI, want.URI)
	}
}

// name is a From or To without its tag: display name and address.
func name(m *siptest.Message, header string) string {
	v := m.Get(header)
	display, _, _ := strings.Cut(v, "<")
	return strings.Trim(strings.TrimSpace(display), `"`) + " <" + m.Address(header) + ">"
}

// compare holds each phone's column against the figure's.
func (r *replay) compare() {
	r.l.t.Helper()
	want := map[string][]string{}
	for _, m := range r.flow.msgs {
		from, to := r.ends(m)
		m.text = r.text(m)
		switch {
		case slices.Contains(r.absent, m.n) || from == line || to == line:
		case to == leg.Us:
			want[from] = append(want[from], "> "+draw(message(m.text)))
		default:
			want[to] = append(want[to], "< "+draw(message(m.text)))
		}
	}
	for party := range r.phones {
		got := r.column(party)
		if !slices.Equal(got, want[party]) {
			r.l.t.Errorf("section %s, %s:\n got %q\nwant %q\n%s", r.section, party, got, want[party], r.l.Wire.Figure())
		}
	}
}

func (r *replay) column(party string) (list []string) {
	for i, g := range r.l.Wire.Rungs() {
		if slices.ContainsFunc(r.cut, func(c [2]int) bool { return i >= c[0] && i < c[1] }) {
			continue
		}
		switch party {
		case g.From:
			list = append(list, "> "+g.Text)
		case g.To:
			list = append(list, "< "+g.Text)
		}
	}
	return list
}

// message reads a printed message, mended as far as siptest is too strict for it.
func message(text string) *siptest.Message {
	head, body, _ := strings.Cut(text, "\n\n")
	head = regexp.MustCompile(`\n +`).ReplaceAllString(head, " ")
	head = regexp.MustCompile(`(?m)^Content.Length:.*\n?`).ReplaceAllString(head, "")
	m, err := siptest.Parse(strings.ReplaceAll(strings.TrimRight(tidy(head), "\n"), "\n", "\r\n") + "\r\n\r\n" + strings.ReplaceAll(body, "\n", "\r\n"))
	if err != nil {
		panic(err)
	}
	return m
}

// header is the value of a printed message's header; empty: it has none.
func header(text, name string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func setHeader(text, name, value string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, name+":") {
			lines[i] = name + ": " + value
		}
	}
	return strings.Join(lines, "\n")
}

func dropHeader(text, name string) string {
	var out []string
	dropping := false
	for line := range strings.SplitSeq(text, "\n") {
		dropping = strings.HasPrefix(line, name+":") || dropping && strings.HasPrefix(line, " ")
		if !dropping {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

func insertBefore(text, header, lines string) string {
	return strings.Replace(text, "\n"+header, "\n"+lines+"\n"+header, 1)
}

func tagOf(v string) string {
	_, tag, _ := strings.Cut(v, ";tag=")
	return tag
}

// retag puts the exchange's tag in the place of a printed To tag.
func retag(text, tag string) string {
	if to := header(text, "To"); tag != "" && tagOf(to) != "" {
		return setHeader(text, "To", strings.Replace(to, ";tag="+tagOf(to), ";tag="+tag, 1))
	}
	return text
}

// seedLab is the lab's file.
func seedLab(t testing.TB) string {
	t.Helper()
	return readFile(t, "../../configs/seed-lab.toml")
}
