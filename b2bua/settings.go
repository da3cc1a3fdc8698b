package b2bua

import (
	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
)

// Users keeps what users set from their phones. It is asked for each call, and
// by several calls at once.
type Users interface {
	Settings(extension string) dialplan.Settings
	// Change keeps what the function makes of the settings, also over a restart.
	Change(extension string, to func(*dialplan.Settings)) error
}

// settings is how the plan asks for them; nil: nobody keeps any.
func (x *Exchange) settings() func(string) dialplan.Settings {
	if x.cfg.Users == nil {
		return nil
	}
	return x.cfg.Users.Settings
}

// set changes a setting of the caller's extension and lets it hear that it is done.
func (c *Call) set(change func(*dialplan.Settings)) State {
	if c.in.Source.Kind != leg.Phone || c.x.cfg.Users == nil {
		return c.setup.seeker.failed(leg.Rejected.GivenBy(leg.Us).Because("only a phone of this office can change its settings"))
	}
	if err := c.x.cfg.Users.Change(c.in.Source.Name, change); err != nil {
		return c.setup.seeker.failed(leg.TemporaryFailure.GivenBy(leg.Us).Because("the setting could not be kept: %v", err))
	}
	return c.confirm()
}

// forward sets where the caller's calls go. It must be somewhere that the phone
// itself may call.
func (c *Call) forward(to string, field func(*dialplan.Settings) *string) State {
	route, _ := c.x.cfg.Plan().Match(c.query(c.in.Source, c.in.Caller, to))
	if r := route.Refusal; r != nil {
		return c.setup.seeker.failed(leg.Cause{
			Q850: r.Q850, Status: r.Status, By: leg.Us, Hint: r.Pos.String(),
			Text: "can't forward to " + to + ": " + r.Reason,
		})
	}
	return c.set(func(s *dialplan.Settings) { *field(s) = to })
}

// forwardOff ends all forwarding that was set from the phone.
func forwardOff(s *dialplan.Settings) {
	s.ForwardAlways, s.ForwardBusy, s.ForwardNoAnswer = "", "", ""
}
