package lab

import (
	"errors"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua"
	"crosspoint/dialplan"
	"crosspoint/internal/siptest"
)

// A caller reaches each kind of forwarding; To stays as it was dialled, and the
// places are told who forwarded and why.
func TestForwarding(t *testing.T) {
	for _, c := range []struct {
		name, dial string
		before     func(o *office) // until the last place rings
		place      string
		reason     string
	}{
		{"unconditional", "160", func(*office) {}, "103", "unconditional"},
		{"busy 486", "161", func(o *office) { refuses(o.rings("103"), 486) }, "104", "user-busy"},
		{"busy 600", "161", func(o *office) { refuses(o.rings("103"), 600) }, "104", "user-busy"},
		{"no answer", "162", func(o *office) {
			o.phone("103").Wait = 12 * time.Second
			cancelled(o.rings("103"))
		}, "104", "no-answer"},
		{"find-me", "163", func(o *office) {
			refuses(o.rings("102"), 480)
			refuses(o.rings("103"), 486)
		}, "104", "follow-me"},
		{"find-me, nobody there", "163", func(o *office) {
			o.phone("102").Close() // unplugged: 32 s until that is sure; the ring timer is shorter
			o.phone("103").Wait = 25 * time.Second
			refuses(o.rings("103"), 404)
		}, "104", "follow-me"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inOffice(t, func(o *office) {
				for _, p := range []string{"102", "103", "104"} {
					o.phone(p)
				}
				alice := o.dials("101", c.dial)
				c.before(o)
				place := o.rings(c.place)
				o.answer(place)
				switch m := alice.Peer.Any(); { // 180, once, if any place has rung
				case m.Is("100"):
					m = alice.Peer.Any()
					if !m.Is("180") {
						o.t.Errorf("Alice was sent %s", m)
					}
				case !m.Is("180"):
					o.t.Errorf("Alice was sent %s", m)
				}
				o.connected(alice)
				invite := place.Dialog.Invite
				if to := invite.Address("To"); to != "sip:"+c.dial+"@127.0.0.1" {
					o.t.Errorf("To: %s", to)
				}
				if d := invite.Get("Diversion"); !strings.Contains(d, "sip:"+c.dial+"@") || !strings.Contains(d, "reason="+c.reason) {
					o.t.Errorf("Diversion: %s", d)
				}
				if h := strings.Join(invite.All("History-Info"), ","); !strings.Contains(h, "sip:"+c.dial+"@") || !strings.Contains(h, "index=1.1") {
					o.t.Errorf("History-Info: %s", h)
				}
				o.hear(alice, place)
				o.hangsUp(alice, place)
			})
		})
	}
}

// The first phone answers as it is cancelled: whoever was first at the exchange
// has the call, the other one is let go, and nobody is left talking to nobody.
func TestAnswerCrossesCancel(t *testing.T) {
	inOffice(t, func(o *office) {
		carol, dave := o.phone("103"), o.phone("104")
		carol.Wait = 12 * time.Second
		alice := o.dials("101", "162")
		first := o.rings("103")
		cancel := carol.Expect("CANCEL")
		first.Respond(first.Dialog.Invite, 200, says(carol)...) // she has lifted already
		carol.Respond(cancel, 200)
		carol.Expect("ACK")
		o.ended(first)
		second := o.rings("104")
		alice.Peer.Expect("180")
		o.answer(second)
		o.connected(alice)
		o.hear(alice, second)
		o.hangsUp(alice, second)
		dave.Quiet(time.Second)
	})
}

// settings are what users have set from their phones.
type settings map[string]dialplan.Settings

func (s settings) Settings(extension string) dialplan.Settings   { return s[extension] }
func (s settings) Change(string, func(*dialplan.Settings)) error { return errors.New("not here") }

// Phones that forward to each other end with 482, and the log names the rule.
func TestForwardingCircle(t *testing.T) {
	users := settings{"102": {ForwardAlways: "103"}, "103": {ForwardAlways: "102"}}
	inOfficeWith(t, officeText, b2bua.Config{Users: users}, func(o *office) {
		alice := o.dials("101", "102")
		alice.Ack(alice.Peer.Expect("482"))
		if why := o.Last().Why; !strings.Contains(why, "forwarded in a circle") || !strings.Contains(why, "office.toml:") {
			o.t.Errorf("the record says %q", why)
		}
	})
}

// A call that has gone through too many exchanges ends with 483.
func TestTooManyHops(t *testing.T) {
	inOffice(t, func(o *office) {
		o.phone("102")
		alice := o.dials("101", "102", "Max-Forwards: 1")
		alice.Ack(alice.Peer.Expect("483"))
		o.phone("102").Quiet(time.Second)
	})
}

// The caller gives up while a place rings, at each stage.
func TestCallerGivesUp(t *testing.T) {
	for name, before := range map[string]func(o *office) *call{
		"first place":  func(o *office) *call { return o.rings("102") },
		"second place": func(o *office) *call { refuses(o.rings("102"), 486); return o.rings("103") },
		"third place": func(o *office) *call {
			refuses(o.rings("102"), 486)
			refuses(o.rings("103"), 480)
			return o.rings("104")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inOffice(t, func(o *office) {
				for _, p := range []string{"102", "103", "104"} {
					o.phone(p)
				}
				alice := o.dials("101", "163")
				place := before(o)
				alice.Peer.Expect("180")
				alice.Cancel()
				cancelled(place)
				for range 2 {
					if m := alice.Peer.Any(); m.Is("487") {
						alice.Ack(m)
					}
				}
				for _, p := range []string{"102", "103", "104"} {
					o.phone(p).Quiet(time.Second)
				}
				if r := o.Last(); r.Cause.Status != 487 {
					o.t.Errorf("the record says %d %s", r.Cause.Status, r.Why)
				}
			})
		})
	}
}

// Nobody can be found: the caller hears why.
func TestNobodyIsFound(t *testing.T) {
	inOffice(t, func(o *office) {
		for _, p := range []string{"102", "103", "104"} {
			o.phone(p)
		}
		alice := o.dials("101", "163")
		refuses(o.rings("102"), 480)
		refuses(o.rings("103"), 486)
		refuses(o.rings("104"), 404)
		alice.Peer.Expect("180")
		m := alice.Peer.Any()
		alice.Ack(m)
		if m.Status != 404 { // of the last
			o.t.Errorf("the caller was told %s", m.Start)
		}
	})
}

// Several sets ring together: the first to answer wins, the others are told
// that the call was answered elsewhere, and one that answers at the same moment
// is let go.
func TestSimultaneousRing(t *testing.T) {
	for _, late := range []bool{false, true} {
		inOffice(t, func(o *office) {
			o.phone("102")
			o.phone("103")
			alice := o.dials("101", "164")
			bob, carol := o.rings("102"), o.rings("103")
			alice.Peer.Expect("180")
			o.answer(bob)
			cancel := carol.Peer.Expect("CANCEL")
			if !strings.Contains(cancel.Get("Reason"), "cause=200") && !strings.Contains(cancel.Get("Reason"), "cause=26") {
				o.t.Errorf("Reason: %s", cancel.Get("Reason"))
			}
			carol.Peer.Respond(cancel, 200)
			if late {
				carol.Respond(carol.Dialog.Invite, 200, says(carol.Peer)...)
				carol.Peer.Expect("ACK")
				o.ended(carol)
			} else {
				carol.Respond(carol.Dialog.Invite, 487)
				carol.Peer.Expect("ACK")
			}
			o.connected(alice)
			o.hear(alice, bob)
			o.hangsUp(bob, alice)
		})
	}
}

// A phone in a call is busy to forwarding without being asked.
func TestBusyByOurKnowledge(t *testing.T) {
	inOffice(t, func(o *office) {
		bob, carol := o.talking("102", "103")
		o.phone("104")
		alice := o.dials("101", "161")
		var rung *siptest.Peer
		if m := carol.Peer.Any(); m != nil && m.Is("INVITE") { // Carol's phone itself says busy
			carol.Peer.Respond(m, 486)
			carol.Peer.Expect("ACK")
			rung = carol.Peer
		}
		if rung != nil {
			o.t.Error("a phone in a call was rung though its calls are forwarded when it is busy")
		}
		dave := o.rings("104")
		alice.Peer.Expect("180")
		o.answer(dave)
		o.connected(alice)
		o.hangsUp(alice, dave)
		o.hangsUp(bob, carol)
	})
}
