package wiring

import (
	"crosspoint/b2bua/sipleg"
	"crosspoint/dialplan"
)

// A Reload is what may change while an office runs.
type Reload struct {
	Parties dialplan.Config
	Plan    *dialplan.Plan // compiled from Parties
	// Strangers and RefuseForeignIdentity are as in sipleg.Config.
	Strangers, RefuseForeignIdentity bool
}

// Reload puts another plan and other parties in force, for calls that come from
// now on; calls in progress go on as they are. A phone that is removed, or has
// another secret, is no longer registered; a line that is removed leaves service
// when its call has ended. On an error nothing has changed.
func (o *Office) Reload(r Reload) error {
	o.reloading.Lock()
	defer o.reloading.Unlock()
	next, before := newBook(r.Parties, r.Plan), o.now()
	if err := o.Gateway.Reload(o.lineConfig(next)); err != nil {
		return err
	}
	o.book.Store(next)
	o.messagesOfLines()
	o.forgetMailboxes(before, next)
	o.Agent.SetParties(sipleg.Parties{
		Peers: sipPeers(r.Parties.Peers), Domains: r.Parties.Domains,
		Strangers: r.Strangers, RefuseForeignIdentity: r.RefuseForeignIdentity,
	})
	if reg := o.cfg.SIP.Registrar; reg != nil {
		for _, extension := range before.strangersTo(next) {
			reg.Remove(extension, "")
		}
	}
	return nil
}
