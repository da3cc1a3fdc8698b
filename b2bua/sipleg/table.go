package sipleg

import (
	"slices"
	"strings"
	"sync"

	"crosspoint/b2bua/sipleg/txn"
	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// An identity is what tells one dialog of ours from others. It does not change.
type identity struct {
	callID   string
	tag      string // ours; unique in the process and in each branch that we make
	incoming bool   // the far end sent the INVITE
	theirTag string // of an incoming INVITE's From; empty: a peer of RFC 2543
	seq      uint32 // CSeq number of the INVITE that began it
}

// An owner takes what arrives for a dialog.
type owner interface {
	id() *identity
	// take queues a message. It does not block.
	take(in wire.Inbound)
	// talks tells that the dialog is not over: a request of it may still mean something.
	talks() bool
}

// A table tells who owns what arrives. Its lock is held while a message is put
// into the owner's inbox, so that messages keep their order also where an
// owner is replaced by its tombstone.
type table struct {
	mu    sync.Mutex
	tags  map[string]owner   // by our tag
	calls map[string][]owner // by Call-ID
	flows map[wire.Flow]map[*Leg]struct{}
	legs  int
	ours  int // registrations and subscriptions: neither calls nor what is left of them
}

func newTable() *table {
	return &table{tags: make(map[string]owner), calls: make(map[string][]owner), flows: make(map[wire.Flow]map[*Leg]struct{})}
}

// add enters an owner; the table is locked.
func (t *table) add(o owner) {
	id := o.id()
	t.tags[id.tag] = o
	t.calls[id.callID] = append(t.calls[id.callID], o)
	switch o.(type) {
	case *Leg:
		t.legs++
	case *tombstone:
	default:
		t.ours++
	}
}

// remove takes an owner out; the table is locked.
func (t *table) remove(o owner) {
	id := o.id()
	if t.tags[id.tag] == o {
		delete(t.tags, id.tag)
	}
	rest := slices.DeleteFunc(t.calls[id.callID], func(other owner) bool { return other == o })
	if len(rest) == 0 {
		delete(t.calls, id.callID)
	} else {
		t.calls[id.callID] = rest
	}
	switch l := o.(type) {
	case *Leg:
		t.legs--
		for _, f := range l.flows {
			delete(t.flows[f], l)
			if len(t.flows[f]) == 0 {
				delete(t.flows, f)
			}
		}
	case *tombstone:
	default:
		t.ours--
	}
}

// clear forgets the tombstones and subscriptions of an agent that is closed.
func (t *table) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ours = 0
	clear(t.tags)
	clear(t.calls)
	clear(t.flows)
}

// watch remembers that a leg wants to know if a connection fails.
func (t *table) watch(f wire.Flow, l *Leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.flows[f] == nil {
		t.flows[f] = make(map[*Leg]struct{})
	}
	t.flows[f][l] = struct{}{}
}

// failed tells the legs that sent on a connection that it has failed.
func (t *table) failed(f wire.Flow, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for l := range t.flows[f] {
		l.in.Put(func() { l.connectionFailed(f, err) })
	}
}

// count is how many legs and how many tombstones there are.
func (t *table) count() (legs, tombs int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.legs, len(t.tags) - t.legs - t.ours
}

// all are the legs in progress.
func (t *table) all() []*Leg {
	t.mu.Lock()
	defer t.mu.Unlock()
	var legs []*Leg
	for _, o := range t.tags {
		if l, ok := o.(*Leg); ok {
			legs = append(legs, l)
		}
	}
	return legs
}

// branchOf makes a branch from which ownerOf finds the owner's tag.
func branchOf(tag string, n uint64) string {
	return sip.RFC3261BranchMagicCookie + tag + "." + base36(n)
}

// ownerOf finds whose request a response answers; the table is locked.
func (t *table) ownerOf(res *sip.Response) owner {
	via := res.Via()
	if via == nil {
		return nil
	}
	branch, ok := txn.Branch(via)
	if !ok {
		return nil
	}
	tag, _, _ := strings.Cut(branch[len(sip.RFC3261BranchMagicCookie):], ".")
	return t.tags[tag]
}

// ownerFor finds whose dialog or transaction a request belongs to; nil: it
// begins something or belongs to nothing. The table is locked.
func (t *table) ownerFor(req *sip.Request) owner {
	id := callID(req)
	if tag := toTag(req); tag != "" {
		if o := t.tags[tag]; o != nil && o.id().callID == id {
			return o
		}
		return nil
	}
	switch req.Method {
	case sip.INVITE, sip.CANCEL, sip.ACK:
		return t.ownerOfInvite(req, t.calls[id])
	case sip.BYE, sip.PRACK, sip.UPDATE, sip.INFO, sip.REFER, sip.NOTIFY:
		return tagless(req, t.calls[id])
	}
	return nil
}

// ownerOfInvite finds the owner of an INVITE, or of its CANCEL or ACK, that
// names no tag of ours: a repetition, a merged request (RFC 3261 §8.2.2.2), or
// something from a peer of RFC 2543, which knows its dialog by From, To and
// Call-ID alone.
func (t *table) ownerOfInvite(req *sip.Request, among []owner) owner {
	from, seq := fromTag(req), seqOf(req)
	for _, o := range among {
		if id := o.id(); id.incoming && id.theirTag == from && id.seq == seq {
			return o
		}
	}
	if from == "" || req.Method == sip.ACK {
		return tagless(req, among)
	}
	if req.Method == sip.INVITE { // a phone of RFC 2543 that we called changes the session: it knows no tag of ours
		for _, o := range among {
			if id := o.id(); !id.incoming && o.talks() && from != id.tag {
				return o
			}
		}
	}
	return nil
}

// tagless finds the dialog of a request from a peer that leaves tags out.
func tagless(req *sip.Request, among []owner) owner {
	from := fromTag(req)
	for _, o := range among {
		id := o.id()
		switch {
		case !o.talks():
		case id.incoming && id.theirTag == from && (req.Method != sip.INVITE || seqOf(req) > id.seq):
			return o
		case !id.incoming && from != id.tag:
			return o
		}
	}
	return nil
}
