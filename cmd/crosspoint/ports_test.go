package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"crosspoint/internal/softphone"
)

// A call for which no RTP port is left gets 503 and says what to change; the
// ports of a call that ends are there for the next, and none is lost.
func TestPortRangeIsUsedUp(t *testing.T) {
	o, out := serveTest(t, strings.Replace(testOffice, "20000-24999", "25000-25003", 1)) // two pairs: one call
	alice, bob := phoneOf(t, o, "101"), phoneOf(t, o, "102")
	call, in := connect(t, alice, bob, "102")
	for range 3 {
		second, err := alice.Call(context.Background(), "102")
		if err != nil {
			t.Fatal(err)
		}
		soon(t, "the second call is refused", closed(second.Done()))
		var refused softphone.Refused
		if !errors.As(second.Err(), &refused) || refused.Status != 503 {
			t.Fatalf("the second call: %v, not 503", second.Err())
		}
	}
	soon(t, "the log says what to do", func() bool { return strings.Contains(out.String(), "widen the range of RTP ports") })
	call.Hangup()
	soon(t, "the hang-up arrives", closed(in.Done()))
	soon(t, "all ports are free", func() bool { return o.rtp.InUse() == 0 })
	call, in = connect(t, alice, bob, "102")
	call.Hangup()
	soon(t, "the hang-up arrives", closed(in.Done()))
	soon(t, "all ports are free", func() bool { return o.rtp.InUse() == 0 })
}
