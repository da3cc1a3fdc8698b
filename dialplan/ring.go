package dialplan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"crosspoint/internal/tomlfile"
)

// A Ring is how telephones ring for a call.
type Ring struct {
	Name      string `json:"name"`                 // by which a line finds the cadence
	AlertInfo string `json:"alert_info,omitempty"` // what SIP phones are told (RFC 3261 §20.4); empty: nothing
}

// Names of the rings that a plan uses by itself.
const (
	RingInside  = "inside"  // a phone of the office calls
	RingOutside = "outside" // a line, a peer or a stranger does
	RingRecall  = "recall"  // the exchange calls back
	RingUrgent  = "urgent"  // a phone of the office has called for help
)

// builtIn are the rings that are there without a definition. The URNs are those
// of RFC 7462 and of its registry; by the others phones and adapters know the cadences of
// Telcordia GR-506 §14.
var builtIn = []Ring{
	{RingInside, "<urn:alert:source:internal>"},
	{RingOutside, "<urn:alert:source:external>"},
	{RingRecall, "<urn:alert:service:recall:callback>"},
	{RingUrgent, "<urn:alert:priority:high>"},
	{"dr1", "<http://127.0.0.1/Bellcore-dr1>"},
	{"dr2", "<http://127.0.0.1/Bellcore-dr2>"},
	{"dr3", "<http://127.0.0.1/Bellcore-dr3>"},
	{"dr4", "<http://127.0.0.1/Bellcore-dr4>"},
}

func isBuiltIn(name string) bool {
	return slices.ContainsFunc(builtIn, func(r Ring) bool { return r.Name == name })
}

// asked are further ways in which a caller's side asks for a ring: whatever the
// call is a recall of, it is one.
var asked = []Ring{{RingRecall, "<urn:alert:service:recall>"}}

// Ring is the ring with a name that the plan knows, in this office's manner; for
// any other it is the one of calls from outside.
func (p *Plan) Ring(name string) Ring {
	if r, ok := p.rings[name]; ok {
		return r
	}
	return p.rings[RingOutside]
}

// Cadences are the cadences of the rings that the file defines, each ring, pause,
// ring, pause, by name. Those that it does not are the country's.
func (p *Plan) Cadences() map[string][]time.Duration {
	own := map[string][]time.Duration{}
	for i := range p.config.Rings {
		if r := &p.config.Rings[i]; len(r.Cadence) > 0 {
			own[r.Name] = r.Cadence
		}
	}
	return own
}

// ringFor is how telephones ring if no rule or group says: as the caller's line
// in the file has it, as its side asks, or by where it is.
func (s *search) ringFor(from Caller) Ring {
	if l := s.plan.lines[from.Name]; from.Kind == FromLine && l != nil && l.Kind == "fxs" {
		from = Caller{Kind: FromPhone, Name: l.Extension} // its telephone calls
	}
	name, at := s.plan.callsRing(from)
	if name != "" {
		s.step("calls_ring", at, `telephones ring as "`+name+`", if no rule or group says otherwise`)
		return s.plan.rings[name]
	}
	if r, ok := s.askedFor(from); ok {
		return r
	}
	if from.Kind == FromPhone {
		return s.plan.rings[RingInside]
	}
	return s.plan.rings[RingOutside]
}

// askedFor is how the caller's side wants telephones to ring, if it may say so.
func (s *search) askedFor(from Caller) (Ring, bool) {
	text := s.query.AlertInfo
	if text == "" {
		return Ring{}, false
	}
	peer := s.plan.peers[from.Name]
	if from.Kind != FromPhone && (from.Kind != FromPeer || peer == nil || !peer.AlertInfo) {
		at := tomlfile.Pos{}
		if peer != nil && from.Kind == FromPeer {
			at = peer.Pos
		}
		s.step("Alert-Info", at, fmt.Sprintf("passed over: %s may not ask how telephones ring; a peer may that has alert_info = true", from))
		return Ring{}, false
	}
	r, ok := s.plan.ringAskedFor(text)
	if !ok {
		s.step("Alert-Info", tomlfile.Pos{}, "passed over: the caller's side asks for "+clip(text)+", which no distinctive_ring has")
		return Ring{}, false
	}
	s.step("Alert-Info", tomlfile.Pos{}, "the caller's side asks for "+clip(text)+`: telephones ring as "`+r.Name+`"`)
	return r, true
}

// callsRing is what the file says of the calls of one caller.
func (p *Plan) callsRing(from Caller) (name string, at tomlfile.Pos) {
	switch from.Kind {
	case FromPhone:
		if e := p.extensions[from.Name]; e != nil && e.phone != nil {
			return e.phone.CallsRing, e.phone.Key("calls_ring")
		}
	case FromLine:
		if l := p.lines[from.Name]; l != nil {
			return l.CallsRing, l.Key("calls_ring")
		}
	case FromPeer:
		if peer := p.peers[from.Name]; peer != nil {
			return peer.CallsRing, peer.Key("calls_ring")
		}
	}
	return "", at
}

// named lets telephones ring as a rule or group says, unless one that led to it
// has said so. It returns what ends that.
func (s *search) named(name string, at tomlfile.Pos) (end func()) {
	if name == "" || s.ruledRing.Name != "" {
		return func() {}
	}
	s.step("calls_ring", at, `telephones ring as "`+name+`"`)
	s.ruledRing = s.plan.rings[name]
	return func() { s.ruledRing = Ring{} }
}

// ring is how the telephones ring that the route is led to now.
func (s *search) ring() Ring {
	if s.ruledRing.Name != "" {
		return s.ruledRing
	}
	return s.callersRing
}

// ringAskedFor finds the ring that a value of Alert-Info means. Of several the
// first that is known counts.
func (p *Plan) ringAskedFor(text string) (Ring, bool) {
	for _, value := range alertValues(text) {
		for _, list := range [...][]Ring{p.ringOrder, builtIn, asked} {
			for _, r := range list {
				if r.AlertInfo != "" && sameAlert(value, r.AlertInfo) {
					return p.Ring(r.Name), true
				}
			}
		}
	}
	return Ring{}, false
}

// alertValues are the values of an Alert-Info, which commas part, but for those in
// an address.
func alertValues(text string) (values []string) {
	inside, from := false, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '<' || c == '>':
			inside = c == '<'
		case c == ',' && !inside:
			values, from = append(values, strings.TrimSpace(text[from:i])), i+1
		}
	}
	return append(values, strings.TrimSpace(text[from:]))
}

// sameAlert tells whether a value of Alert-Info asks for what another one stands
// for: the same address and parameters; a URN that says more than it (RFC 7462
// §10: what is not understood is left out from its end); or, whatever comes
// before it, the same name of a cadence, as phones and adapters write it:
// <Bellcore-dr2>, Bellcore-dr2, <http://127.0.0.1/Bellcore-dr2>.
func sameAlert(value, known string) bool {
	uri, rest := alertURI(value)
	knownURI, knownRest := alertURI(known)
	switch {
	case strings.HasPrefix(knownURI, "urn:alert:"):
		more, ok := strings.CutPrefix(uri, knownURI)
		return ok && (more == "" || more[0] == ':' || more[0] == '@')
	case strings.Contains(knownURI, "bellcore-dr"):
		return uri[strings.LastIndexByte(uri, '/')+1:] == knownURI[strings.LastIndexByte(knownURI, '/')+1:]
	}
	return uri == knownURI && (knownRest == "" || rest == knownRest)
}

// alertURI splits a value of Alert-Info into its address and its parameters, in
// small letters and without blanks. An address without brackets has none of its
// own.
func alertURI(value string) (uri, parameters string) {
	value = strings.ToLower(strings.ReplaceAll(value, " ", ""))
	if inner, ok := strings.CutPrefix(value, "<"); ok {
		uri, parameters, _ = strings.Cut(inner, ">")
	} else {
		uri, parameters, _ = strings.Cut(value, ";")
	}
	return uri, strings.TrimPrefix(parameters, ";")
}
