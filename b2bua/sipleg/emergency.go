package sipleg

import (
	"net/netip"
	"strings"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/wire"
)

// callsForHelp puts through who calls an emergency number and can't, or does not,
// prove who it is, if we know it by its address: a phone that was given a wrong
// password, or has lost it, must still be able to call for help. Addresses can
// be forged; all that is won by it is a call to the emergency number.
func (a *Agent) callsForHelp(in wire.Inbound, from leg.Party) (sender, bool) {
	if a.cfg.Emergency == nil {
		return sender{}, false
	}
	extension, ok := a.phoneAt(in.Flow.Remote(), from.Number)
	if !ok || !a.cfg.Emergency(extension, a.dialed(in.Request.Recipient)) {
		return sender{}, false
	}
	a.log.Warn("a call for help is let through without credentials", "phone", extension, "source", in.Flow.Remote())
	s := sender{
		source: leg.Source{Kind: leg.Phone, Name: extension}, name: extension,
		caller: leg.Party{Number: extension, Name: from.Name, Domain: from.Domain},
	}
	if account, ok := a.cfg.Account(extension); ok && account.Name != "" {
		s.caller.Name = account.Name
	}
	a.hears(extension, in.Request, in.Flow)
	return s, true
}

// phoneAt is the phone that is known to be at an address: the one that it claims
// to be, if that has a fixed address there or is registered from there; else the
// one that is registered from that very port.
func (a *Agent) phoneAt(from netip.AddrPort, claimed string) (extension string, ok bool) {
	if account, ok := a.cfg.Account(claimed); ok {
		claimed = account.number()
	}
	for _, c := range a.cfg.Contacts(claimed) {
		if c.Address.Addr().Unmap() == from.Addr().Unmap() {
			return claimed, true
		}
	}
	if a.cfg.Registrar == nil {
		return "", false
	}
	for _, b := range a.cfg.Registrar.List() {
		switch {
		case strings.EqualFold(b.AOR, claimed) && b.Source.Addr().Unmap() == from.Addr().Unmap():
			return b.AOR, true
		case b.Source == from:
			extension = b.AOR
		}
	}
	return extension, extension != ""
}
