package b2bua

import (
	"errors"
	"fmt"

	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
)

// conditionOf is a failure in the plan's words.
func conditionOf(why leg.Cause) dialplan.Condition {
	f := why.Filled()
	switch {
	case f.Q850 == 17 || f.Status == 486 || f.Status == 600:
		return dialplan.Busy
	case f.Q850 == 19:
		return dialplan.NoAnswer
	case unreachable(f):
		return dialplan.Unreachable
	}
	return dialplan.Failure
}

// unreachable tells that nobody is there: a phone that does not answer or is not
// registered, a telephone whose line is out of order.
func unreachable(c leg.Cause) bool {
	switch c.Q850 {
	case 18, 20, 27: // no user responding, subscriber absent, destination out of order
		return true
	}
	switch c.Status {
	case 408, 480:
		return true
	case 404, 410:
		return c.By != leg.Us // the place says so, not the plan
	}
	return false
}

// moreTelling is the one of two failures that the caller should hear of, when
// several places were rung: what a person decided before what a machine could
// not do (after RFC 3261 §16.7, step 6).
func moreTelling(a, b leg.Cause) leg.Cause {
	if weight(b) > weight(a) {
		return b
	}
	return a
}

func weight(c leg.Cause) int {
	f := c.Filled()
	switch {
	case c.Q850 == 0 && c.Status == 0:
		return 0
	case f.Status >= 600:
		return 6
	case f.Status == 486 || f.Q850 == 17:
		return 5
	case f.Status == 403 || f.Q850 == 21:
		return 4
	case f.Q850 == 19:
		return 3
	case f.Status == 404 || f.Status == 480 || f.Status == 408:
		return 2
	}
	return 1
}

// asCause is the error of a Dial as a cause.
func asCause(err error, t dialplan.Target) leg.Cause {
	var c leg.Cause
	if !errors.As(err, &c) {
		c = leg.TemporaryFailure.Because("%v", err)
	}
	if c.By == "" {
		c.By = targetName(t)
	}
	return c
}

// targetName is a target for people.
func targetName(t dialplan.Target) string {
	switch t.Kind {
	case dialplan.ToTrunk:
		return fmt.Sprintf("%s on trunk %s", t.Number, t.Name)
	case dialplan.ToSIPAddress:
		return t.URI
	}
	return t.Name
}
