package wire

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// A fault says why something is refused as a message, and with which status
// (RFC 3261 §8.2, §16.3, §18.3).
type fault struct {
	status int // 0: it is nothing that could be answered
	why    string
}

func (f *fault) Error() string { return f.why }

func badf(format string, args ...any) *fault {
	return &fault{400, fmt.Sprintf(format, args...)}
}

// reader reads one message. The library's own parser is not used: it loses
// parameters, takes doubled headers and lets line breaks pass. The messages
// that it makes are the library's.
type reader struct {
	mended []Mending
	seen   uint32 // bits of the fields that may stand only once
	out    sip.Message
	// Contact of the library is the last one unless told otherwise.
	contact *sip.ContactHeader
}

// read makes a message of the bytes of a datagram or of a framed stream. On a
// fault, in has what could be read so far.
func read(raw []byte) (in Inbound, flt *fault) {
	n := headLen(raw)
	if n == 0 {
		// A message that ends with its last header was cut, or has no empty line.
		return in, &fault{0, "no empty line after the headers"}
	}
	r := &reader{}
	head, f := r.lines(raw[:n])
	if f != nil {
		return in, f
	}
	line, head := cutLine(head)
	version, f := r.startLine(line)
	if f != nil {
		return in, f
	}
	switch m := r.out.(type) {
	case *sip.Request:
		in.Request = m
	case *sip.Response:
		in.Response = m
	}
	flt = r.headers(head)
	if flt == nil && version != "SIP/2.0" {
		flt = &fault{505, "version " + version}
	}
	if flt == nil {
		flt = r.complete(in)
	}
	if flt == nil {
		flt = r.body(raw[n:])
	}
	in.Mended = r.mended
	return in, flt
}

func (r *reader) mend(m Mending) {
	if !slices.Contains(r.mended, m) {
		r.mended = append(r.mended, m)
	}
}

// lines is a head as a string whose lines end with LF. A phone of 1999 may end
// all of them so (RFC 2543 §4); one such line among others is an attempt to
// smuggle in a header. No other control character but the tab is allowed
// (RFC 3261 §25.1).
func (r *reader) lines(head []byte) (string, *fault) {
	crs := 0
	for i, c := range head {
		if !control[c] {
			continue
		}
		switch c {
		case '\r':
			if i+1 == len(head) || head[i+1] != '\n' {
				return "", &fault{0, "carriage return without line feed"}
			}
			crs++
		case '\n':
		default:
			return "", &fault{0, fmt.Sprintf("control character 0x%02x in the head", c)}
		}
	}
	if crs == 0 {
		r.mend(LineFeeds)
		return string(head), nil
	}
	if lfs := bytes.Count(head, []byte{'\n'}); lfs != crs {
		return "", &fault{0, "some lines end without carriage return"}
	}
	return string(head), nil
}

// control has the characters that a head may not have, and the line ends.
var control = func() (t [256]bool) {
	for c := range byte(' ') {
		t[c] = c != '\t'
	}
	t[0x7f] = true
	return t
}()

// cutLine splits off the first line, without its end.
func cutLine(s string) (line, rest string) {
	i := strings.IndexByte(s, '\n')
	if i < 0 {
		return s, ""
	}
	return strings.TrimSuffix(s[:i], "\r"), s[i+1:]
}

// startLine reads a request line or a status line (RFC 3261 §7.1, §7.2).
func (r *reader) startLine(line string) (version string, f *fault) {
	if len(line) > 4 && strings.EqualFold(line[:4], "SIP/") {
		return r.statusLine(line)
	}
	trimmed := strings.TrimRight(line, " \t")
	first, last := strings.IndexByte(trimmed, ' '), strings.LastIndexByte(trimmed, ' ')
	if first <= 0 || last == first {
		return "", &fault{0, "no SIP message"}
	}
	method, uri, version := trimmed[:first], trimmed[first+1:last], trimmed[last+1:]
	if len(version) < 5 || !strings.EqualFold(version[:4], "SIP/") || !isToken(method) {
		return "", &fault{0, "no SIP message"}
	}
	if len(trimmed) != len(line) {
		r.mend(RequestLineBlank)
	}
	var u sip.Uri
	err := parseURI(uri, &u)
	if err != nil {
		err = r.mendURI(uri, &u)
	}
	r.out = sip.NewRequest(sip.RequestMethod(method), u)
	switch {
	case err != nil:
		f = badf("Request-URI: %v", err)
	case u.Wildcard:
		f = badf("Request-URI is *")
	}
	return strings.ToUpper(version), f
}

func (r *reader) statusLine(line string) (version string, f *fault) {
	version, rest, _ := strings.Cut(line, " ")
	code, reason, hasReason := strings.Cut(rest, " ")
	n, err := strconv.Atoi(code)
	if err != nil || len(code) != 3 || n < 100 || n > 699 {
		return "", &fault{0, "no status code"}
	}
	if !hasReason {
		r.mend(NoReason)
	}
	r.out = sip.NewResponse(n, reason)
	return strings.ToUpper(version), nil
}

// headers reads all header fields, each unfolded (RFC 3261 §7.3.1).
func (r *reader) headers(head string) *fault {
	var first *fault
	for head != "" {
		var line string
		line, head = cutLine(head)
		if line == "" {
			break
		}
		if head != "" && (head[0] == ' ' || head[0] == '\t') {
			line, head = unfold(line, head)
		}
		// Reading goes on after a fault: the answer needs the other headers.
		if f := r.header(line); f != nil && first == nil {
			first = f
		}
	}
	if r.contact != nil { // the first of several
		if m, ok := r.out.(interface{ ReplaceHeader(sip.Header) }); ok {
			m.ReplaceHeader(r.contact)
		}
	}
	return first
}

func unfold(line, rest string) (string, string) {
	var b strings.Builder
	b.WriteString(strings.TrimRight(line, " \t"))
	for rest != "" && (rest[0] == ' ' || rest[0] == '\t') {
		line, rest = cutLine(rest)
		b.WriteByte(' ')
		b.WriteString(strings.Trim(line, " \t"))
	}
	return b.String(), rest
}

// header reads one header field into the message.
func (r *reader) header(line string) *fault {
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		return badf("header line without a colon: %q", clip(line))
	}
	name, value = strings.TrimRight(name, " \t"), strings.Trim(value, " \t")
	f, known := fieldOf(name)
	if !known && !isToken(name) {
		if f, known = r.mendName(name); !known {
			return badf("header name %q", clip(name))
		}
	}
	if r.seen&f.once != 0 {
		return badf("%s stands twice", f.name)
	}
	r.seen |= f.once
	if err := r.field(f.name, value); err != nil {
		return badf("%s: %v", f.name, err)
	}
	return nil
}

// field reads the value of a header whose name is long.
func (r *reader) field(name, value string) error {
	switch name {
	case "Via":
		return r.vias(value)
	case "From":
		a, err := r.address(value)
		r.out.AppendHeader(&sip.FromHeader{DisplayName: a.Name, Address: a.URI, Params: a.Params})
		return err
	case "To":
		a, err := r.address(value)
		r.out.AppendHeader(&sip.ToHeader{DisplayName: a.Name, Address: a.URI, Params: a.Params})
		return err
	case "Contact", "Route", "Record-Route":
		return r.list(name, value)
	case "Refer-To":
		a, err := r.address(value)
		r.out.AppendHeader(&sip.ReferToHeader{Address: a.URI})
		return err
	case "Referred-By":
		a, err := r.address(value)
		r.out.AppendHeader(&sip.ReferredByHeader{DisplayName: a.Name, Address: a.URI, Params: a.Params})
		return err
	case "Call-ID":
		id := sip.CallIDHeader(value)
		r.out.AppendHeader(&id)
		if value == "" || strings.ContainsAny(value, " \t") {
			return fmt.Errorf("%q", clip(value))
		}
		return nil
	case "CSeq":
		return r.cseq(value)
	case "Max-Forwards":
		n, err := strconv.ParseUint(value, 10, 8)
		h := sip.MaxForwardsHeader(n)
		r.out.AppendHeader(&h)
		return err
	case "Content-Length":
		return r.contentLength(value)
	case "Content-Type":
		h := sip.ContentTypeHeader(value)
		r.out.AppendHeader(&h)
		return nil
	}
	r.out.AppendHeader(sip.NewHeader(name, value))
	return nil
}

// cseq reads "314159 INVITE" (RFC 3261 §20.16, §8.1.1.5).
func (r *reader) cseq(value string) error {
	number, method, _ := strings.Cut(value, " ")
	number, tabbed, ok := strings.Cut(number, "\t")
	if ok {
		method = tabbed + " " + method
	}
	method = strings.Trim(method, " \t")
	n, err := strconv.ParseUint(number, 10, 31)
	r.out.AppendHeader(&sip.CSeqHeader{SeqNo: uint32(n), MethodName: sip.RequestMethod(method)})
	if err != nil || !isToken(method) {
		return fmt.Errorf("%q", clip(value))
	}
	return nil
}

func (r *reader) contentLength(value string) error {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		// On a stream the framer has refused it already; a datagram ends by itself.
		if strings.Trim(value, ".") == "" {
			r.mend(NoLength)
			return nil
		}
		return fmt.Errorf("%q", clip(value))
	}
	h := sip.ContentLengthHeader(n)
	r.out.AppendHeader(&h)
	return nil
}

// vias reads a list of Via values.
func (r *reader) vias(value string) error {
	for rest := value; ; {
		h := &sip.ViaHeader{}
		next, err := parseVia(rest, h)
		if err != nil {
			if next, err = r.mendVia(rest, h); err != nil {
				return err
			}
		}
		r.out.AppendHeader(h)
		if next == "" {
			return nil
		}
		rest = next
	}
}

// list reads a list of addresses.
func (r *reader) list(name, value string) error {
	if name == "Contact" && value == "*" {
		h := &sip.ContactHeader{Address: sip.Uri{Host: "*", Wildcard: true}}
		r.keepContact(h)
		r.out.AppendHeader(h)
		return nil
	}
	for rest := value; ; {
		a, next, err := r.addressOf(rest, true)
		if err != nil {
			return err
		}
		switch name {
		case "Contact":
			h := &sip.ContactHeader{DisplayName: a.Name, Address: a.URI, Params: a.Params}
			r.keepContact(h)
			r.out.AppendHeader(h)
		case "Route":
			r.out.AppendHeader(&sip.RouteHeader{Address: a.URI})
		case "Record-Route":
			r.out.AppendHeader(&sip.RecordRouteHeader{Address: a.URI})
		}
		if next == "" {
			return nil
		}
		rest = next
	}
}

func (r *reader) keepContact(h *sip.ContactHeader) {
	if r.contact == nil {
		r.contact = h
	}
}

// complete tells what a message lacks (RFC 3261 §8.1.1, §20 table 2).
// Max-Forwards is not asked for: it is younger than 1999.
func (r *reader) complete(in Inbound) *fault {
	m := r.out
	switch {
	case m.Via() == nil:
		return badf("no Via")
	case m.From() == nil:
		return badf("no From")
	case m.To() == nil:
		return badf("no To")
	case m.CallID() == nil:
		return badf("no Call-ID")
	case m.CSeq() == nil:
		return badf("no CSeq")
	case in.Request != nil && m.CSeq().MethodName != in.Request.Method:
		return badf("CSeq names %s, the request %s", m.CSeq().MethodName, in.Request.Method)
	}
	return nil
}

// body takes the body by Content-Length; on a datagram without one it is the
// rest (RFC 3261 §18.3).
func (r *reader) body(rest []byte) *fault {
	if h := r.out.ContentLength(); h != nil {
		switch n := int(*h); {
		case n > len(rest):
			return badf("Content-Length is %d, but the body has %d bytes", n, len(rest))
		case n < len(rest):
			rest = rest[:n]
		}
	}
	if len(rest) > 0 {
		r.out.SetBody(bytes.Clone(rest))
	}
	return nil
}

// clip shortens what is quoted in an error: the sender chose its length.
func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
