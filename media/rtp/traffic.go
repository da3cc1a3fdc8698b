package rtp

// Traffic is what has passed by all sessions of a range of ports, as
// media.Stats counts it, since the beginning. It never grows less.
type Traffic struct {
	Received, Sent uint64 // packets
	Lost           uint64 // gaps in parties' sequence numbers
	Strangers      uint64 // packets refused: not from where the party sends from
	Malformed      uint64 // packets refused: none of RTP or RTCP, oversized, or not agreed on
	Stale          uint64 // packets refused: duplicates, and far out of sequence
	Refused        uint64 // sessions for which no port was left
}

// Traffic is what has passed so far.
func (p *Ports) Traffic() Traffic {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.over
	for s := range p.live {
		all.add(s)
	}
	all.Refused = p.refused
	p.lost = max(p.lost, all.Lost) // a packet that comes late is lost no more
	all.Lost = p.lost
	return all
}

// add adds what a session has counted.
func (t *Traffic) add(s *Session) {
	st := s.Stats()
	t.Received += st.Received
	t.Sent += st.Sent
	t.Lost += st.Lost
	t.Strangers += st.Strangers
	t.Malformed += st.Malformed
	t.Stale += st.Dropped - st.Strangers - st.Malformed
}

// enter and leave count a session in and out.
func (p *Ports) enter(s *Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live[s] = struct{}{}
}

func (p *Ports) leave(s *Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.live[s]; ok {
		p.over.add(s)
		delete(p.live, s)
	}
}
