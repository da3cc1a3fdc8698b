// Package rtp carries one party's audio over the network: a Session is a pair
// of UDP sockets, RTP and RTCP (RFC 3550, RFC 3551), that is a media.Stream.
//
// Who owns what: the RTP socket's loop owns all that is learnt from the party's
// packets (its address, sequence, digits) and sends our digits; the RTCP
// socket's loop owns the reports. The loops of all sessions share one goroutine
// a core, a shard; a socket that is passed in has a goroutine of its own. What
// is sent is written by whoever calls Write, without a lock. Ports hands out
// the socket pairs.
//
// The package knows no SDP: what was negotiated comes by SetRemote, SetFormat
// and SetDirection.
package rtp
