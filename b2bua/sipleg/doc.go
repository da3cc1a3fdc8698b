// Package sipleg is the SIP side of the exchange: phones, peers and strangers
// as legs (leg.Leg) that call control gives orders to and hears of.
//
// An Agent owns the transport and the table of who owns which dialog. Each
// call's Leg owns its dialog, its transactions (package txn, plain values) and
// its RTP session; a crew of goroutines serves the legs, one at a time each
// (package crew). One desk serves what belongs to no call: REGISTER, OPTIONS,
// stray requests, what phones are told of their messages, and the last
// repetitions of calls that are over. What is kept up at a peer, a registration
// or a subscription, is an owner of its own. What arrives is put into the owner's
// inbox in order of arrival by the goroutine that read it, so that an INVITE and
// its CANCEL, or an ACK and a BYE, never overtake one another.
//
// A Leg is the same type whoever called: the dialog of RFC 3261 §12 has no
// client and server. Offer/answer is per leg (package sdp); audio is anchored
// here (package media/rtp). What the package leaves out: who may call whom and
// what a transfer does, which is call control's.
package sipleg
