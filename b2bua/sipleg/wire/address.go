package wire

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// An Address is an address with what stands around it (RFC 3261 §20.10).
type Address struct {
	Name   string // shown; as it stands between its quotes, with its backslashes
	URI    sip.Uri
	Params sip.HeaderParams // names in lower case
}

// ReadAddress reads the first address of a header that messages keep as text,
// such as Diversion or P-Asserted-Identity, as tolerantly as messages are read.
// A word without scheme and user is no address: it may be anything.
func ReadAddress(value string) (Address, error) {
	r := &reader{}
	a, _, err := r.addressOf(value, true)
	if err == nil && (a.URI.Wildcard || a.URI.User == "" && slices.Contains(r.mended, URIScheme)) {
		err = errNoAddress
	}
	return a, err
}

// address reads one address that is the whole value.
func (r *reader) address(value string) (Address, error) {
	a, _, err := r.addressOf(value, false)
	if err == nil && a.URI.Wildcard {
		err = errors.New("* is no address")
	}
	return a, err
}

var errNoAddress = errors.New("no address")

// addressOf reads the first address of a value and returns what stands behind
// the comma that ends it, if it is one of a list.
func (r *reader) addressOf(s string, list bool) (a Address, rest string, err error) {
	s = strings.TrimLeft(s, " \t")
	if s == "" {
		return a, "", errNoAddress
	}
	var uri string
	switch open := strings.IndexByte(s, '<'); {
	case s[0] == '"':
		n := quotedLen(s)
		if n == 0 {
			return a, "", errors.New("quote without end")
		}
		a.Name = s[1 : n-1]
		s = strings.TrimLeft(s[n:], " \t")
		if s == "" || s[0] != '<' {
			return a, "", errors.New("a display name, but no <address>")
		}
		uri, s, err = bracketed(s)
	case open >= 0 && (!list || !strings.ContainsAny(s[:open], ",;")):
		if a.Name = strings.TrimRight(s[:open], " \t"); !plainDisplay(a.Name) {
			a.Name = r.mendDisplay(a.Name)
		}
		uri, s, err = bracketed(s[open:])
	default:
		uri, s = r.unbracketed(s)
	}
	if err != nil {
		return a, "", err
	}
	if err = parseURI(uri, &a.URI); err != nil {
		if err = r.mendURI(uri, &a.URI); err != nil {
			return a, "", err
		}
	}
	a.Params, rest, err = parseParams(s, list)
	return a, rest, err
}

// bracketed splits "<uri> rest".
func bracketed(s string) (uri, rest string, err error) {
	end := strings.IndexByte(s, '>')
	if end < 0 {
		return "", "", errors.New("< without >")
	}
	return s[1:end], s[end+1:], nil
}

// quotedLen is the length of the quoted string at the head of s, with its
// quotes; zero: it does not end (RFC 3261 §25.1, quoted-string).
func quotedLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// plainDisplay tells that a display name without quotes is tokens and blanks.
func plainDisplay(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokenChar[s[i]] && s[i] != ' ' && s[i] != '\t' {
			return false
		}
	}
	return true
}

// parseParams reads ";name=value" pairs, with blanks wherever the grammar has
// them, up to the end or, in a list, a comma. Names come out in lower case.
func parseParams(s string, list bool) (p sip.HeaderParams, rest string, err error) {
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" {
			return p, "", nil
		}
		if s[0] == ',' && list {
			rest = strings.TrimLeft(s[1:], " \t,")
			return p, rest, nil
		}
		if s[0] != ';' {
			return p, "", fmt.Errorf("%q is no parameter", clip(s))
		}
		s = strings.TrimLeft(s[1:], " \t")
		n := 0
		for n < len(s) && tokenChar[s[n]] {
			n++
		}
		if n == 0 {
			if s == "" || s[0] == ';' || s[0] == ',' {
				continue // ";;" says nothing
			}
			return p, "", fmt.Errorf("%q is no parameter", clip(s))
		}
		name := lower(s[:n])
		var value string
		s = strings.TrimLeft(s[n:], " \t")
		if s != "" && s[0] == '=' {
			value, s, err = paramValue(strings.TrimLeft(s[1:], " \t"), list)
			if err != nil {
				return p, "", err
			}
		}
		if p.Has(name) {
			return p, "", fmt.Errorf("parameter %s stands twice", clip(name))
		}
		if p == nil {
			p = make(sip.HeaderParams, 0, 3)
		}
		p = append(p, sip.HeaderKV{K: name, V: value})
	}
}

// paramValue reads a token, a host or a quoted string. A quoted value keeps
// its quotes, except around blanks, where the library writes them again.
func paramValue(s string, list bool) (value, rest string, err error) {
	if s != "" && s[0] == '"' {
		n := quotedLen(s)
		if n == 0 {
			return "", "", errors.New("quote without end")
		}
		value, rest = s[:n], s[n:]
		if strings.ContainsAny(value, " \t") {
			value = value[1 : n-1]
		}
		return value, rest, nil
	}
	n := 0
	for n < len(s) && s[n] != ';' && s[n] != ' ' && s[n] != '\t' && s[n] != '"' && !(s[n] == ',' && list) {
		n++
	}
	return s[:n], s[n:], nil
}

func lower(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'A' && s[i] <= 'Z' {
			return strings.ToLower(s)
		}
	}
	return s
}
