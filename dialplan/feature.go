package dialplan

import (
	"fmt"
	"slices"
	"strings"

	"crosspoint/internal/tomlfile"
)

// The services that a feature code can ask for, the Name of a Target of kind
// ToFeature. Each is a key of [features].
const (
	FeatureForwardAlways   = "forward_always"
	FeatureForwardBusy     = "forward_busy"
	FeatureForwardNoAnswer = "forward_no_answer"
	FeatureForwardOff      = "forward_off"
	FeatureDoNotDisturb    = "do_not_disturb"
	FeatureDisturbAgain    = "do_not_disturb_off"
	FeaturePickup          = "pickup"
	FeaturePickupDirected  = "pickup_directed"
	FeaturePark            = "park"
	FeatureRetrieve        = "retrieve"
	FeatureRedial          = "redial"
	FeatureCallBack        = "call_back"
	FeatureCallWaiting     = "call_waiting"
	FeatureCallWaitingOff  = "call_waiting_off"
	FeatureNoCallWaiting   = "no_call_waiting"
	FeatureWithhold        = "withhold"
	FeatureThreeWay        = "three_way"
	FeatureEcho            = "echo"
	FeatureLineFlash       = "line_flash"
)

// services compiles the feature codes into the office's context.
func (c *compiler) services() {
	f := &c.plan.config.Features
	for _, s := range []service{
		{name: FeatureForwardAlways, code: f.ForwardAlways, argument: true},
		{name: FeatureForwardBusy, code: f.ForwardBusy, argument: true},
		{name: FeatureForwardNoAnswer, code: f.ForwardNoAnswer, argument: true},
		{name: FeatureForwardOff, code: f.ForwardOff},
		{name: FeatureDoNotDisturb, code: f.DoNotDisturb},
		{name: FeatureDisturbAgain, code: f.DisturbAgain},
		{name: FeaturePickup, code: f.PickupGroup},
		{name: FeaturePickupDirected, code: f.PickupDirected, argument: true},
		{name: FeaturePark, code: f.Park, argument: true},
		{name: FeatureRetrieve, code: f.Retrieve, argument: true},
		{name: FeatureRedial, code: f.Redial},
		{name: FeatureCallBack, code: f.CallBack},
		{name: FeatureCallWaiting, code: f.CallWaiting},
		{name: FeatureCallWaitingOff, code: f.CallWaitingOff},
		{name: FeatureNoCallWaiting, code: f.NoCallWaiting, argument: true},
		{name: FeatureWithhold, code: f.Withhold, argument: true},
		{name: FeatureThreeWay, code: f.ThreeWay},
		{name: FeatureEcho, code: f.Echo},
		{name: FeatureLineFlash, code: f.LineFlash},
	} {
		if s.code != "" {
			s.pos = f.Key(s.name)
			c.service(f.Pos, &s)
		}
	}
}

func (c *compiler) service(at tomlfile.Pos, s *service) {
	digits, ok := telephoneNumber(s.code)
	if !ok || digits != s.code || s.code[0] == '+' {
		c.wrong(at, s.name, "features: %s = %q: a code is digits, * and #, such as *72", s.name, s.code)
		return
	}
	p := literal(s.code)[0]
	for _, other := range c.plan.services {
		if other.code == s.code && other.argument == s.argument {
			c.wrong(at, s.name, "features: %s and %s have the same code %q: give one of them another", s.name, other.name, s.code)
			return
		}
	}
	if e := c.plan.office.exactly(s.code); e != nil && e.ext != nil {
		c.wrong(at, s.name, "features: %s = %q is also extension %s (%s): give one of them another number", s.name, s.code, e.ext.number, e.ext.pos)
		return
	}
	c.plan.services = append(c.plan.services, s)
	e := &entry{name: "service " + s.name, service: s, paths: []path{p}}
	if s.argument {
		e.paths[0].open = true
		if s.name == FeaturePark || s.name == FeatureRetrieve { // the exchange chooses a slot
			e.paths = slices.Insert(e.paths, 0, p)
		}
	}
	c.add(c.plan.office, e)
}

// service is a code that a phone dialled.
func (s *search) service(v *service, dialed string, o owner) fragment {
	argument := strings.TrimPrefix(dialed, v.code)
	if o.ext == nil || o.ext.phone == nil {
		return s.reject(&Refusal{Status: 403, Q850: 21, Reason: fmt.Sprintf("service %s is for phones only, not for %s", v.name, o), Pos: v.pos})
	}
	if len(s.stack) > 0 {
		return s.reject(&Refusal{Status: 403, Q850: 21, Reason: fmt.Sprintf("calls cannot be forwarded to service %s", v.name), Pos: v.pos})
	}
	s.taken("service "+v.name, v.pos, "code "+v.code)
	switch v.name {
	case FeatureWithhold:
		s.withheld = true
		return s.call(argument, o)
	case FeatureNoCallWaiting:
		s.undisturbed = true
		return s.call(argument, o)
	}
	s.class |= Internal
	return s.emit(Stage{Targets: []Target{{Kind: ToFeature, Name: v.name, Number: argument, Pos: v.pos}}, Pos: v.pos})
}
