package media

import (
	"slices"
	"sync"
)

// A Bridge decides who hears whom in a call. Two parties of one law feed each
// other directly; three or more are mixed. A party may be held, and something
// may be played to it.
//
// Its methods may be called from any goroutine, but not from a Sink's Write.
// What they change takes effect from the next packet. A stream is joined to one
// bridge at a time: it leaves before it joins another.
type Bridge struct {
	pacer *Pacer

	mu       sync.Mutex // guards the wiring; packets pass without it
	parties  []*party   // in order of joining
	mixer    *mixer     // nil: fewer than three talk
	recorder *Recorder
}

// A party is a stream and what the bridge has made of it.
type party struct {
	stream Stream
	joined bool   // false: something is only played to it
	music  *piece // while held
	played *piece // by Play; nil: nothing

	player *Player // of plays
	plays  *piece  // music or played; nil: it hears the others
	voice  *voice  // while it is mixed
	side   side    // where it is recorded, or was last
	tap    *tap    // while it is recorded
	link   *link   // where its voice goes; nil: not fed yet
}

// held: the party is out of the conversation.
func (p *party) held() bool { return p.music != nil }

// A piece is something to play to a party.
type piece struct {
	src  Source
	done func() // when src has ended; may be nil
}

// A link says where a party's voice goes; two equal links need no new feed.
type link struct {
	to    *party // the only one to hear it
	voice *voice // or the mixer's
	tap   *tap
}

// NewBridge returns an empty bridge whose music and mixing follow the pacer;
// nil makes one for it.
func NewBridge(pacer *Pacer) *Bridge {
	if pacer == nil {
		pacer = new(Pacer)
	}
	return &Bridge{pacer: pacer}
}

// Join adds a party that hears all others and is heard by them.
func (b *Bridge) Join(s Stream) {
	b.change(s, func(p *party) { p.joined = true })
}

// Leave removes a party. It is fed to nobody afterwards.
func (b *Bridge) Leave(s Stream) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.find(s)
	if i < 0 {
		return
	}
	p := b.parties[i]
	b.parties = slices.Delete(b.parties, i, i+1)
	b.rewire()
	b.dismiss(p)
}

// dismiss ends all that the bridge does for somebody who is no party any more.
func (b *Bridge) dismiss(p *party) {
	b.listen(p, nil)
	if p.joined {
		p.stream.Feed(nil)
	}
	if p.tap != nil {
		p.tap.drop()
		p.tap = nil
	}
}

// Hold takes a party out of the conversation: it hears music, or silence if
// music is nil, and is heard by nobody. Holding a held party changes the music.
func (b *Bridge) Hold(s Stream, music Source) {
	if music == nil {
		music = Silence{} // packets still flow: a phone that hears none at all may hang up
	}
	b.change(s, func(p *party) { p.music = &piece{src: music} })
}

// Resume takes a held party back into the conversation.
func (b *Bridge) Resume(s Stream) {
	b.change(s, func(p *party) { p.music = nil })
}

// Play lets a party hear src instead of the others, or of its music, until
// Stop or the end of src; nil is silence. It is heard by the others meanwhile
// unless it is held. Somebody who has not joined may be played to as well.
func (b *Bridge) Play(s Stream, src Source) { b.PlayThen(s, src, nil) }

// PlayThen is Play that calls done when src has ended by itself, not after
// Stop, Leave or another Play. done runs on the pacer's goroutine and must not
// block: it posts to its owner's inbox.
func (b *Bridge) PlayThen(s Stream, src Source, done func()) {
	if src == nil {
		src = Silence{}
	}
	b.change(s, func(p *party) { p.played = &piece{src, done} })
}

// Stop ends what Play began.
func (b *Bridge) Stop(s Stream) {
	b.change(s, func(p *party) { p.played = nil })
}

// Record writes the conversation to r until Record(nil) or Close: the party
// that joined first on the left, the others on the right. Whoever takes the
// place of one that has left takes its side, and two who talk alone have a side
// each; a party keeps its side over Record(nil). What a held party says, and what is played to anybody, is not recorded.
// The recorder's owner closes it.
func (b *Bridge) Record(r *Recorder) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r == b.recorder {
		return
	}
	taps := make([]*tap, 0, len(b.parties))
	for _, p := range b.parties {
		if p.tap != nil {
			taps = append(taps, p.tap)
			p.tap = nil
		}
	}
	b.recorder = r
	b.rewire() // nobody is fed to the old taps any more
	for _, t := range taps {
		t.drop()
	}
}

// record taps who is not yet, and keeps two who talk alone on different sides.
func (b *Bridge) record(talking []*party) {
	if b.recorder == nil {
		return
	}
	for _, p := range b.parties {
		if p.joined && p.side == 0 {
			p.side = b.freeSide()
		}
		if p.joined && p.tap == nil {
			p.tap = b.recorder.tap(p.side)
		}
	}
	if len(talking) == 2 && talking[0].side == talking[1].side {
		p := talking[1]
		p.side = p.side.other()
		p.tap.move(p.side)
	}
}

// freeSide is the left if nobody is there, else the right.
func (b *Bridge) freeSide() side {
	for _, p := range b.parties {
		if p.side == left {
			return right
		}
	}
	return left
}

// Close lets everybody leave.
func (b *Bridge) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	parties := b.parties
	b.parties, b.recorder = nil, nil
	b.rewire()
	for _, p := range parties {
		b.dismiss(p)
	}
}

// change does f to the party of s and draws the consequences. Who has not
// joined is a party only while something is played to it.
func (b *Bridge) change(s Stream, f func(*party)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.find(s)
	if i < 0 {
		i = len(b.parties)
		b.parties = append(b.parties, &party{stream: s})
	}
	f(b.parties[i])
	b.rewire()
}

// find is the place of a stream's party, or -1.
func (b *Bridge) find(s Stream) int {
	return slices.IndexFunc(b.parties, func(p *party) bool { return p.stream == s })
}

// rewire brings feeds, players and the mixer in line with what the parties are.
func (b *Bridge) rewire() {
	b.parties = slices.DeleteFunc(b.parties, func(p *party) bool {
		gone := !p.joined && p.hears() == nil
		if gone {
			b.dismiss(p)
		}
		return gone
	})
	talking := make([]*party, 0, len(b.parties))
	for _, p := range b.parties {
		if p.joined && !p.held() {
			talking = append(talking, p)
		}
	}
	b.mix(talking)
	b.record(talking)
	for _, p := range b.parties {
		if p.joined {
			p.feed(p.linkAmong(talking))
		}
		b.listen(p, p.hears())
	}
}

// mix starts, changes or ends the mixer, and gives each party that is mixed its voice.
func (b *Bridge) mix(talking []*party) {
	if len(talking) < 3 {
		talking = nil
	}
	members := make([]mixed, 0, len(talking))
	for _, p := range talking {
		if p.voice == nil {
			p.voice = newVoice(p.stream)
		}
		members = append(members, mixed{p.voice, p.played == nil})
	}
	for _, p := range b.parties {
		if !slices.Contains(talking, p) {
			p.voice = nil
		}
	}
	switch {
	case len(members) > 0 && b.mixer == nil:
		b.mixer = new(mixer)
		b.mixer.members.Store(&members)
		b.pacer.add(b.mixer)
	case len(members) > 0:
		b.mixer.members.Store(&members)
	case b.mixer != nil:
		b.mixer.members.Store(&members)
		b.pacer.remove(b.mixer)
		b.mixer = nil
	}
}

// linkAmong is where the party's voice goes if these are talking.
func (p *party) linkAmong(talking []*party) link {
	l := link{tap: p.tap}
	switch {
	case p.held():
		l.tap = nil
	case p.voice != nil:
		l.voice = p.voice
	case len(talking) == 2:
		other := talking[0]
		if other == p {
			other = talking[1]
		}
		if other.played == nil {
			l.to = other
		}
	}
	return l
}

// feed makes the link, unless it is there already.
func (p *party) feed(l link) {
	if p.link != nil && l == *p.link {
		return
	}
	p.link = &l
	var to Sink
	switch {
	case l.voice != nil:
		to = l.voice.inlet
	case l.to != nil && l.to.stream.Law() == p.stream.Law():
		to = l.to.stream
	case l.to != nil:
		to = NewTranscoder(l.to.stream)
	}
	if l.tap != nil {
		to = tee{l.tap, to}
	}
	p.stream.Feed(to)
}

// hears is what the party hears in place of the others; nil: it hears them.
func (p *party) hears() *piece {
	if p.played != nil {
		return p.played
	}
	return p.music
}

// listen has a player play the piece to a party; nil ends what it plays.
func (b *Bridge) listen(p *party, what *piece) {
	if p.plays == what {
		return
	}
	if p.player != nil {
		p.player.Stop()
		p.player = nil
	}
	p.plays = what
	if what != nil {
		p.player = b.pacer.Play(what.src, p.stream, p.stream.Law(), func() { b.ended(p, what) })
	}
}

// ended is called by a player whose source has come to its end.
func (b *Bridge) ended(p *party, what *piece) {
	b.mu.Lock()
	current := slices.Contains(b.parties, p) && p.plays == what
	if current {
		if p.played == what {
			p.played = nil
		} else {
			p.music = &piece{src: Silence{}}
		}
		b.rewire()
	}
	b.mu.Unlock()
	if current && what.done != nil {
		what.done()
	}
}

// tee writes to two sinks; the second may be nil.
type tee struct{ first, second Sink }

func (t tee) Write(p *Packet) {
	t.first.Write(p)
	if t.second != nil {
		t.second.Write(p)
	}
}
