package wire

import "strings"

// longNames are the header names that the exchange reads or writes, in their
// usual spelling; names are compared without regard to case (RFC 3261 §7.3.1).
var longNames = func() map[string]string {
	m := make(map[string]string)
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
		m[name] = name
		m[strings.ToLower(name)] = name
		m[strings.ToUpper(name)] = name
	}
	// RFC 3261 §7.3.3 and IANA's table of SIP header fields.
	for short, long := range map[string]string{
		"a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition", "e": "Content-Encoding",
		"f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported", "l": "Content-Length", "m": "Contact",
		"o": "Event", "r": "Refer-To", "s": "Subject", "t": "To", "u": "Allow-Events", "v": "Via", "x": "Session-Expires",
		"y": "Identity",
	} {
		m[short], m[strings.ToUpper(short)] = long, long
	}
	m["Call-Id"] = "Call-ID" // RFC 2543's spelling
	return m
}()

// canonical is the usual spelling of a header name, also of its short form.
func canonical(name string) (string, bool) {
	if long, ok := longNames[name]; ok {
		return long, true
	}
	if long, ok := longNames[strings.ToLower(name)]; ok {
		return long, true
	}
	return name, false
}

// single notes which of the headers that may stand only once have come (RFC
// 3261 §7.3.1; RFC 3891 §3 for Replaces; RFC 3515 §2.4.1 for Refer-To).
type single uint32

var singles = func() map[string]single {
	m := make(map[string]single)
	for i, name := range strings.Fields(`Call-ID CSeq From To Max-Forwards Content-Length Content-Type Expires
		Min-Expires Refer-To Referred-By Replaces Event Subscription-State Session-Expires Min-SE RSeq RAck
		Content-Encoding Content-Disposition`) {
		m[name] = 1 << i
	}
	return m
}()

// once refuses the second of a single header.
func (s *single) once(name string) *fault {
	bit := singles[name]
	if *s&bit != 0 {
		return badf("%s stands twice", name)
	}
	*s |= bit
	return nil
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
