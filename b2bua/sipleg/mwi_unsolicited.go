package sipleg

import (
	"slices"
	"time"

	"crosspoint/b2bua/registrar"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/alarm"
	"github.com/emiago/sipgo/sip"
)

// An unsolicited is a phone that is told of messages without a subscription: by an
// unsolicited NOTIFY, which no standard has, but which many phones wait for and
// most take. It belongs to the desk.
//
//	b2bua          phone
//	  |----NOTIFY---->|
//	  |<----200-------|
type unsolicited struct {
	identity // does not change
	telling
	contact string    // as it registered it; does not change
	boot    string    // Call-ID of its registrations: another one is a phone that was started anew (RFC 3261 §10.2)
	since   time.Time // when its binding began
	entered bool      // the table knows it
	refuses bool      // it did not take the last NOTIFY: it is not told again until it is started anew
}

// unsolicitedAfter is how long a phone that has registered may take to subscribe,
// before it is told unasked.
const unsolicitedAfter = 2 * time.Second

func (u *unsolicited) id() *identity { return &u.identity }
func (u *unsolicited) talks() bool   { return false }

func (u *unsolicited) take(in wire.Inbound) {
	if in.Response != nil {
		u.n.agent.desk.in.Put(deskItem{do: func() { u.response(in.Response, time.Now()) }})
	} else {
		u.n.agent.desk.take(in, nil)
	}
}

// registered notes where an extension's phones are now, and has those told that
// have been started since, if messages wait.
func (n *notifier) registered(extension string, bindings []registrar.Binding) {
	if n.board == nil {
		return
	}
	now := time.Now()
	for _, b := range bindings {
		uri, err := wire.ParseURI(b.URI)
		if err != nil {
			continue
		}
		u := n.unsolicitedAt(extension, uri.String())
		if u.boot == b.CallID && u.since.Equal(b.Since) {
			continue
		}
		u.boot, u.since, u.refuses = b.CallID, b.Since, false
		if n.board.Of(extension).Waiting && u.due.IsZero() {
			u.due = now.Add(unsolicitedAfter)
			u.settle()
		}
	}
	if len(n.others[extension]) > len(bindings) {
		n.places(extension)
	}
}

// unsolicitedAt finds a phone by where it is.
func (n *notifier) unsolicitedAt(extension, contact string) *unsolicited {
	list := n.others[extension]
	if i := slices.IndexFunc(list, func(u *unsolicited) bool { return u.contact == contact }); i >= 0 {
		return list[i]
	}
	u := &unsolicited{identity: identity{callID: newTag(), tag: newTag()}, contact: contact}
	u.telling = telling{n: n, extension: extension, fill: u.fill, heard: u.heard}
	u.task.do = u.expire
	n.others[extension] = append(list, u)
	return u
}

// places finds the ways to an extension's phones, and forgets phones that are
// not there any more.
func (n *notifier) places(extension string) map[string]target {
	found := make(map[string]target)
	for _, t := range n.agent.places(extension) {
		found[t.uri.String()] = t
	}
	for _, u := range slices.Clone(n.others[extension]) {
		if _, ok := found[u.contact]; !ok {
			u.remove()
		}
	}
	return found
}

// tellUnsolicited tells all phones of an extension that don't refuse it.
func (n *notifier) tellUnsolicited(extension string, now time.Time) {
	for contact := range n.places(extension) {
		if u := n.unsolicitedAt(extension, contact); !u.refuses {
			u.tell(now)
		}
	}
}

// remove forgets the phone.
func (u *unsolicited) remove() {
	n := u.n
	u.stop()
	without(n.others, u.extension, u)
	if u.entered {
		n.leave(u)
	}
}

// expire does what is due. Where the phone is and whether it has subscribed is
// looked up as the NOTIFY is about to be sent.
func (u *unsolicited) expire(now time.Time) {
	t, n := &u.telling, u.n
	if t.tx == nil && alarm.Due(t.due, now) {
		way, ok := n.places(u.extension)[u.contact]
		if !ok {
			return // and has been removed
		}
		if len(n.active(u.extension)) > 0 {
			t.due = time.Time{}
		}
		u.turnTo(way)
	}
	t.expire(now)
}

// turnTo makes requests take the way to the phone.
func (u *unsolicited) turnTo(way target) {
	t, a := &u.telling, u.n.agent
	if t.dialog == nil {
		t.dialog = &dialog{agent: a, callID: u.callID, localTag: u.tag}
	}
	d := t.dialog
	d.target, d.flow, d.pinned = way.uri, way.flow, way.pinned
	d.local = address{uri: a.record(u.extension, d.flow)}
	d.remote = d.local
	d.contact = contactOn(d.flow, contactUser(u.extension))
	if !u.entered {
		t.n.enter(u)
		u.entered = true
	}
}

// fill completes a NOTIFY. Its state is that of nothing which goes on, so that no
// phone keeps it as a subscription.
func (u *unsolicited) fill(req *sip.Request) {
	with(req, "Subscription-State", "terminated;reason=noresource")
	u.n.bodyTo(req, u.extension, u.dialog.flow)
}

// heard notes whether the phone takes what is told unasked. One that is not
// there is no phone that refuses.
func (u *unsolicited) heard(res *sip.Response, _ time.Time) {
	if !isMade(res) && res.StatusCode >= 300 {
		u.refuses, u.due = true, time.Time{}
		u.n.agent.log.Debug("message waiting: the phone does not want to be told without having subscribed", "phone", u.extension, "contact", u.contact, "status", res.StatusCode)
	}
	u.settle()
}
