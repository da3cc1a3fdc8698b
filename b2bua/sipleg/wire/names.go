package wire

import "strings"

// A field is a header name that the exchange reads or writes.
type field struct {
	name string // in its usual spelling
	once uint32 // a bit of its own if it may stand only once; else 0
}

// onlyOnce are the headers that may not stand twice (RFC 3261 §7.3.1; RFC 3891
// §3 for Replaces; RFC 3515 §2.4.1 for Refer-To).
var onlyOnce = strings.Fields(`Call-ID CSeq From To Max-Forwards Content-Length Content-Type Expires Min-Expires Refer-To
	Referred-By Replaces Event Subscription-State Session-Expires Min-SE RSeq RAck Content-Encoding Content-Disposition`)

// fields has each header by its usual spelling, in lower case and in its short
// form; names are compared without regard to case (RFC 3261 §7.3.1, §7.3.3).
var fields = func() map[string]field {
	bits := make(map[string]uint32)
	for i, name := range onlyOnce {
		bits[name] = 1 << i
	}
	m := make(map[string]field)
	for _, name := range strings.Fields(`
		Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Also Authentication-Info
		Authorization CSeq Call-ID Call-Info Contact Content-Disposition Content-Encoding Content-Language
		Content-Length Content-Type Date Diversion Encryption Error-Info Event Expires From Hide History-Info Identity
		In-Reply-To Join MIME-Version Max-Forwards Min-Expires Min-SE Organization P-Asserted-Identity
		P-Preferred-Identity Path Priority Privacy Proxy-Authenticate Proxy-Authorization Proxy-Require RAck RSeq
		Reason Record-Route Refer-Sub Refer-To Referred-By Reject-Contact Remote-Party-ID Replaces Reply-To
		Request-Disposition Requested-By Require Response-Key Retry-After Route Server Service-Route Session-Expires
		Subject Subscription-State Supported Target-Dialog Timestamp To Unsupported User-Agent Via WWW-Authenticate
		Warning`) {
		f := field{name, bits[name]}
		m[name], m[strings.ToLower(name)] = f, f
	}
	// IANA's table of SIP header fields.
	for short, long := range map[string]string{
		"a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition", "e": "Content-Encoding",
		"f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported", "l": "Content-Length", "m": "Contact",
		"o": "Event", "r": "Refer-To", "s": "Subject", "t": "To", "u": "Allow-Events", "v": "Via", "x": "Session-Expires",
		"y": "Identity",
	} {
		m[short] = m[long]
	}
	return m
}()

// fieldOf finds a header by any spelling of its name; false: it is none that
// we know, and goes by the name it has.
func fieldOf(name string) (field, bool) {
	if f, ok := fields[name]; ok {
		return f, true
	}
	if f, ok := fields[strings.ToLower(name)]; ok {
		return f, true
	}
	return field{name: name}, false
}

// tokenChar has the characters of a token (RFC 3261 §25.1).
var tokenChar = func() (t [256]bool) {
	for c := range 256 {
		t[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c < 128 && strings.IndexByte("-.!%*_+`'~", byte(c)) >= 0
	}
	return t
}()

func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokenChar[s[i]] {
			return false
		}
	}
	return s != ""
}
