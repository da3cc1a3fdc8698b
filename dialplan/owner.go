package dialplan

import (
	"crosspoint/internal/tomlfile"
)

// A door is where a call comes from.
type door struct {
	kind CallerKind
	name string // empty for strangers
}

// owner is on whose behalf a number is dialled: whose numbering plan and
// permissions hold.
type owner struct {
	door    door
	context *context
	allow   Permission
	ext     *extension // nil for lines, peers and strangers
	rule    *rule      // the rule that names the place, if one does
	written bool       // the number stands in the file: whoever wrote it may
}

// String names the owner for people.
func (o owner) String() string {
	switch {
	case o.ext != nil && o.ext.group != nil:
		return "group " + o.ext.number
	case o.ext != nil:
		return "phone " + o.ext.number
	case o.door.kind == FromStranger:
		return "a stranger"
	}
	return o.door.kind.String() + " " + o.door.name
}

// at says where the owner stands in the file.
func (o owner) at(p *Plan) tomlfile.Pos {
	switch {
	case o.rule != nil:
		return o.rule.to
	case o.ext != nil:
		return o.ext.pos
	case o.door.kind == FromLine:
		return p.lines[o.door.name].At()
	case o.door.kind == FromPeer:
		return p.peers[o.door.name].At()
	}
	return tomlfile.Pos{}
}

// permissionAt says which line gives the owner its permissions.
func (o owner) permissionAt(p *Plan) tomlfile.Pos {
	switch {
	case o.ext != nil && o.ext.group != nil:
		return o.ext.group.Key("allow")
	case o.ext != nil && o.ext.phone.Class != "" && p.classes[o.ext.phone.Class] != nil:
		return p.classes[o.ext.phone.Class].Key("allow")
	case o.ext != nil:
		return o.ext.phone.Key("allow")
	case o.door.kind == FromLine:
		return p.lines[o.door.name].Key("allow")
	case o.door.kind == FromPeer:
		return p.peers[o.door.name].Key("allow")
	}
	return tomlfile.Pos{}
}

func (o owner) tollAt(p *Plan) tomlfile.Pos {
	if class := p.classes[o.ext.phone.Class]; class != nil && !o.ext.phone.Has("toll_per_day") {
		return class.Key("toll_per_day")
	}
	return o.ext.phone.Key("toll_per_day")
}

// doorOwner is what holds for calls that come in by a door.
func (p *Plan) doorOwner(d door) owner {
	s := search{plan: p, query: &Query{From: Caller{Kind: d.kind, Name: d.name}}}
	o, _ := s.caller()
	return o
}
