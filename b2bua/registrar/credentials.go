package registrar

import (
	"errors"
	"strconv"
	"strings"
)

var (
	errNotDigest = errors.New("credentials of another scheme than Digest")
	errMalformed = errors.New("malformed digest credentials")
)

// credentials are the parameters of an Authorization value (RFC 7616 §3.4).
type credentials struct {
	Username, Realm, Nonce, URI, Response, Algorithm, CNonce, QOP string
	NC                                                            uint32
}

// algorithm is the name in our spelling; empty if we have none such.
func (c credentials) algorithm() string {
	switch strings.ToUpper(c.Algorithm) {
	case "", MD5:
		return MD5
	case SHA256:
		return SHA256
	}
	return ""
}

func parseCredentials(value string) (c credentials, err error) {
	p, err := parseDigest(value)
	if err != nil {
		return c, err
	}
	c = credentials{
		Username: p["username"], Realm: p["realm"], Nonce: p["nonce"], URI: p["uri"], Response: p["response"],
		Algorithm: p["algorithm"], CNonce: p["cnonce"], QOP: strings.ToLower(p["qop"]),
	}
	if nc := p["nc"]; nc != "" {
		n, err := strconv.ParseUint(nc, 16, 31)
		if err != nil || len(nc) != 8 {
			return c, errMalformed
		}
		c.NC = uint32(n)
	}
	if c.Username == "" || c.Nonce == "" || c.URI == "" || c.Response == "" {
		return c, errMalformed
	}
	return c, nil
}

// parseDigest reads `Digest name=value, name="value"`; names come out in lower
// case. The library's reader takes fewer of the ways in which phones write.
func parseDigest(value string) (map[string]string, error) {
	scheme, s, _ := strings.Cut(strings.TrimSpace(value), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return nil, errNotDigest
	}
	p := make(map[string]string)
	for {
		s = strings.TrimLeft(s, " \t,")
		if s == "" {
			return p, nil
		}
		name, rest, ok := strings.Cut(s, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" || strings.ContainsAny(name, " \t,\"") {
			return nil, errMalformed
		}
		var v string
		if v, s, ok = digestValue(strings.TrimLeft(rest, " \t")); !ok {
			return nil, errMalformed
		}
		if _, twice := p[name]; twice {
			return nil, errMalformed
		}
		p[name] = v
	}
}

// digestValue reads a token or a quoted string, undoing its escapes.
func digestValue(s string) (v, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		i := strings.IndexByte(s, ',')
		if i < 0 {
			i = len(s)
		}
		return strings.TrimSpace(s[:i]), s[i:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}
