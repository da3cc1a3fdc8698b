package siptest

import (
	"fmt"
	"strconv"
	"strings"
)

// A Message is a SIP message as text: read without any SIP library, so that
// tests judge the exchange by other eyes than its own.
type Message struct {
	Text   string // as it was on the wire
	Start  string // start line
	Method string // of a request
	URI    string // of a request
	Status int    // of a response
	Reason string // of a response
	Lines  []Line // headers in order
	Body   string
	From   string // where it came from: ip:port
}

// A Line is one header.
type Line struct{ Name, Value string }

// Parse reads a message. Short names of headers are written out.
func Parse(text string) (*Message, error) {
	head, body, ok := strings.Cut(text, "\r\n\r\n")
	if !ok {
		return nil, fmt.Errorf("no empty line in %q", text)
	}
	lines := strings.Split(head, "\r\n")
	m := &Message{Text: text, Start: lines[0], Body: body}
	if rest, ok := strings.CutPrefix(m.Start, "SIP/2.0 "); ok {
		code, reason, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(code)
		if err != nil {
			return nil, fmt.Errorf("status line %q", m.Start)
		}
		m.Status, m.Reason = n, reason
	} else {
		f := strings.Split(m.Start, " ")
		if len(f) != 3 || f[2] != "SIP/2.0" {
			return nil, fmt.Errorf("request line %q", m.Start)
		}
		m.Method, m.URI = f[0], f[1]
	}
	for _, l := range lines[1:] {
		name, value, ok := strings.Cut(l, ":")
		if !ok {
			return nil, fmt.Errorf("header line %q", l)
		}
		name = strings.TrimSpace(name)
		if long, ok := shortNames[strings.ToLower(name)]; ok {
			name = long
		}
		m.Lines = append(m.Lines, Line{name, strings.TrimSpace(value)})
	}
	if n, err := strconv.Atoi(m.Get("Content-Length")); err == nil && n != len(body) {
		return nil, fmt.Errorf("Content-Length %d, but the body has %d bytes", n, len(body))
	}
	return m, nil
}

var shortNames = map[string]string{
	"c": "Content-Type", "f": "From", "i": "Call-ID", "k": "Supported", "l": "Content-Length", "m": "Contact",
	"o": "Event", "r": "Refer-To", "b": "Referred-By", "s": "Subject", "t": "To", "v": "Via", "x": "Session-Expires",
}

// Get is the value of the first header of that name, without regard to case;
// empty if there is none.
func (m *Message) Get(name string) string {
	for _, l := range m.Lines {
		if strings.EqualFold(l.Name, name) {
			return l.Value
		}
	}
	return ""
}

// All are the values of all headers of that name.
func (m *Message) All(name string) (values []string) {
	for _, l := range m.Lines {
		if strings.EqualFold(l.Name, name) {
			values = append(values, l.Value)
		}
	}
	return values
}

// Has tells that a header is there and, if word is not empty, that its value
// has the word.
func (m *Message) Has(name, word string) bool {
	for _, v := range m.All(name) {
		if strings.Contains(v, word) {
			return true
		}
	}
	return false
}

// Param is a parameter of a header, behind its address: Param("To", "tag").
func (m *Message) Param(name, param string) string {
	v := m.Get(name)
	if i := strings.LastIndexByte(v, '>'); i >= 0 {
		v = v[i+1:]
	}
	for _, p := range strings.Split(v, ";")[1:] {
		k, val, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(strings.TrimSpace(k), param) {
			return strings.TrimSpace(val)
		}
	}
	return ""
}

// Address is the URI of a header like Contact or From, without brackets.
func (m *Message) Address(name string) string { return address(m.Get(name)) }

func address(v string) string {
	if _, rest, ok := strings.Cut(v, "<"); ok {
		uri, _, _ := strings.Cut(rest, ">")
		return uri
	}
	uri, _, _ := strings.Cut(v, ";")
	return strings.TrimSpace(uri)
}

// CSeq is the number and the method of CSeq.
func (m *Message) CSeq() (int, string) {
	f := strings.Fields(m.Get("CSeq"))
	if len(f) != 2 {
		return 0, ""
	}
	n, _ := strconv.Atoi(f[0])
	return n, f[1]
}

// Is tells whether the message is what a test calls "INVITE", "200" or
// "200 BYE" (the response to a BYE).
func (m *Message) Is(what string) bool {
	first, method, _ := strings.Cut(what, " ")
	if m.Method != "" {
		return m.Method == first && method == ""
	}
	_, of := m.CSeq()
	return strconv.Itoa(m.Status) == first && (method == "" || method == of)
}

// String is the message as a test names it: "INVITE", "200 BYE".
func (m *Message) String() string {
	if m.Method != "" {
		return m.Method
	}
	_, of := m.CSeq()
	return fmt.Sprintf("%d %s", m.Status, of)
}

// wire makes the text of a message as it goes out: lines end with CRLF,
// Content-Length is what the body is.
func wire(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	head, body, _ := strings.Cut(strings.TrimLeft(text, "\n"), "\n\n")
	body = strings.ReplaceAll(body, "\n", "\r\n")
	if body != "" && !strings.HasSuffix(body, "\r\n") {
		body += "\r\n"
	}
	var b strings.Builder
	length := false
	for line := range strings.SplitSeq(strings.TrimRight(head, "\n"), "\n") {
		line = strings.TrimRight(line, " \t")
		if !strings.HasPrefix(line, " ") { // an indented line continues the one above
			line = strings.TrimLeft(line, "\t")
		}
		if name, value, ok := strings.Cut(line, ":"); ok && isLength(name) {
			length = true
			if strings.TrimSpace(value) == "..." {
				line = fmt.Sprintf("%s: %d", name, len(body))
			}
		}
		b.WriteString(line + "\r\n")
	}
	if !length {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	return b.String() + "\r\n" + body
}

func isLength(name string) bool {
	name = strings.ToLower(strings.TrimSpace(name))
	return name == "content-length" || name == "content length" || name == "l"
}
