package sipleg

import (
	"cmp"
	"slices"
	"time"

	"crosspoint/b2bua/mwi"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/alarm"
	"github.com/emiago/sipgo/sip"
)

// A mailbox is our subscription to the messages that wait for our account at a
// peer (RFC 6665 §4.1, RFC 3842): what the peer tells goes onto the board, for the
// extension that is shown them.
//
//	b2bua           peer
//	  |--SUBSCRIBE--->|
//	  |<-----401------|
//	  |--SUBSCRIBE--->|   with credentials
//	  |<-----200------|
//	  |<---NOTIFY-----|   at once, and with each change
//	  |------200----->|
type mailbox struct {
	*upkeep
	dialog *dialog   // nil: the next SUBSCRIBE begins one
	cseq   uint32    // of the latest SUBSCRIBE that was to begin one
	since  time.Time // when the peer granted what the dialog stands for
	heard  bool      // a NOTIFY has come in the dialog
	silent time.Time // when a peer that has sent none has failed us; zero: it has sent one
	latest notice    // the latest NOTIFY
	ended  string    // Subscription-State of a last NOTIFY that came before the answer to our SUBSCRIBE; empty: none did
	short  int       // subscriptions in a row that the peer has ended soon
	lapse  time.Time // after we have given it up: until when the last NOTIFY is waited for
}

// Times of a subscription to messages.
const (
	subscribeFor = time.Hour      // what we ask for
	endedSoon    = time.Minute    // a peer that ends a subscription sooner is not asked again at once
	retryNever   = 24 * time.Hour // after a peer has told us not to come again
)

func newMailbox(a *Agent, p *Peer, t terms) *upkeep {
	m := &mailbox{upkeep: newUpkeep(a, p, t)}
	m.kind, m.ask = m, subscribeFor
	m.log = m.log.With("mailbox", t.mailbox)
	return m.upkeep
}

func (m *mailbox) take(in wire.Inbound) { m.in.Put(in) }
func (m *mailbox) name() string         { return "subscription to messages" }

// place is our user at the peer.
func (m *mailbox) place() sip.Uri {
	u, _ := m.peer.uri(m.peer.User) // no host has no address, which is told
	return u
}

// half is what we know of the dialog that a SUBSCRIBE begins.
func (m *mailbox) half() *dialog {
	target := m.place()
	target.UriParams = nil
	own := address{uri: sip.Uri{Scheme: "sip", User: target.User, Host: cmp.Or(m.peer.FromDomain, target.Host)}}
	if m.peer.FromDomain != "" {
		target = own.uri
	}
	return &dialog{
		agent: m.agent, callID: m.callID, localTag: m.tag, local: own, remote: own, localSeq: m.cseq, target: target,
		contact: contactOn(m.flow, contactUser(target.User)), flow: m.flow,
	}
}

// compose makes a SUBSCRIBE: in the dialog, or one that begins it.
func (m *mailbox) compose() *sip.Request {
	if !m.leaving && m.now().State != Registered {
		m.forget() // what there was is over
	}
	d := m.dialog
	if d == nil {
		m.cseq++
		d = m.half()
		d.localSeq--
	}
	m.flow = d.flow
	req := d.newRequest(sip.SUBSCRIBE)
	lasts := "0"
	if !m.leaving {
		lasts = whole(m.ask)
	} else {
		m.lapse = time.Now().Add(2 * m.agent.cfg.Timing.T1)
	}
	req.AppendHeader(&sip.ContactHeader{Address: d.contact})
	with(req, "Event", messageSummary, "Accept", mwi.ContentType, "Expires", lasts, "Allow", m.agent.allow())
	return req
}

// begun notes the dialog that a response or a NOTIFY of the peer opens, whichever
// comes first (RFC 6665 §4.1.2.4).
func (m *mailbox) begun(tag string, msg headed, routes []sip.Uri) {
	m.dialog = m.half()
	m.dialog.remoteTag, m.dialog.routes = tag, routes
	m.dialog.learn(msg)
	m.dialog.redirect()
}

// forget gives up the dialog: the next SUBSCRIBE begins another, which the peer can
// tell from the one before.
func (m *mailbox) forget() {
	m.silent = time.Time{}
	if m.dialog == nil {
		return
	}
	t := m.agent.table
	t.mu.Lock()
	t.remove(m)
	m.identity = identity{callID: newTag(), tag: newTag()}
	t.add(m)
	t.mu.Unlock()
	m.dialog, m.cseq, m.heard, m.latest, m.ended = nil, 0, false, notice{}, ""
	m.show(func(s *Registration) { s.State, s.Until = Registering, time.Time{} })
}

// granted notes until when we are told. A peer that then sends no NOTIFY has not
// understood (RFC 6665 §4.1.2.4, timer N).
func (m *mailbox) granted(res *sip.Response) {
	now := time.Now()
	if m.dialog == nil {
		routes := recordRoutes(res)
		slices.Reverse(routes)
		m.begun(toTag(res), res, routes)
	} else {
		m.dialog.learn(res)
		m.dialog.redirect()
	}
	lasts := m.ask
	if n, ok := seconds(res, "Expires"); ok && n > 0 {
		lasts = time.Duration(n) * time.Second
	}
	lasts = min(max(lasts, 4*time.Second), 24*time.Hour)
	was := m.shown.Load()
	if was.State != Registered || was.Problem != "" {
		m.log.Info("subscribed to messages", "at", m.flow.Remote(), "for", lasts)
	}
	if was.State != Registered {
		m.since = now
	}
	m.stands(res, lasts)
	switch {
	case m.ended != "":
		m.over(m.ended)
	case !m.heard:
		m.silent = now.Add(m.agent.cfg.Timing.Timeout())
	}
}

// handles takes what a refusal means for a subscription. One that the peer does not
// know any more is begun anew at once (RFC 6665 §4.1.2.2).
func (m *mailbox) handles(res *sip.Response) bool {
	switch status := res.StatusCode; {
	case status == 481 && m.dialog != nil:
		m.log.Info("the peer has forgotten our subscription to messages; subscribing again")
		m.forget()
		m.tries = 0
		m.begin()
		return true
	case status == 405 || status == 489:
		m.failed(status, "the peer tells nobody of messages: take mailbox out"+m.at(), retryAtMost)
		return true
	}
	return false
}

// unheard is told that the peer has not answered in the dialog: another server of
// its does not know it.
func (m *mailbox) unheard() { m.forget() }

// alarm is when a NOTIFY has not come that should have; zero: there is none.
func (m *mailbox) alarm() (at time.Time) {
	switch {
	case !m.leaving:
		at = m.silent
	case m.tx == nil: // left is asked then
		at = m.lapse
	}
	return at
}

// work does what is to be done about that.
func (m *mailbox) work(now time.Time) {
	if m.leaving || !alarm.Due(m.silent, now) {
		return
	}
	m.tx = nil
	m.forget()
	m.failed(0, "the peer takes our subscription to messages, but sends no NOTIFY: check that SIP from it reaches us", retryRefused)
}

// held tells that there is a subscription to give up. One that we have not heard of
// yet, the peer gives up as we refuse its NOTIFY.
func (m *mailbox) held(bool) bool { return m.dialog != nil && m.now().State == Registered }

// left tells that the peer has confirmed the end by its last NOTIFY, or won't.
func (m *mailbox) left() bool {
	return m.dialog == nil || m.ended != "" || m.lapse.IsZero() || alarm.Due(m.lapse, time.Now())
}
