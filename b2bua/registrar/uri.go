package registrar

import "strings"

// address is a SIP URI taken apart as far as comparing needs it.
type address struct {
	scheme, user, host, port string
	params                   map[string]string
}

func parse(uri string) (a address) {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(uri), ":")
	if !ok {
		return address{user: uri}
	}
	a.scheme = strings.ToLower(scheme)
	rest, _, _ = strings.Cut(rest, "?")
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		a.user, rest = rest[:i], rest[i+1:]
	}
	rest, params, _ := strings.Cut(rest, ";")
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, ']') {
		rest, a.port = rest[:i], rest[i+1:]
	}
	a.host = strings.ToLower(rest)
	for p := range strings.SplitSeq(params, ";") {
		if k, v, _ := strings.Cut(p, "="); k != "" {
			if a.params == nil {
				a.params = make(map[string]string)
			}
			a.params[strings.ToLower(k)] = strings.ToLower(v)
		}
	}
	return a
}

// sameURI compares as RFC 3261 §19.1.4: users by letter, hosts without regard
// to case, a port given and not given are two, parameters if both have them,
// and transport, user, ttl, method and maddr in any case.
func sameURI(x, y string) bool {
	if x == y {
		return true
	}
	a, b := parse(x), parse(y)
	if a.scheme != b.scheme || a.user != b.user || a.host != b.host || a.port != b.port {
		return false
	}
	for k, v := range a.params {
		if w, ok := b.params[k]; ok && w != v {
			return false
		}
	}
	for _, k := range []string{"transport", "user", "ttl", "method", "maddr"} {
		_, ina := a.params[k]
		_, inb := b.params[k]
		if ina != inb {
			return false
		}
	}
	return true
}

// sameUser tells that two Contacts name the same user, wherever.
func sameUser(x, y string) bool { return parse(x).user == parse(y).user }
