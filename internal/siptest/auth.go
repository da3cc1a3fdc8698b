package siptest

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Authorize answers the first challenge of a 401 or 407 that it can, for a
// request with that method and URI, and returns the header line. A Legacy peer
// answers as RFC 2069: MD5, no qop.
func (p *Peer) Authorize(challenge *Message, method, uri string) string {
	p.t.Helper()
	name, answer := "WWW-Authenticate", "Authorization"
	if challenge.Status == 407 {
		name, answer = "Proxy-Authenticate", "Proxy-Authorization"
	}
	for _, v := range challenge.All(name) {
		c := DigestParams(v)
		hash, ok := hashes[strings.ToUpper(c["algorithm"])]
		if !ok || p.Legacy && strings.EqualFold(c["algorithm"], "SHA-256") {
			continue
		}
		return answer + ": " + p.digest(c, hash, method, uri)
	}
	p.t.Fatalf("%s: no challenge that can be answered in\n%s", p.User, challenge.Text)
	return ""
}

var hashes = map[string]func(string) string{
	"":        md5Hex,
	"MD5":     md5Hex,
	"SHA-256": func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) },
}

func md5Hex(s string) string { h := md5.Sum([]byte(s)); return hex.EncodeToString(h[:]) }

// digest is the credentials of RFC 7616 §3.4.1, of RFC 2069 §2.1.2 without qop.
func (p *Peer) digest(c map[string]string, hash func(string) string, method, uri string) string {
	ha1 := hash(p.User + ":" + c["realm"] + ":" + p.Password)
	ha2 := hash(method + ":" + uri)
	if p.Legacy || c["qop"] == "" {
		scheme := "Digest"
		if p.Legacy {
			scheme = "DIGEST"
		}
		return fmt.Sprintf(`%s username="%s", realm="%s", nonce="%s", opaque="%s", uri="%s", response="%s"`,
			scheme, p.User, c["realm"], c["nonce"], c["opaque"], uri, hash(ha1+":"+c["nonce"]+":"+ha2))
	}
	p.nc[c["nonce"]]++
	nc, cnonce := fmt.Sprintf("%08x", p.nc[c["nonce"]]), Token()
	response := hash(strings.Join([]string{ha1, c["nonce"], nc, cnonce, "auth", ha2}, ":"))
	s := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s", qop=auth, nc=%s, cnonce="%s"`,
		p.User, c["realm"], c["nonce"], uri, response, nc, cnonce)
	if a := c["algorithm"]; a != "" {
		s += ", algorithm=" + a
	}
	if o, ok := c["opaque"]; ok {
		s += fmt.Sprintf(`, opaque="%s"`, o)
	}
	return s
}

// DigestParams reads the parameters of a challenge or of credentials, names in
// lower case, values without quotes.
func DigestParams(v string) map[string]string {
	_, rest, _ := strings.Cut(v, " ")
	m := make(map[string]string)
	for rest != "" {
		key, after, ok := strings.Cut(rest, "=")
		if !ok {
			break
		}
		var value string
		if after = strings.TrimSpace(after); strings.HasPrefix(after, `"`) {
			value, rest, _ = strings.Cut(after[1:], `"`)
			_, rest, _ = strings.Cut(rest, ",")
		} else {
			value, rest, _ = strings.Cut(after, ",")
		}
		m[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
	}
	return m
}

// Register registers the peer's Contact, answering a challenge, and returns the
// final response, which is a 200 or the test fails. Extras are as of
// Dialog.Request: "Expires: 60".
func (p *Peer) Register(extra ...string) *Message {
	p.t.Helper()
	uri := "sip:" + p.Domain
	p.Request("REGISTER", uri, extra...)
	m := p.Any()
	if m != nil && (m.Status == 401 || m.Status == 407) {
		p.Request("REGISTER", uri, append(extra, p.Authorize(m, "REGISTER", uri))...)
		m = p.Any()
	}
	if m == nil || m.Status != 200 {
		p.t.Fatalf("%s: not registered: %v", p.User, m)
	}
	return m
}

// Invite sends an INVITE in a new dialog, answers a challenge with a second
// one, and returns the dialog. What the exchange answers then is for Expect.
// A Legacy peer's second INVITE has a new Call-ID, as the ones of 1999 had.
func (p *Peer) Invite(uri string, extra ...string) *Dialog {
	p.t.Helper()
	d := p.Dial(uri)
	d.Request("INVITE", extra...)
	m := p.Expect("407")
	d.Ack(m)
	if p.Legacy {
		d.CallID, d.Seq = Token()+"@"+p.User, 0
	}
	d.Request("INVITE", append(extra, p.Authorize(m, "INVITE", d.Target))...)
	return d
}
