package sipleg

import (
	"strings"

	"crosspoint/b2bua/mwi"
	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// notified serves a NOTIFY that is in no dialog of ours: a voice-mail system
// tells for whom messages wait (RFC 3842), or a peer at which we have an account
// tells of ours.
func (n *notifier) notified(in wire.Inbound, tag string) *sip.Response {
	a, req := n.agent, in.Request
	if n.board == nil {
		return response(req, 481, "", tag)
	}
	refuse := func(r *refusal) *sip.Response {
		res := a.refused("message waiting: NOTIFY", in, tag, r)
		if r.hint != "" {
			with(res, "Warning", "399 "+a.cfg.Product+` "`+quotable(r.hint)+`"`)
		}
		return res
	}
	if packageOf(req) != messageSummary {
		return refuse(&refusal{status: 489, headers: []string{"Allow-Events", a.events()}})
	}
	peer := a.peerAt(in.Flow.Remote())
	if peer == nil {
		peer = a.subscribedAt(in.Flow.Remote())
	}
	own := peer != nil && peer.Mailbox != "" && strings.EqualFold(unescaped(req.Recipient.User), peer.User)
	switch {
	case peer == nil:
		return refuse(&refusal{status: 403}) // no word in the log: anybody may ask
	case !peer.VoiceMail && !own:
		return refuse(&refusal{status: 403, hint: "peer " + peer.Name + " is no voice mail, and tells of messages"})
	}
	if unknown := a.unsupported(req); unknown != "" {
		return refuse(&refusal{status: 420, headers: []string{"Unsupported", unknown}})
	}
	summary, account, refused := summaryOf(req)
	if refused != nil {
		refused.hint = "peer " + peer.Name + ": " + refused.hint
		return refuse(refused)
	}
	extension := peer.Mailbox
	if !own {
		var ok bool
		if extension, ok = a.messagesFor(peer, unescaped(req.Recipient.User), account); !ok {
			return refuse(&refusal{status: 404, hint: "peer " + peer.Name + " tells of messages for " + req.Recipient.User + ", who is no extension"})
		}
	}
	a.note(peer.Name, extension, summary)
	res := response(req, 200, "", tag)
	with(res, "Server", a.cfg.Product)
	return res
}

// messagesFor is the extension that a voice-mail system means: the one that its
// request is addressed to, else the one of the account that the messages are for.
func (a *Agent) messagesFor(peer *Peer, user, account string) (extension string, ok bool) {
	if a.cfg.Extension(user) {
		return user, true
	}
	to, err := wire.ReadAddress(account)
	if err != nil {
		return "", false
	}
	user = unescaped(to.URI.User)
	if peer.Mailbox != "" && strings.EqualFold(user, peer.User) {
		return peer.Mailbox, true
	}
	return user, a.cfg.Extension(user)
}

// summaryOf reads the body of a NOTIFY.
func summaryOf(req *sip.Request) (s mwi.Summary, account string, refused *refusal) {
	if kind := req.ContentType(); kind != nil && mediaType(kind.Value()) != mwi.ContentType {
		return s, "", &refusal{status: 415, headers: []string{"Accept", mwi.ContentType}, hint: "a NOTIFY of messages is of type " + mediaType(kind.Value())}
	}
	s, account, err := mwi.Parse(req.Body())
	if err != nil {
		return s, "", &refusal{status: 400, phrase: "Message Summary Not Readable", hint: err.Error()}
	}
	return s, account, nil
}

// note puts onto the board what a peer tells.
func (a *Agent) note(peer, extension string, s mwi.Summary) {
	a.log.Debug("message waiting: told", "peer", peer, "extension", extension, "messages", s)
	if err := a.cfg.Messages.Set(extension, s); err != nil {
		a.log.Error("message waiting: the messages of an extension would not survive a restart", "extension", extension, "err", err)
	}
}
