package wire

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// A Mending names one way in which a message was not written as RFC 3261 asks,
// and was read nevertheless. docs/legacy-sip.md lists them.
//
// Mending costs a well-formed message nothing: each is tried only where strict
// reading has failed.
type Mending uint8

const (
	LineFeeds        Mending = iota // all lines end with LF alone (RFC 2543 §4 has receivers take that)
	RequestLineBlank                // blanks behind the version
	NoReason                        // a status line that ends with the code
	HeaderNameBlank                 // "Content Length:" for "Content-Length:"
	NoLength                        // "Content-Length: ..." on a datagram
	URIBlank                        // "sip: bob@example.com", "bob@ example.com", "< sip:bob@example.com >"
	URIScheme                       // "<bob@example.com>"
	URISlashes                      // "sip://bob@example.com"
	URIUnbracketed                  // "sip:7773660,phone-context=p1234@example.com" without < >
	DisplayName                     // a display name that needs quotes and has none
	ViaComment                      // "(comment)" behind a Via value (RFC 2543 §6.40)
	mendings
)

var mendingNames = [mendings]string{
	"line-feeds", "request-line-blank", "no-reason", "header-name-blank", "no-length", "uri-blank", "uri-scheme",
	"uri-slashes", "uri-unbracketed", "display-name", "via-comment",
}

// String is the name that docs/legacy-sip.md and the log have.
func (m Mending) String() string {
	if m < mendings {
		return mendingNames[m]
	}
	return "unknown mending"
}

// mendName puts hyphens for the blanks inside a header's name if that makes a
// name that we know.
func (r *reader) mendName(name string) (field, bool) {
	f, ok := fieldOf(strings.Join(strings.Fields(name), "-"))
	if ok {
		r.mend(HeaderNameBlank)
	}
	return f, ok
}

// mendURI reads a URI that strict reading refused.
func (r *reader) mendURI(s string, u *sip.Uri) error {
	if strings.ContainsAny(s, " \t") {
		s = strings.Map(func(c rune) rune {
			if c == ' ' || c == '\t' {
				return -1
			}
			return c
		}, s)
		r.mend(URIBlank)
	}
	if scheme, rest, ok := strings.Cut(s, "://"); ok && (strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips")) {
		s = scheme + ":" + rest
		r.mend(URISlashes)
	}
	err := parseURI(s, u)
	if err == errScheme && s != "" {
		// "bob@example.com" and "example.com:5060"; anything else is no host.
		if err = parseURI("sip:"+s, u); err == nil {
			r.mend(URIScheme)
		}
	}
	return err
}

// telParams are the parameters of a telephone number that phones write into
// the user part of a SIP address (RFC 2806, RFC 3966 §5).
var telParams = []string{"phone-context=", "isub=", "postd=", "ext="}

// unbracketed splits an address without < > from its header parameters. A
// comma or semicolon ends it (RFC 3261 §20), unless what follows is part of a
// telephone number before the @.
func (r *reader) unbracketed(s string) (uri, rest string) {
	end := strings.IndexAny(s, ",; \t")
	if end < 0 {
		return s, ""
	}
	at := strings.IndexByte(s, '@')
	if at > end && telephoneUser(s[end:at]) {
		r.mend(URIUnbracketed)
		if end = strings.IndexAny(s[at:], ",;"); end < 0 {
			return s, ""
		}
		return s[:at+end], s[at+end:]
	}
	// "sip: bob@there.com" without brackets: the blank is inside.
	if c := s[end]; (c == ' ' || c == '\t') && strings.Trim(s[end:], " \t") != "" && strings.TrimLeft(s[end:], " \t")[0] != ';' && strings.TrimLeft(s[end:], " \t")[0] != ',' {
		if end = strings.IndexAny(s, ",;"); end < 0 {
			return s, ""
		}
	}
	return s[:end], s[end:]
}

// telephoneUser tells that s, which begins with a separator, goes on with a
// telephone number's parameters.
func telephoneUser(s string) bool {
	s = lower(strings.TrimLeft(s, ",; \t"))
	for _, p := range telParams {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// mendDisplay makes a display name fit between quotes.
func (r *reader) mendDisplay(s string) string {
	r.mend(DisplayName)
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)
}

// mendVia takes the comment of RFC 2543 §6.40 out of the first Via value.
func (r *reader) mendVia(s string, h *sip.ViaHeader) (rest string, err error) {
	open := strings.IndexByte(s, '(')
	end := strings.IndexByte(s, ')')
	if open < 0 || end < open {
		*h = sip.ViaHeader{}
		return parseVia(s, h)
	}
	*h = sip.ViaHeader{}
	rest, err = parseVia(s[:open]+" "+s[end+1:], h)
	if err == nil {
		r.mend(ViaComment)
	}
	return rest, err
}
