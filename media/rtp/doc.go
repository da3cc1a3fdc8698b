// Package rtp carries one party's audio over the network: a Session is a pair
// of UDP sockets, RTP and RTCP (RFC 3550, RFC 3551), that is a media.Stream.
//
// Who owns what: the RTP socket's goroutine owns all that is learnt from the
// party's packets (its address, sequence, digits) and sends our digits; the
// RTCP socket's goroutine owns the reports. Both sleep in a read whose deadline
// is their timer. What is sent is written by whoever calls Write, without a
// lock. Ports hands out the socket pairs.
//
// The package knows no SDP: what was negotiated comes by SetRemote, SetFormat
// and SetDirection.
package rtp
