//go:build linux

package load

import "net/netip"

// A Call is one that the relay carries: it takes the audio of one end at A and
// of the other at B.
type Call struct {
	Number int
	A, B   netip.AddrPort
}

// A Target is a relay under test. Its calls are numbered from 0.
type Target interface {
	Name() string
	// Resize sets up or ends calls until there are n, and returns them.
	Resize(n int) ([]Call, error)
	// PID is the process whose time and memory are measured.
	PID() int
	// Close ends all calls, and the process if the target started it.
	Close() error
}
