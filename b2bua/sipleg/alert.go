package sipleg

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emiago/sipgo/sip"
)

// maxAlertInfo bounds what is kept of a caller's Alert-Info, in bytes.
const maxAlertInfo = 512

// tellRing tells a phone of ours, or a peer that wants to know, how the callee
// is to be alerted (RFC 3261 §20.4). To others it means nothing.
func (l *Leg) tellRing(req *sip.Request) {
	ring := &l.out.order.Ring
	if ring.Info == "" || !l.ofPhone && (l.out.peer == nil || !l.out.peer.AlertInfo) {
		return
	}
	if oneLine(ring.Info) == "" {
		l.log.Warn("the phone is not told how to ring: there are control characters in its alert_info", "ring", ring.Name, "alert_info", ring.Info)
		return
	}
	with(req, "Alert-Info", ring.Info)
}

// asksToRing is how the caller's side wants the callee alerted; empty: it does
// not say, or is one of those whom RFC 3261 §20.4 warns to believe.
func (l *Leg) asksToRing(req *sip.Request, who sender) string {
	info := alertInfo(req)
	if info != "" && !who.alerts {
		l.log.Debug("the caller may not say how telephones ring", "alert_info", info)
		return ""
	}
	return info
}

// alertInfo are the values of Alert-Info as they are written, with or without
// brackets, joined by ", "; empty: there are none. What nobody can read is left
// out, and what is too long: half of a value would be another one.
func alertInfo(req *sip.Request) string {
	var b strings.Builder
	for _, v := range elements(req, "Alert-Info") {
		v = strings.ReplaceAll(v, "\t", " ")
		switch {
		case !readable(v):
		case b.Len() == 0 && len(v) <= maxAlertInfo:
			b.WriteString(v)
		case b.Len()+len(", ")+len(v) <= maxAlertInfo:
			b.WriteString(", " + v)
		}
	}
	return b.String()
}

// readable tells a text that can be shown as it is.
func readable(v string) bool {
	return utf8.ValidString(v) && strings.IndexFunc(v, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}
