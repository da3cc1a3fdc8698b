package sipleg

import (
	"net/netip"
	"sync"

	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// dialects knows who speaks SIP as RFC 2543 and who as RFC 3261. Each party is
// judged by what it sends, last of all by the latest: several phones may have
// one extension, and a phone may be replaced by another.
type dialects struct {
	mu     sync.Mutex
	legacy map[speaker]bool
}

// A speaker is a party at one of its addresses; at no address, the one of its
// phones that was heard last.
type speaker struct {
	name string // its column: extension, peer
	addr netip.AddrPort
}

// maxSpeakers bounds what addresses that come and go make it remember.
const maxSpeakers = 20000

// hears notes how a party speaks, by a request that it sent.
func (a *Agent) hears(name string, req *sip.Request, flow wire.Flow) {
	legacy := speaks2543(req)
	a.dialects.note(name, heardAt(flow), legacy)
	if c := req.Contact(); c != nil { // where it listens, if it sends from elsewhere
		if to, ok := literal(c.Address); ok && to != heardAt(flow) {
			a.dialects.note(name, to, legacy)
		}
	}
}

// hearsAnswer notes how a callee speaks, by its answer: RFC 3261 §13.3.1.4 has
// it name what it allows or supports, and §8.2.6.2 a tag. One that has a tag and
// names nothing may be of either time.
func (l *Leg) hearsAnswer(d *dialog) {
	if d.remoteTag == "" || !d.reticent() {
		l.agent.dialects.note(l.name, heardAt(d.flow), d.remoteTag == "")
	}
}

func (k *dialects) note(name string, addr netip.AddrPort, legacy bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.legacy == nil || len(k.legacy) >= maxSpeakers {
		k.legacy = make(map[speaker]bool)
	}
	k.legacy[speaker{name, addr}] = legacy
	k.legacy[speaker{name: name}] = legacy
}

// dialect tells whether the leg's party speaks RFC 2543; known is false if
// nothing has been heard of it yet.
func (l *Leg) dialect() (legacy, known bool) {
	k := &l.agent.dialects
	k.mu.Lock()
	defer k.mu.Unlock()
	if legacy, known = k.legacy[speaker{l.name, heardAt(l.dialog.flow)}]; known {
		return legacy, true
	}
	legacy, known = k.legacy[speaker{name: l.name}]
	return legacy, known
}

// heardAt is the far end's address; of a TCP connection, whose port is new each
// time, without the port.
func heardAt(flow wire.Flow) netip.AddrPort {
	if flow.Reliable() {
		return netip.AddrPortFrom(flow.Remote().Addr(), 0)
	}
	return flow.Remote()
}

// reticent tells a callee that does not say what it can: RFC 3261 §13.3.1.4 has
// a 2xx list Allow and Supported, phones of 1999 know neither. A hold is told
// to it in both forms, of which each can read one.
func (d *dialog) reticent() bool { return d.allow == nil && d.supports == nil }
