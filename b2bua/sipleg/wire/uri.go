package wire

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

var (
	errScheme = errors.New("no URI scheme")
	errBlank  = errors.New("blank inside a URI")
	errHost   = errors.New("no host in a URI")

	errSlashes = errors.New("slashes behind a URI's scheme")
)

// ParseURI reads a URI: of sip and sips as RFC 3261 §19.1.1 has it, of any other
// scheme it only asks that it has no blanks. Names of parameters are in lower
// case.
func ParseURI(s string) (sip.Uri, error) {
	var u sip.Uri
	err := parseURI(s, &u)
	return u, err
}

func parseURI(s string, u *sip.Uri) error {
	if s == "*" {
		*u = sip.Uri{Host: "*", Wildcard: true}
		return nil
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ' ' || c == '\t':
			return errBlank
		case c < ' ' || c == 0x7f || c == '<' || c == '>' || c == '"':
			return fmt.Errorf("character %q inside a URI", c)
		}
	}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || !isScheme(scheme) || looksLikeHostPort(scheme, rest) {
		return errScheme
	}
	scheme = lower(scheme)
	if scheme != "sip" && scheme != "sips" {
		if rest == "" {
			return errHost
		}
		return sip.ParseUri(s, u)
	}
	*u = sip.Uri{Scheme: scheme}
	return sipURI(rest, u)
}

// sipURI reads what stands behind "sip:".
func sipURI(s string, u *sip.Uri) error {
	if strings.HasPrefix(s, "//") {
		return errSlashes
	}
	if at := strings.IndexByte(s, '@'); at >= 0 {
		if at == 0 {
			return errors.New("empty user in a URI")
		}
		u.User, u.Password, _ = strings.Cut(s[:at], ":")
		s = s[at+1:]
	}
	host, s, err := hostAt(s)
	if err != nil {
		return err
	}
	u.Host = host
	if s != "" && s[0] == ':' {
		if u.Port, s, err = portAt(s[1:]); err != nil {
			return err
		}
	}
	if s != "" && s[0] == ';' {
		params, headers, ok := strings.Cut(s, "?")
		if u.UriParams, err = uriParams(params); err != nil {
			return err
		}
		if s = ""; ok {
			s = "?" + headers
		}
	}
	if s == "" {
		return nil
	}
	if s[0] != '?' {
		return fmt.Errorf("%q behind a URI's host", clip(s))
	}
	for pair := range strings.SplitSeq(s[1:], "&") {
		if k, v, _ := strings.Cut(pair, "="); k != "" {
			u.Headers = append(u.Headers, sip.HeaderKV{K: k, V: v})
		}
	}
	return nil
}

// hostAt reads a host name or an address at the head of s. An IPv6 address
// keeps its brackets.
func hostAt(s string) (host, rest string, err error) {
	if s != "" && s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 0 || strings.Trim(s[1:end], "0123456789abcdefABCDEF:.") != "" || end == 1 {
			return "", "", errHost
		}
		return s[:end+1], s[end+1:], nil
	}
	n := 0
	for n < len(s) && hostChar(s[n]) {
		n++
	}
	if n == 0 {
		return "", "", errHost
	}
	return s[:n], s[n:], nil
}

// hostChar allows the underscore, which host names have in spite of RFC 952.
func hostChar(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_'
}

func portAt(s string) (port int, rest string, err error) {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	port, err = strconv.Atoi(s[:n])
	if err != nil || port < 1 || port > 65535 {
		return 0, "", fmt.Errorf("port %q", clip(s[:n]))
	}
	return port, s[n:], nil
}

func uriParams(s string) (p sip.HeaderParams, err error) {
	for pair := range strings.SplitSeq(s, ";") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		if k = lower(k); k == "" || p.Has(k) {
			return p, fmt.Errorf("URI parameter %q", clip(pair))
		}
		p = append(p, sip.HeaderKV{K: k, V: v})
	}
	return p, nil
}

func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if !(c >= 'a' && c <= 'z') && (i == 0 || !(s[i] >= '0' && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.')) {
			return false
		}
	}
	return s != ""
}

// looksLikeHostPort tells "there.com:5060" from a URI.
func looksLikeHostPort(scheme, rest string) bool {
	return strings.IndexByte(scheme, '.') > 0 && rest != "" && strings.Trim(rest, "0123456789") == ""
}
