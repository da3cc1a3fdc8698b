//go:build linux

package load

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A message is as much of a SIP message as the phones look at.
type message struct {
	head       string
	body       string
	method     string // of a request
	uri        string
	status     int // of a response; 0: a request
	cseqMethod string
}

func (m message) request() bool { return m.status == 0 && m.method != "" }

// parse reads a message of the exchange, which writes long names and one
// header a line.
func parse(b []byte) message {
	head, body, _ := strings.Cut(string(b), "\r\n\r\n")
	m := message{head: head, body: body}
	first, _, _ := strings.Cut(head, "\r\n")
	words := strings.SplitN(first, " ", 3)
	if len(words) == 3 && words[0] == "SIP/2.0" {
		m.status, _ = strconv.Atoi(words[1])
	} else if len(words) == 3 {
		m.method, m.uri = words[0], words[1]
	}
	_, m.cseqMethod, _ = strings.Cut(m.header("CSeq"), " ")
	return m
}

// header is the value of the first header of a name; empty: there is none.
func (m message) header(name string) string {
	_, rest, ok := strings.Cut(m.head, "\r\n"+name+": ")
	if !ok {
		return ""
	}
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// number is the call of a Call-ID that is the caller's own; -1: another's.
func (m message) number(run string) int {
	rest, ok := strings.CutPrefix(m.header("Call-ID"), run+"-")
	rest, _, _ = strings.Cut(rest, "-")
	n, err := strconv.Atoi(rest)
	if !ok || err != nil {
		return -1
	}
	return n
}

// dialed is the call that the exchange sent to the callee; -1: none. In-dialog
// requests name the callee's Contact, which carries the number, too.
func (m message) dialed() int {
	user, _, _ := strings.Cut(strings.TrimPrefix(m.uri, "sip:"), "@")
	n, err := strconv.Atoi(strings.TrimPrefix(user, prefix))
	if err != nil {
		return -1
	}
	return n
}

// media is where a description wants RTP.
func (m message) media() netip.AddrPort {
	_, c, _ := strings.Cut(m.body, "c=IN IP4 ")
	host, _, _ := strings.Cut(c, "\r\n")
	_, a, _ := strings.Cut(m.body, "m=audio ")
	port, _, _ := strings.Cut(a, " ")
	at, _ := netip.ParseAddrPort(host + ":" + port)
	return at
}

// reply answers a request. contact, if not nil, is where the dialog goes on.
func (m message) reply(status, body string, contact *netip.AddrPort) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "SIP/2.0 %s\r\n", status)
	for _, line := range strings.Split(m.head, "\r\n")[1:] {
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "Via", "Record-Route", "From", "Call-ID", "CSeq":
			fmt.Fprintf(&b, "%s\r\n", line)
		case "To":
			if !strings.Contains(value, ";tag=") {
				value += ";tag=callee"
			}
			fmt.Fprintf(&b, "To: %s\r\n", value)
		}
	}
	if contact != nil {
		user, _, _ := strings.Cut(strings.TrimPrefix(m.uri, "sip:"), "@")
		fmt.Fprintf(&b, "Contact: <sip:%s@%s>\r\n", user, contact)
	}
	end(&b, body)
	return b.Bytes()
}
