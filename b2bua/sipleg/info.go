package sipleg

import (
	"strconv"
	"strings"
	"time"

	"crosspoint/b2bua/leg"
	"github.com/emiago/sipgo/sip"
)

// info takes an INFO: a digit or a hook-flash of a phone that sends no
// telephone-events, or nothing, as a sign of life (RFC 6086 §4.2.2).
func (l *Leg) info(s *server) {
	kind := ""
	if h := s.Request.ContentType(); h != nil {
		kind = mediaType(h.Value())
	}
	body := string(s.Request.Body())
	switch {
	case kind == "application/dtmf-relay", kind == "application/dtmf":
		l.respond(s, 200)
		l.pressed(relay(body))
	case kind == "application/hook-flash":
		l.respond(s, 200)
		l.deliver(leg.Flash{Of: l.of()})
	case strings.TrimSpace(body) == "":
		l.respond(s, 200)
	default:
		l.respond(s, 415, "Accept", "application/dtmf-relay, application/dtmf, application/hook-flash")
	}
}

// relay reads "Signal=5\r\nDuration=160", or the bare digit of
// application/dtmf. The duration is in ms; 100 if it is not said.
func relay(body string) (signal string, d time.Duration) {
	d = 100 * time.Millisecond
	for line := range strings.Lines(body) {
		k, v, ok := strings.Cut(line, "=")
		k, v = strings.ToLower(strings.TrimSpace(k)), strings.TrimSpace(v)
		switch {
		case !ok && signal == "":
			signal = strings.TrimSpace(line)
		case k == "signal":
			signal = v
		case k == "duration":
			if ms, err := strconv.Atoi(v); err == nil && ms > 0 && ms < 60000 {
				d = time.Duration(ms) * time.Millisecond
			}
		}
	}
	return strings.ToUpper(signal), d
}

// pressed tells call control what a signal is: a digit, by itself or by its
// event code (RFC 4733 §3.2), or a hook-flash.
func (l *Leg) pressed(signal string, d time.Duration) {
	switch signal {
	case "10":
		signal = "*"
	case "11":
		signal = "#"
	case "12", "13", "14", "15":
		signal = string(rune('A' + signal[1] - '2'))
	case "16", "HF", "!", "FLASH":
		l.deliver(leg.Flash{Of: l.of()})
		return
	}
	if len(signal) != 1 || !strings.Contains("0123456789*#ABCD", signal) {
		l.log.Debug("INFO with an unknown signal", "signal", signal)
		return
	}
	l.deliver(leg.Digit{Of: l.of(), Digit: signal[0], For: d})
}

// flash sends a hook-flash.
func (l *Leg) flash() {
	if l.state != talking || !l.dialog.allows(sip.INFO) {
		l.log.Debug("no hook-flash: the party takes no INFO")
		return
	}
	req := l.dialog.newRequest(sip.INFO)
	kind := sip.ContentTypeHeader("application/hook-flash")
	req.AppendHeader(&kind)
	req.SetBody([]byte("flash\r\n"))
	l.send(l.dialog, req, "INFO (flash)", nil)
}
