//go:build linux

package load

import "os"

// Direct is no relay: each end of a call sends straight to the other. What it
// adds is the generator's and the kernel's own, and the cost is the
// generator's: every relay's figures are read against it.
type Direct struct{ Pump *Pump }

func (Direct) Name() string { return "no relay" }
func (Direct) PID() int     { return os.Getpid() }
func (Direct) Close() error { return nil }

// Resize is calls between the generator's own ports.
func (d Direct) Resize(n int) ([]Call, error) {
	calls := make([]Call, n)
	for i := range calls {
		calls[i] = Call{Number: i, A: d.Pump.Addr(1, i), B: d.Pump.Addr(0, i)}
	}
	return calls, nil
}
