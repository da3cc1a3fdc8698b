package sipleg

import (
	"sync"
	"time"

	"crosspoint/b2bua/leg"
	"github.com/emiago/sipgo/sip"
)

// challenged keeps the first rungs of calls whose INVITE was challenged, so
// that the ladder of the call that follows begins with them. A challenge
// leaves nothing else behind (RFC 3261 §26.3.2.4 wants it so against floods).
type challenged struct {
	mu    sync.Mutex
	calls map[string]challengedCall // by nonce, and by Call-ID with the first CSeq
	order []expiring
}

type challengedCall struct {
	ladder *leg.Ladder
	name   string // of the caller's column
	acked  bool
}

// maxChallenged bounds what strangers can make it keep.
const maxChallenged = 20000

func challengedKey(msg sip.Message) string {
	return callID(msg) + "|" + base36(uint64(seqOf(msg)))
}

// again tells whether this very INVITE was challenged before: a repetition
// draws nothing.
func (c *challenged) again(req *sip.Request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.calls[challengedKey(req)]
	return ok
}

// add keeps the ladder of a challenged INVITE. A 1999 phone comes back with
// another Call-ID, but with the nonce.
func (c *challenged) add(req *sip.Request, nonce, name string, ladder *leg.Ladder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for len(c.order) > 0 && (len(c.calls) >= maxChallenged || now.After(c.order[0].at)) {
		delete(c.calls, c.order[0].key)
		c.order = c.order[1:]
	}
	for _, key := range []string{challengedKey(req), nonce} {
		c.calls[key] = challengedCall{ladder: ladder, name: name}
		c.order = append(c.order, expiring{key, now.Add(32 * time.Second)})
	}
}

// acknowledged draws the ACK of a challenge.
func (c *challenged) acknowledged(ack *sip.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := challengedKey(ack)
	if call, ok := c.calls[key]; ok && !call.acked {
		call.ladder.In(call.name, "ACK")
		call.acked = true
		c.calls[key] = call
	}
}

// take gives the ladder that an INVITE with this nonce goes on with, once.
func (c *challenged) take(nonce string) *leg.Ladder {
	c.mu.Lock()
	defer c.mu.Unlock()
	call := c.calls[nonce]
	delete(c.calls, nonce)
	return call.ladder
}
