package dialplan

// Completeness is what is known of a number while its digits are being dialled.
type Completeness uint8

const (
	Impossible     Completeness = iota // no number begins like this
	Partial                            // more digits are needed
	Complete                           // a number, and no longer one begins with it
	CompleteOrMore                     // a number, and the beginning of longer ones
)

func (c Completeness) String() string {
	return [...]string{"impossible", "partial", "complete", "complete-or-more"}[c&3]
}

// Complete tells how far the digits have come that a caller has dialled so far.
// It knows patterns, not schedules or permissions: a number that will be refused
// is complete too. It allocates nothing.
func (p *Plan) Complete(from Caller, digits string) Completeness {
	l := p.contextFrom(from)
	complete, more := false, digits == ""
	for _, l := range l.search {
		c, m := l.root.extent(digits)
		complete, more = complete || c, more || m
	}
	if from.Kind == FromPhone || l != p.incoming {
		c, m := p.emergency.extent(digits)
		complete = complete || c
		more = more || m && !c // nobody who dials 911 is on the way to 9 and 112
	}
	switch {
	case complete && more:
		return CompleteOrMore
	case complete:
		return Complete
	case more:
		return Partial
	}
	return Impossible
}

// contextFrom is the numbering plan of a caller.
func (p *Plan) contextFrom(from Caller) *context {
	switch from.Kind {
	case FromPhone:
		if e := p.extensions[from.Name]; e != nil {
			return e.context
		}
	case FromLine:
		if l := p.lines[from.Name]; l != nil {
			if e := p.extensions[l.Extension]; e != nil {
				return e.context
			}
		}
	case FromPeer:
		if peer := p.peers[from.Name]; peer != nil && p.contexts[peer.Context] != nil {
			return p.contexts[peer.Context]
		}
	}
	return p.incoming
}

// extent tells whether the digits are an emergency number, or could become one.
func (em *emergency) extent(digits string) (complete, more bool) {
	for _, prefix := range em.prefixes {
		for _, n := range em.numbers {
			switch whole := len(prefix) + len(n); {
			case len(digits) > whole:
			case len(digits) <= len(prefix):
				more = more || prefix[:len(digits)] == digits
			case digits[:len(prefix)] != prefix || n[:len(digits)-len(prefix)] != digits[len(prefix):]:
			case len(digits) == whole:
				complete = true
			default:
				more = true
			}
		}
	}
	return complete, more
}
