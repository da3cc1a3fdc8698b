package sipleg

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// A replacement is what a Replaces header names (RFC 3891 §3).
type replacement struct {
	callID, toTag, fromTag string
	earlyOnly              bool
}

func readReplaces(v string) (r replacement, ok bool) {
	id, params, _ := strings.Cut(v, ";")
	r.callID = strings.TrimSpace(id)
	for p := range strings.SplitSeq(params, ";") {
		k, val, _ := strings.Cut(p, "=")
		val = strings.TrimSpace(val)
		switch strings.ToLower(strings.TrimSpace(k)) {
		case "to-tag":
			r.toTag = val
		case "from-tag":
			r.fromTag = val
		case "early-only":
			r.earlyOnly = true
		}
	}
	return r, r.callID != "" && r.toTag != "" && r.fromTag != ""
}

// replaced is the leg whose dialog a Replaces value names, seen from either
// end; nil: none in progress.
func (a *Agent) replaced(v string) *Leg {
	r, ok := readReplaces(v)
	if !ok {
		return nil
	}
	return a.legOf(r)
}

func (a *Agent) legOf(r replacement) *Leg {
	t := a.table
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, tags := range [][2]string{{r.toTag, r.fromTag}, {r.fromTag, r.toTag}} {
		l, ok := t.tags[tags[0]].(*Leg)
		if ok && l.callID == r.callID && l.talks() && (l.farTag() == tags[1] || tags[1] == "0" && l.farTag() == "") {
			return l
		}
	}
	return nil
}

// farTag is the party's tag, for others to read.
func (l *Leg) farTag() string {
	if tag := l.far.Load(); tag != nil {
		return *tag
	}
	return l.theirTag
}

// A takeover is the leg whose place an INVITE wants.
type takeover struct {
	of        *Leg // nil: the INVITE is a call of its own
	earlyOnly bool // only if that leg is not answered by then
}

// replacing finds the leg that an INVITE wants to take the place of; the
// refusal says why not (RFC 3891 §3).
func (l *Leg) replacing(req *sip.Request) (takeover, *refusal) {
	named := values(req, "Replaces")
	switch len(named) {
	case 0:
		return takeover{}, nil
	case 1:
	default:
		return takeover{}, &refusal{status: 400, phrase: "More Than One Replaces"}
	}
	r, ok := readReplaces(named[0])
	if !ok {
		return takeover{}, &refusal{status: 400, phrase: "Malformed Replaces"}
	}
	other := l.agent.legOf(r)
	switch {
	case other == nil:
		return takeover{}, &refusal{status: 481, hint: "Replaces names a call that is not in progress here"}
	case r.earlyOnly && state(other.stage.Load()) == talking:
		return takeover{}, &refusal{status: 486, hint: "Replaces is for a call not yet answered, and it is answered"}
	case state(other.stage.Load()) == called:
		return takeover{}, &refusal{status: 481, hint: "Replaces names a call that its caller still waits for"}
	}
	return takeover{other, r.earlyOnly}, nil
}
