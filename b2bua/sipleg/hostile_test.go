package sipleg

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/internal/siptest"
)

// Messages that are wrong in one way each, at every state of a call, end
// nothing but themselves.
func TestHostileMessages(t *testing.T) {
	play(t, func(c *Config) { c.Strangers, c.Peers[0].AlertInfo = true, true }, func(f *fixture) {
		p := f.trunk()
		random := rand.New(rand.NewPCG(1, 2))
		var texts []string
		for i := range 150 {
			d := p.Dial("101")
			invite := d.Request("INVITE", "Supported: 100rel, timer, replaces", "Session-Expires: 180", "Allow: INVITE, UPDATE",
				"Alert-Info: <urn:alert:source:internal>;x=1, Bellcore-dr2", sdpAt(4000))
			texts = append(texts[:0], invite.Text)
			p.Wait = 50 * time.Millisecond
			p.Any()
			var e *end
			select {
			case e = <-f.calls:
			default:
			}
			if e != nil && i%2 == 0 {
				e.Answer()
				answer := p.Any()
				for answer != nil && answer.Status < 200 {
					answer = p.Any()
				}
				if answer != nil && answer.Status == 200 {
					d.Ack(answer)
				}
			}
			for _, method := range []string{"PRACK", "UPDATE", "INFO", "REFER", "NOTIFY", "INVITE", "CANCEL", "BYE", "ACK", "OPTIONS"} {
				m := *d
				text := m.Request(method, "RAck: 1 1 INVITE", "Refer-To: <sip:a@b?Replaces=x%3Bto-tag%3D1>", "Replaces: a;to-tag=1;from-tag=2", sdpAt(4002, "a=sendonly")).Text
				texts = append(texts, text)
			}
			for _, text := range texts {
				p.SendRaw([]byte(mangle(random, text)))
			}
			synctest.Wait()
			if e != nil {
				e.Hold()
				e.Hangup(leg.NormalClearing)
			}
			p.Drain(time.Millisecond)
			for more := true; more; { // calls that mangled INVITEs have begun
				select {
				case e := <-f.calls:
					e.Hangup(leg.Busy)
				default:
					more = false
				}
			}
		}
	})
}

// mangle breaks a message in one to three places.
func mangle(r *rand.Rand, text string) string {
	lines := strings.Split(text, "\r\n")
	for range 1 + r.IntN(3) {
		i := r.IntN(len(lines))
		switch r.IntN(7) {
		case 0: // a line is missing
			lines = append(lines[:i:i], lines[i+1:]...)
		case 1: // a line is there twice
			lines = append(lines[:i+1:i+1], lines[i:]...)
		case 2: // a byte is another
			if len(lines[i]) > 0 {
				b := []byte(lines[i])
				b[r.IntN(len(b))] = byte(r.IntN(256))
				lines[i] = string(b)
			}
		case 3: // a value is empty
			name, _, _ := strings.Cut(lines[i], ":")
			lines[i] = name + ":"
		case 4: // a value is enormous
			lines[i] += strings.Repeat("9", 300)
		case 5: // a number is another
			lines[i] = strings.ReplaceAll(lines[i], "1", fmt.Sprint(r.Int64()))
		case 6: // a parameter has lost its value
			lines[i] = strings.ReplaceAll(lines[i], "=", "")
		}
		if len(lines) == 0 {
			return ""
		}
	}
	return strings.Join(lines, "\r\n")
}

// A callee that answers with what is mangled.
func TestHostileCallee(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		random := rand.New(rand.NewPCG(3, 4))
		for range 100 {
			e := f.dial("sip:102@127.0.0.1:5072")
			p.Wait = 100 * time.Millisecond
			m := p.Any()
			for m != nil && m.Method != "INVITE" {
				m = p.Any()
			}
			if m == nil {
				t.Fatal("no INVITE")
			}
			d := p.Incoming(m)
			for _, status := range []int{100, 180, 183, 401, 422, 302, 200, 486} {
				lines := []string{"Require: 100rel", "RSeq: 1", "Session-Expires: 90;refresher=uas", "Record-Route: <sip:127.0.0.1:5099;lr>", "Min-SE: 100", "Alert-Info: <http://ring.example/a,b>;info=x", sdpAt(4000)}
				text := silently(p, func() string { return d.Respond(m, status, lines...).Text })
				p.SendRaw([]byte(mangle(random, text)))
			}
			synctest.Wait()
			e.Hangup(leg.NormalClearing)
			time.Sleep(100 * time.Millisecond)
			d.Respond(m, 487)
			p.Drain(time.Millisecond)
		}
	})
}

// silently makes a message without the exchange getting it.
func silently(p *siptest.Peer, make func() string) string {
	target := p.Target
	p.Target = "127.0.0.1:9"
	defer func() { p.Target = target }()
	return make()
}
