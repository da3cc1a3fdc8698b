package dialplan

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// A Number is what was dialled, taken apart: a telephone number with the plan
// it belongs to (RFC 3966), an extension, or a user of a SIP domain.
type Number struct {
	User string // digits without visual separators, or a user name
	// Context is the phone-context of a local number (RFC 3966 §5.1.5): a
	// domain or name in lower case, or + and digits. Empty: the caller's own plan.
	Context string
	Host    string // domain of a SIP address in lower case, without port; empty: none was given
	URI     string // the SIP address as dialled; empty: none was given
}

// The limits of what is taken for a number: no public number has more than 15
// digits (ITU-T E.164 §6.1), and prefixes, carrier codes and pauses fit twice
// over; a user name is as long as an e-mail address's local part.
const (
	maxDigits = 40
	maxName   = 64
)

var (
	errNoNumber = errors.New("no number was dialled")
	errTooLong  = fmt.Errorf("the number is longer than %d digits", maxDigits)
	errName     = errors.New("the number is neither digits nor a name")
)

// ParseNumber takes apart what was dialled: digits, a user name, a tel address,
// or a SIP address whose user part is either, with phone-context in the
// spelling of RFC 3966 (";phone-context=") or of the SIP service examples of
// 1999 (",phone-context="). Visual separators are dropped.
func ParseNumber(dialed string) (Number, error) {
	s := strings.TrimSpace(dialed)
	if rest, ok := strings.CutPrefix(s, "<"); ok {
		s, _, _ = strings.Cut(rest, ">")
	}
	if len(s) > 1024 {
		return Number{}, errTooLong
	}
	var n Number
	scheme, rest, found := strings.Cut(s, ":")
	switch {
	case found && strings.EqualFold(scheme, "tel"):
		return n.parse(rest, true)
	case found && (strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips")):
		n.URI, s = s, strings.TrimSpace(rest)
	case strings.Contains(s, "@"):
		n.URI = "sip:" + s
	}
	phone := false
	if n.URI != "" {
		user, host, at := cutLast(s, "@")
		if !at {
			user, host = "", s
		}
		host, parameters, _ := strings.Cut(host, ";")
		n.Host = domain(host)
		phone = hasParameter(parameters, "user", "phone")
		user, _, _ = strings.Cut(user, ":") // a password is not part of the name
		s = user
	}
	return n.parse(s, phone)
}

// parse reads the user part, with its parameters. A phone is known to be a
// telephone number.
func (n Number) parse(user string, phone bool) (Number, error) {
	user, parameters, _ := cutAny(user, ";,")
	user, err := url.PathUnescape(user)
	if err != nil {
		return Number{}, fmt.Errorf("the number %q has a wrong %% escape", clip(user))
	}
	user = strings.TrimSpace(user)
	for parameters != "" {
		var p string
		p, parameters, _ = cutAny(parameters, ";,")
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "phone-context") {
			continue
		}
		if n.Context, err = contextName(value); err != nil {
			return Number{}, err
		}
	}
	digits, telephone := telephoneNumber(user)
	switch {
	case user == "":
		return Number{}, errNoNumber
	case telephone && len(digits) > maxDigits:
		return Number{}, errTooLong
	case telephone:
		n.User = digits
	case phone:
		return Number{}, fmt.Errorf("%q is not a telephone number", clip(user))
	case len(user) > maxName || strings.ContainsFunc(user, func(r rune) bool { return r <= ' ' || r == 0x7f || r == 0xfffd }):
		return Number{}, errName
	default:
		n.User = user
	}
	if strings.HasPrefix(n.User, "+") {
		n.Context = "" // a global number has none
	}
	return n, nil
}

// Global tells whether the number is complete everywhere: + and digits.
func (n Number) Global() bool { return strings.HasPrefix(n.User, "+") }

// String is the number as RFC 3966 writes it: 7773660;phone-context=p1234.
func (n Number) String() string {
	s := n.User
	if n.Context != "" {
		s += ";phone-context=" + n.Context
	}
	if n.Host != "" {
		s += "@" + n.Host
	}
	return s
}

// contextName checks and normalises a phone-context: a domain name or label, or
// + and digits.
func contextName(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if digits, ok := telephoneNumber(s); ok && strings.HasPrefix(digits, "+") && len(digits) > 1 && len(digits) <= 16 {
		return digits, nil
	}
	ok := s != "" && len(s) <= 253 && s[0] != '-' && s[0] != '.'
	for i := range len(s) {
		c := s[i]
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_')
	}
	if !ok {
		return "", fmt.Errorf("phone-context %q is neither a domain nor + and digits", clip(s))
	}
	return s, nil
}

// telephoneNumber drops the visual separators of RFC 3966 §5.1.1 and blanks.
// False: s is not digits, but a name.
func telephoneNumber(s string) (string, bool) {
	plain := true
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c == '*', c == '#', c == '+' && i == 0:
		case c == '-', c == '.', c == '(', c == ')', c == ' ':
			plain = false
		default:
			return s, false
		}
	}
	if plain {
		return s, s != "" && s != "+"
	}
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune("-.() ", r) {
			return -1
		}
		return r
	}, s)
	return digits, digits != "" && digits != "+"
}

// domain returns the host of a host:port in lower case, an IPv6 address without
// its brackets.
func domain(hostPort string) string {
	s := strings.ToLower(strings.TrimSpace(hostPort))
	if rest, ok := strings.CutPrefix(s, "["); ok {
		s, _, _ = strings.Cut(rest, "]")
		return s
	}
	if host, _, ok := strings.Cut(s, ":"); ok && strings.Count(s, ":") == 1 {
		s = host
	}
	return strings.TrimSuffix(s, ".")
}

func hasParameter(parameters, name, value string) bool {
	for parameters != "" {
		var p string
		p, parameters, _ = strings.Cut(parameters, ";")
		n, v, _ := strings.Cut(p, "=")
		v, _, _ = strings.Cut(v, "?")
		if strings.EqualFold(strings.TrimSpace(n), name) && strings.EqualFold(strings.TrimSpace(v), value) {
			return true
		}
	}
	return false
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func cutAny(s, seps string) (before, after string, found bool) {
	if i := strings.IndexAny(s, seps); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func clip(s string) string {
	if len(s) > 48 {
		return strings.ToValidUTF8(s[:48], "") + "…"
	}
	return s
}
