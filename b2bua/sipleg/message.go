package sipleg

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// allowed are the methods of a call that we take (RFC 3261 §20.5).
const allowed = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY"

// supported are the extensions that we speak, by option tag: RFC 3262, 4028, 3891.
const supported = "100rel, timer, replaces"

// response builds a response with what RFC 3261 §8.2.6 copies from the
// request. The tag is ours; it is added to To where the request had none and
// the status is more than 100.
func response(req *sip.Request, status int, reason, tag string) *sip.Response {
	if reason == "" {
		reason = reasonPhrase(status)
	}
	res := sip.NewResponse(status, reason)
	sip.CopyHeaders("Via", req, res)
	if req.Method == sip.INVITE && status > 100 && status < 300 {
		sip.CopyHeaders("Record-Route", req, res)
	}
	if from := req.From(); from != nil {
		res.AppendHeader(sip.HeaderClone(from))
	}
	if to := req.To(); to != nil {
		h := sip.HeaderClone(to).(*sip.ToHeader)
		if status > 100 && tag != "" && !h.Params.Has("tag") {
			h.Params.Add("tag", tag)
		}
		res.AppendHeader(h)
	}
	if id := req.CallID(); id != nil {
		res.AppendHeader(sip.HeaderClone(id))
	}
	if cseq := req.CSeq(); cseq != nil {
		res.AppendHeader(sip.HeaderClone(cseq))
	}
	if status == sip.StatusTrying {
		sip.CopyHeaders("Timestamp", req, res)
	}
	return res
}

// with adds headers to a message, each given as name and value. Empty values
// are left out.
func with(msg sip.Message, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			msg.AppendHeader(sip.NewHeader(pairs[i], pairs[i+1]))
		}
	}
}

// attach gives a message a session description; nil: no body.
func attach(msg sip.Message, body []byte) {
	if body == nil {
		msg.SetBody(nil)
		return
	}
	kind := sip.ContentTypeHeader("application/sdp")
	msg.AppendHeader(&kind)
	msg.SetBody(body)
}

// headed is what requests and responses have beyond sip.Message.
type headed interface {
	sip.Message
	GetHeader(name string) sip.Header
	Contact() *sip.ContactHeader
	ContentType() *sip.ContentTypeHeader
}

// value is a header's value, empty if it is missing.
func value(msg headed, name string) string {
	if h := msg.GetHeader(name); h != nil {
		return strings.TrimSpace(h.Value())
	}
	return ""
}

// values are those of all headers of a name.
func values(msg sip.Message, name string) []string {
	var list []string
	for _, h := range msg.GetHeaders(name) {
		list = append(list, h.Value())
	}
	return list
}

// elements are those of all headers of a name that holds a list, without the
// empty ones.
func elements(msg sip.Message, name string) []string {
	var list []string
	for _, v := range values(msg, name) {
		for _, e := range splitList(v) {
			if e != "" {
				list = append(list, e)
			}
		}
	}
	return list
}

// splitList splits a header at the commas between its elements, not at those
// within quotes or brackets.
func splitList(v string) []string {
	var list []string
	quoted, angle, start := false, false, 0
	for i := range len(v) {
		switch c := v[i]; {
		case c == '"' && !angle && (i == 0 || v[i-1] != '\\'):
			quoted = !quoted
		case quoted:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == ',' && !angle:
			list = append(list, strings.TrimSpace(v[start:i]))
			start = i + 1
		}
	}
	return append(list, strings.TrimSpace(v[start:]))
}

// tokens are the elements of a header that lists tokens, in lower case.
func tokens(msg sip.Message, name string) []string {
	var list []string
	for _, v := range values(msg, name) {
		for t := range strings.SplitSeq(v, ",") {
			if t = strings.ToLower(strings.TrimSpace(t)); t != "" {
				list = append(list, t)
			}
		}
	}
	return list
}

// seconds reads a header of delta-seconds with parameters behind it:
// Session-Expires, Min-SE, Retry-After. False: missing or no number.
func seconds(msg headed, name string) (int, bool) {
	v := value(msg, name)
	if i := strings.IndexAny(v, "; ("); i >= 0 {
		v = v[:i]
	}
	n, err := strconv.ParseUint(v, 10, 31)
	return int(n), err == nil
}

// param is a header's parameter behind its value, in lower case and unquoted.
func param(v, name string) string {
	for p := range strings.SplitSeq(v, ";") {
		k, val, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.ToLower(strings.Trim(strings.TrimSpace(val), `"`))
		}
	}
	return ""
}

// paramOf is a parameter behind an address, in lower case and unquoted.
func paramOf(p sip.HeaderParams, name string) string {
	v, _ := p.Get(name)
	return strings.ToLower(strings.Trim(v, `"`))
}

// quality is the q of a Contact (RFC 3261 §20.10), or what stands for none.
func quality(c *sip.ContactHeader, none float64) float64 {
	v, _ := c.Params.Get("q")
	if q, err := strconv.ParseFloat(v, 64); err == nil {
		return q
	}
	return none
}

// expiry is the expires of a Contact, in seconds. False: missing or no number.
func expiry(c *sip.ContactHeader) (int, bool) {
	v, _ := c.Params.Get("expires")
	n, err := strconv.ParseUint(v, 10, 31)
	return int(n), err == nil
}

func toTag(msg sip.Message) string {
	if to := msg.To(); to != nil {
		tag, _ := to.Params.Get("tag")
		return tag
	}
	return ""
}

func fromTag(msg sip.Message) string {
	if from := msg.From(); from != nil {
		tag, _ := from.Params.Get("tag")
		return tag
	}
	return ""
}

func callID(msg sip.Message) string {
	if id := msg.CallID(); id != nil {
		return string(*id)
	}
	return ""
}

func seqOf(msg sip.Message) uint32 {
	if cseq := msg.CSeq(); cseq != nil {
		return cseq.SeqNo
	}
	return 0
}

// quotable makes a display name fit between quotes (RFC 3261 §25.1).
func quotable(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '"' || r == '\\' || r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, name)
}

// userPart makes a number fit before the @ of a SIP address; parameters of a
// telephone number stay as they are (RFC 3261 §19.1.6).
func userPart(number string) string {
	const unreserved = "-_.!~*'()&=+$,;?/"
	var b strings.Builder
	for i := range len(number) {
		c := number[i]
		switch {
		case isAlphanum(c), strings.IndexByte(unreserved, c) >= 0:
			b.WriteByte(c)
		case c == '%' && i+2 < len(number) && isHex(number[i+1]) && isHex(number[i+2]):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// isAlphanum tells a letter or a digit (RFC 3261 §25.1, alphanum).
func isAlphanum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// unescaped undoes the %-escapes of a user part; what is wrongly escaped stays.
func unescaped(user string) string {
	if strings.IndexByte(user, '%') < 0 {
		return user
	}
	var b strings.Builder
	for i := 0; i < len(user); i++ {
		if user[i] == '%' && i+2 < len(user) && isHex(user[i+1]) && isHex(user[i+2]) {
			n, _ := strconv.ParseUint(user[i+1:i+3], 16, 8)
			if n >= ' ' && n != 0x7f {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(user[i])
	}
	return b.String()
}

// reasonPhrase is the text of a status (RFC 3261 §21 and the RFCs that add).
func reasonPhrase(status int) string {
	if p, ok := phrases[status]; ok {
		return p
	}
	return phrases[status/100*100]
}

var phrases = map[int]string{
	100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress", 199: "Early Dialog Terminated",
	200: "OK", 202: "Accepted",
	300: "Multiple Choices", 301: "Moved Permanently", 302: "Moved Temporarily", 305: "Use Proxy",
	400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
	407: "Proxy Authentication Required", 408: "Request Timeout", 410: "Gone", 413: "Request Entity Too Large", 415: "Unsupported Media Type",
	416: "Unsupported URI Scheme", 420: "Bad Extension", 421: "Extension Required", 422: "Session Interval Too Small", 423: "Interval Too Brief",
	480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops", 484: "Address Incomplete",
	485: "Ambiguous", 486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
	493: "Undecipherable", 494: "Security Agreement Required",
	500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Server Time-out",
	505: "Version Not Supported", 513: "Message Too Large",
	600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
}

// maxHops is the Max-Forwards of a request that we begin (RFC 3261 §8.1.1.6).
const maxHops = 70

// maxForwards is the header that lets a request take that many hops, or those of
// one that we begin.
func maxForwards(hops int) *sip.MaxForwardsHeader {
	if hops <= 0 || hops > 255 {
		hops = maxHops
	}
	h := sip.MaxForwardsHeader(hops)
	return &h
}

// oneLine refuses what would begin another header, and control characters,
// which no header may have (RFC 3261 §25.1).
func oneLine(v string) string {
	for i := range len(v) {
		if v[i] < ' ' && v[i] != '\t' || v[i] == 0x7f {
			return ""
		}
	}
	return v
}
