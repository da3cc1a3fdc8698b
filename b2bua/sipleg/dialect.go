package sipleg

import "github.com/emiago/sipgo/sip"

// hears notes how a phone of ours speaks: as RFC 3261, or as RFC 2543. What it
// is called by, it is told in the same way.
func (a *Agent) hears(extension string, req *sip.Request) {
	a.dialects.Store(extension, speaks2543(req))
}

// dialect tells whether a phone of ours speaks RFC 2543; known is false if
// nothing has been heard of it yet.
func (a *Agent) dialect(extension string) (legacy, known bool) {
	v, known := a.dialects.Load(extension)
	legacy, _ = v.(bool)
	return legacy, known
}

// reticent tells a callee that does not say what it can: RFC 3261 §13.3.1.4 has
// a 2xx list Allow and Supported, phones of 1999 know neither. A hold is told
// to it in both forms, of which each can read one.
func (d *dialog) reticent() bool { return d.allow == nil && d.supports == nil }
