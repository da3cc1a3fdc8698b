package wiring

import "crosspoint/b2bua/mwi"

// messagesOf tells the telephones of an extension whether messages wait for it.
func (o *Office) messagesOf(extension string, s mwi.Summary) {
	for _, line := range o.Plan().LinesOf(extension) {
		if err := o.Gateway.MessageWaiting(line, s.Waiting); err != nil {
			o.log.Warn("a telephone is not told of its messages", "line", line, "because", err)
		}
	}
}

// messagesOfLines tells the telephones for which messages wait, for there may be
// new lines. The others are left in peace: a telephone that knows no lamp may tinkle.
func (o *Office) messagesOfLines() {
	for _, l := range o.now().parties.Lines {
		if s := o.Messages.Of(l.Extension); s.Waiting {
			o.messagesOf(l.Extension, s)
		}
	}
}

// forgetMailboxes takes back what was known from mailboxes that are no longer asked.
func (o *Office) forgetMailboxes(before, now *book) {
	asked := map[string]bool{}
	for _, p := range now.parties.Peers {
		asked[p.Mailbox] = true
	}
	for _, p := range before.parties.Peers {
		if p.Mailbox == "" || asked[p.Mailbox] {
			continue
		}
		if err := o.Messages.Set(p.Mailbox, mwi.Summary{}); err != nil {
			o.log.Error("what waits for an extension is not forgotten", "extension", p.Mailbox, "because", err)
		}
	}
}
