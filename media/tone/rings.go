package tone

import "time"

// A cadence of ring voltage is on, off, on, off …, repeated, as in Country.Bell.
// One pause of each is long enough for caller ID between two rings.

// shortestPause is what caller ID needs between two rings: 0.5 s of silence, a
// message of 1 s with a name in it, and 0.2 s before the next ring (GR-30 §2.3).
const shortestPause = 2000 * ms

// distinctive are the cadences of Telcordia GR-506 §14 by the names that SIP
// phones and adapters have for them.
var distinctive = map[string][]time.Duration{
	"dr1": bell(2000, 4000),
	"dr2": bell(800, 400, 800, 4000),
	"dr3": bell(400, 200, 400, 200, 800, 4000),
	"dr4": bell(300, 200, 1000, 200, 300, 4000),
}

// Ring is the cadence that tells a kind of call by its name: "outside", which is
// the network's own Bell, "inside", "recall", "urgent", and "dr1" to "dr4". A
// name that it does not know, and the empty one, is Bell, and false.
//
// No standard says how an exchange of an office rings for inside calls. Where the
// network rings once and pauses, two short rings are an inside call, else a long
// one; a recall is three short rings, an urgent call five.
func (c Country) Ring(name string) (cadence []time.Duration, ok bool) {
	pause := max(c.pause(), shortestPause)
	short := func(n int) []time.Duration {
		times := make([]time.Duration, 0, 2*n)
		for range n {
			times = append(times, 300*ms, 200*ms)
		}
		times[len(times)-1] = pause
		return times
	}
	switch name {
	case "outside":
		return c.Bell, true
	case "inside":
		if len(c.Bell) == 2 {
			return []time.Duration{400 * ms, 200 * ms, 400 * ms, pause}, true
		}
		return []time.Duration{1000 * ms, pause}, true
	case "recall":
		return short(3), true
	case "urgent":
		return short(5), true
	}
	if cadence, ok = distinctive[name]; !ok {
		cadence = c.Bell
	}
	return cadence, ok
}

// pause is the longest pause of the network's own ringing.
func (c Country) pause() (longest time.Duration) {
	for i := 1; i < len(c.Bell); i += 2 {
		longest = max(longest, c.Bell[i])
	}
	return longest
}
