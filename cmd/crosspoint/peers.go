package main

import (
	"context"
	"time"

	"crosspoint/b2bua/sipleg"
)

// peerView is our registration at a provider or another exchange, or our
// subscription to what waits in our mailbox there.
type peerView struct {
	Peer    string    `json:"peer"`
	Mailbox string    `json:"mailbox,omitempty"` // the extension that is shown the messages; empty: a registration
	State   string    `json:"state"`             // registering, registered, failed, unregistered; subscribing …
	Address string    `json:"address,omitempty"`
	Until   time.Time `json:"until,omitzero"`
	Next    time.Time `json:"next,omitzero"` // when it is renewed or tried again
	Status  int       `json:"status,omitempty"`
	Problem string    `json:"problem,omitempty"`
}

// peers are the office's registrations at others.
func (o *office) peers() []peerView {
	var views []peerView
	for _, r := range o.agent.Registrations() {
		v := peerView{Peer: r.Peer, State: r.State.String(), Until: r.Until, Next: r.Next, Status: r.Status, Problem: r.Problem}
		if r.Address.IsValid() {
			v.Address = r.Address.String()
		}
		views = append(views, v)
	}
	return views
}

// mailboxes are the office's subscriptions to messages at others.
func (o *office) mailboxes() []peerView {
	var views []peerView
	for _, m := range o.agent.Mailboxes() {
		v := peerView{Peer: m.Peer, Mailbox: m.Extension, State: m.State.String(), Until: m.Until, Next: m.Next, Status: m.Status, Problem: m.Problem}
		if m.Address.IsValid() {
			v.Address = m.Address.String()
		}
		views = append(views, v)
	}
	return views
}

// showPeer prints a registration or a subscription of ours in a line.
func showPeer(c console, v peerView) {
	if v.Mailbox == "" {
		c.printf("peer           %s: %s", v.Peer, v.State)
	} else {
		c.printf("mailbox        at %s for %s: %s", v.Peer, v.Mailbox, v.State)
	}
	switch {
	case v.State == sipleg.Registered.String() || v.State == sipleg.Subscribed.String():
		c.printf(" at %s for %s", v.Address, time.Until(v.Until).Round(time.Second))
	case v.Problem == "" && v.Address != "":
		c.printf(" at %s", v.Address)
	}
	if v.Problem != "" {
		c.printf(": %s", v.Problem)
		if wait := time.Until(v.Next); wait > 0 {
			c.printf(" (tried again in %s)", wait.Round(time.Second))
		}
	}
	c.printf("\n")
}

// leavePeers takes the office's registrations back, so that providers send their
// calls elsewhere while ours end.
func (o *office) leavePeers(ctx context.Context) {
	if o.agent == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	o.agent.Unregister(ctx)
}
