package linesim

// bankLine is a channel bank's unit at the end of a line of the town: the
// exchange's end of the timeslot.
type bankLine struct {
	line   *Line
	ground bool
}

func (b *bankLine) step(rx cas, in, out []int16) (tx cas) {
	loop := rx&casA != 0 || b.ground && rx == ringGround
	b.line.step(loop, in, out)
	switch l := b.line; {
	case l.ringVoltage:
		return lineRings
	case b.ground && !l.offHook && l.state != lineRinging, b.ground && l.state == lineCleared, !l.battery:
		return lineNothing
	}
	return lineFeeds
}

// bankPhone is a channel bank's unit with a telephone: the subscriber's end of
// the timeslot. With ground start the telephone plays the trunk port of a
// private exchange.
type bankPhone struct {
	phone  *Phone
	ground bool
	closed bool // it has closed the loop, and had tip ground
}

func (b *bankPhone) step(rx cas, in, out []int16) (tx cas) {
	feeds := rx != lineNothing
	loop := b.phone.step(feed{battery: feeds, ring: rx == lineRings}, in, out)
	switch {
	case !loop:
		if b.ground && len(b.phone.contacts) == 0 {
			b.closed = false
		}
		return loopOpen
	case !b.ground:
		return loopClosed
	case feeds:
		b.closed = true
		return loopClosed
	case b.closed: // the exchange has released
		b.phone.putDown()
		b.closed = false
		return loopOpen
	}
	return ringGround
}
