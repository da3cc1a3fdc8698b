package dialplan

import (
	"time"

	"crosspoint/internal/tomlfile"
)

// DefaultRing is how long a phone rings before a call goes on to the next
// place, if the file does not say.
const DefaultRing = 20 * time.Second

// A Plan is a Config that was found right. It does not change.
type Plan struct {
	config  Config
	country country
	zone    *time.Location
	domains map[string]bool

	office   *context            // what phones dial
	incoming *context            // what calls from outside dial
	contexts map[string]*context // by name; office and incoming among them
	lists    []*context          // the same, in the file's order

	extensions map[string]*extension
	classes    map[string]*Class
	lines      map[string]*Line
	peers      map[string]*Peer
	trunks     map[string]*Trunk
	schedules  map[string]*schedule
	services   []*service
	rings      map[string]Ring // by name, built in and the file's
	ringOrder  []Ring          // the file's, in its order
	ringsUsed  map[string]bool // those that the file lets somebody ring with

	ring      time.Duration // of phones that do not say
	outside   []string      // digits that people dial for an outside line
	emergency emergency
	refused   []callerPattern // the office's own screening list
}

// The contexts that every plan has.
const (
	officeContext   = "office"
	incomingContext = "incoming"
)

// A context is a numbering plan.
type context struct {
	name     string
	pos      tomlfile.Pos
	root     node
	any      []*entry   // rules for whatever was dialled, or nothing
	entries  []*entry   // all of its own, in the file's order
	includes []*context // as written
	search   []*context // itself and all that it includes, in the order of searching
	used     bool
}

// A rule is a compiled Rule or Incoming.
type rule struct {
	name    string
	pattern string // as written
	pos     tomlfile.Pos
	to      tomlfile.Pos // where its destinations stand

	from    map[door]bool   // nil: whoever
	callers []callerPattern // nil: whoever
	when    condition

	strip            int
	prepend, replace string
	trunks           []*Trunk // either trunks …
	weights          []int
	places           []string // … or places …
	together         bool     // … rung at once
	refusal          *Refusal // … or a refusal

	class   Permission // 0: by the number's meaning
	present Presentation
	ring    time.Duration

	callsRing   string // how telephones ring; empty: by the caller
	callsRingAt tomlfile.Pos
}

// An extension is a compiled Phone or Group.
type extension struct {
	number  string
	pos     tomlfile.Pos
	phone   *Phone // nil for a group
	group   *Group // nil for a phone
	hasSet  bool   // a phone that can be rung
	context *context
	allow   Permission
	toll    time.Duration // per day; 0: unlimited
	ring    time.Duration

	refuse, accept []callerPattern // incoming screening
	never          []callerPattern // outgoing screening
	always         condition       // when Forward.Always holds
}

// A service is a feature code.
type service struct {
	name     string // as in [features]
	code     string
	argument bool // digits follow
	pos      tomlfile.Pos
}

// Caller returns the caller that has the given name in the file: an extension,
// a line or a peer; "stranger" is anybody else.
func (p *Plan) Caller(name string) (Caller, bool) {
	if e := p.extensions[name]; e != nil && e.phone != nil {
		return Caller{Kind: FromPhone, Name: name, Number: name}, true
	}
	if p.lines[name] != nil {
		return Caller{Kind: FromLine, Name: name}, true
	}
	if p.peers[name] != nil {
		return Caller{Kind: FromPeer, Name: name}, true
	}
	return Caller{}, name == "stranger"
}

// Callers lists all names that Caller knows.
func (p *Plan) Callers() []string {
	var names []string
	for i := range p.config.Phones {
		names = append(names, p.config.Phones[i].Extension)
	}
	for i := range p.config.Lines {
		names = append(names, p.config.Lines[i].Name)
	}
	for i := range p.config.Peers {
		names = append(names, p.config.Peers[i].Name)
	}
	return append(names, "stranger")
}

// Config returns what the plan was compiled from.
func (p *Plan) Config() Config { return p.config }

// Location is the office's time zone.
func (p *Plan) Location() *time.Location { return p.zone }

// LinesOf returns the FXS lines whose telephone has the extension.
func (p *Plan) LinesOf(extension string) []string {
	var names []string
	for i := range p.config.Lines {
		if l := &p.config.Lines[i]; l.Extension == extension && extension != "" {
			names = append(names, l.Name)
		}
	}
	return names
}

// Hotline returns the number that a phone dials by itself after the handset was
// lifted for the given time. An empty number: it has none.
func (p *Plan) Hotline(extension string) (number string, after time.Duration) {
	if e := p.extensions[extension]; e != nil && e.phone != nil {
		return e.phone.Hotline, e.phone.HotlineAfter
	}
	return "", 0
}

// LineFlash is the code by which a phone gives a hook-flash to the exchange of the
// telephone line that it talks on; empty: it may not.
func (p *Plan) LineFlash(extension string) string {
	if e := p.extensions[extension]; e != nil && e.phone != nil && e.phone.LineFlash {
		return p.config.Features.LineFlash
	}
	return ""
}

// ours tells whether a SIP address's host is this office. A plan that was not
// told its domains takes every host for its own.
func (p *Plan) ours(host string) bool {
	return host == "" || len(p.domains) == 0 || p.domains[host]
}
