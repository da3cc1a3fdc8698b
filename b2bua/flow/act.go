package flow

import "crosspoint/b2bua/leg"

// An Act is one thing that a phone can do with one of its calls. It does nothing
// if that call is over by then.
type Act struct {
	Name string // "bob hangs up"
	Ends bool   // the call is over for the phone
	Do   func()
}

// Acts are what a phone can do with its calls as they stand, the oldest first;
// transfers go to the target.
func (p *Phone) Acts(target string) (acts []Act) {
	p.f.Settle()
	for _, l := range p.legs {
		of := leg.Of{Leg: l}
		can := func(what, arrow string, to legState, events ...leg.Event) {
			acts = append(acts, Act{p.Name + " " + what, to == over, func() {
				if l.gone() {
					return
				}
				l.set(to)
				p.f.ladder.In(p.Name, arrow)
				for _, ev := range events {
					l.deliver(ev)
				}
				p.f.Settle()
			}})
		}
		switch l.at() {
		case calling:
			can("cancels", "CANCEL", over, leg.HungUp{Of: of, Cause: leg.Cancelled.GivenBy(p.Name)})
		case alerting:
			can("answers", "200", talking, leg.Answered{Of: of})
			can("is busy", "486", over, leg.HungUp{Of: of, Cause: leg.Busy.GivenBy(p.Name)})
		case talking:
			bye := leg.HungUp{Of: of, Cause: leg.NormalClearing.GivenBy(p.Name)}
			refer := leg.Refer{Target: target}
			can("hangs up", "BYE", over, bye)
			can("holds", "INVITE (hold)", talking, leg.Held{Of: of})
			can("resumes", "INVITE (resume)", talking, leg.Resumed{Of: of})
			can("flashes", "flash", talking, leg.Flash{Of: of})
			can("refers", "REFER "+target, talking, leg.Referred{Of: of, Refer: refer})
			can("leaves", "BYE (Also "+target+")", over, leg.Referred{Of: of, Refer: refer, Gone: true}, bye)
		}
	}
	return acts
}

// AtOnce has phones act at the same moment: none waits for what comes of the
// act before its own.
func (f *Flow) AtOnce(acts ...Act) {
	f.Settle()
	f.hurry = true
	for _, a := range acts {
		a.Do()
	}
	f.hurry = false
	f.Settle()
}

// Busy are the phones that have a call, one entry for each call: "bob talking".
func (f *Flow) Busy() (names []string) {
	f.Settle()
	for _, p := range []*Phone{f.Alice, f.Bob, f.Carol, f.Dave} {
		for _, l := range p.legs {
			if !l.gone() {
				names = append(names, p.Name+" "+l.where())
			}
		}
	}
	return names
}

// EverybodyHangsUp ends all calls, one phone after the other.
func (f *Flow) EverybodyHangsUp() {
	for len(f.Busy()) > 0 {
		for _, p := range []*Phone{f.Alice, f.Bob, f.Carol, f.Dave} {
			for _, a := range p.Acts("") {
				if a.Ends {
					a.Do()
					break
				}
			}
		}
	}
}
