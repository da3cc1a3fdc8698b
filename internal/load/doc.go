// Package load measures relays of telephone audio: it sets up real calls by
// SIP, or through the ng protocol of rtpengine, speaks and listens at both ends
// of each, and tells what was lost, what was late and what it cost.
//
// A Pump is one thread that sends and receives the RTP of all calls with
// batched system calls, so that the generator is not what is measured. A
// Target is what relays. Search raises the number of calls until the relay
// fails. The package runs on Linux alone.
package load
