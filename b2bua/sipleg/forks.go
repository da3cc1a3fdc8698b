package sipleg

import "github.com/emiago/sipgo/sip"

// maxForks bounds the early dialogs of one INVITE, which a proxy may take to
// several places at once, and the ones that answer too late.
const maxForks = 50

// earlyDialog finds or opens the dialog that a response to our INVITE belongs
// to (RFC 3261 §12.1.2); nil: it opens none.
func (l *Leg) earlyDialog(res *sip.Response) *dialog {
	tag := toTag(res)
	for _, d := range l.out.early {
		if d.remoteTag == tag {
			return d
		}
	}
	if tag == "" && res.StatusCode < 200 || len(l.out.early) >= maxForks {
		return nil
	}
	d := l.dialog.fork(res)
	l.out.early = append(l.out.early, d)
	l.far.Store(&d.remoteTag)
	return d
}

// acknowledgedAgain takes a 2xx of a dialog that is confirmed: a repetition.
func (l *Leg) acknowledgedAgain(res *sip.Response) bool {
	tag := toTag(res)
	for _, d := range append([]*dialog{l.dialog}, l.out.losers...) {
		if d.remoteTag == tag {
			d.acknowledgeAgain(res)
			return true
		}
	}
	return false
}

// answeredLate takes a 2xx to an INVITE of ours that is settled.
func (l *Leg) answeredLate(res *sip.Response) {
	if l.acknowledgedAgain(res) || seqOf(res) != l.out.seq {
		return
	}
	l.ladder.In(l.name, drawStatus(res))
	l.endFork(res)
}

// endFork ends the dialog of a callee that answered after another one.
func (l *Leg) endFork(res *sip.Response) {
	if len(l.out.losers) >= maxForks {
		return
	}
	d := l.out.half.fork(res)
	d.confirm(res)
	l.out.losers = append(l.out.losers, d)
	d.acknowledge(l.out.seq, l.out.proof, nil)
	l.ladder.Out(l.name, "ACK")
	l.log.Info("another place answered too; it is told to hang up", "contact", d.target.String())
	l.send(d, d.newRequest(sip.BYE), "BYE", nil)
}
