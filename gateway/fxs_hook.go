package gateway

import (
	"time"

	"crosspoint/gateway/jack"
)

// What a break of a telephone's loop means: a dial pulse, a hook-flash, or that it
// was hung up.

// isFlash tells a hook-flash from a loop break that is none. A card that does
// not say how long it was has judged itself.
func (f *fxs) isFlash(d time.Duration) bool {
	return !f.opt.NoFlash && (d == 0 || f.opt.FlashMin <= d && d <= f.opt.FlashMax)
}

// pulseMax is the longest loop break of a dial: 67 ms, and what old dials are
// slow. noFlash is one that no dial makes, of a telephone without hook-flash.
const (
	pulseMax = 90 * time.Millisecond
	noFlash  = 200 * time.Millisecond
)

// setHook tells the port what the telephone's loop breaks mean, if it can be told.
func (f *fxs) setHook() {
	port, ok := f.cfg.Port.(jack.HookTimer)
	if !ok {
		return
	}
	t := jack.HookTiming{PulseMax: min(pulseMax, f.opt.FlashMin-time.Millisecond), FlashMin: f.opt.FlashMin, FlashMax: f.opt.FlashMax}
	if f.opt.NoFlash {
		t = jack.HookTiming{PulseMax: pulseMax, FlashMin: noFlash, FlashMax: noFlash}
	}
	port.SetHookTiming(t)
}
