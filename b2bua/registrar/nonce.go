package registrar

import (
	"container/list"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"
)

// A nonce carries when it was made and a seal that only we can make, so that
// nothing needs to be kept of a challenge until it is answered.

const (
	nonceTime   = 8 // ns since 1970
	nonceRandom = 8
	nonceSeal   = 16
)

var nonceText = base64.RawURLEncoding

// nonce is a new one.
func (d *Digest) nonce(now time.Time) string {
	b := make([]byte, nonceTime+nonceRandom, nonceTime+nonceRandom+nonceSeal)
	binary.BigEndian.PutUint64(b, uint64(now.UnixNano()))
	rand.Read(b[nonceTime:])
	return nonceText.EncodeToString(append(b, d.seal(b)...))
}

func (d *Digest) seal(b []byte) []byte {
	h := hmac.New(sha256.New, d.key[:])
	h.Write(b)
	h.Write([]byte(d.cfg.Realm))
	return h.Sum(nil)[:nonceSeal]
}

// issued tells that a nonce is ours and not too old.
func (d *Digest) issued(nonce string, now time.Time) bool {
	b, err := nonceText.DecodeString(nonce)
	if err != nil || len(b) != nonceTime+nonceRandom+nonceSeal {
		return false
	}
	body, seal := b[:nonceTime+nonceRandom], b[nonceTime+nonceRandom:]
	if !hmac.Equal(seal, d.seal(body)) {
		return false
	}
	made := time.Unix(0, int64(binary.BigEndian.Uint64(body)))
	return !made.After(now) && now.Sub(made) < d.cfg.Life && made.After(d.nonces.floor())
}

// nonces remembers which were used, and how often, for as long as they live.
type nonces struct {
	life   time.Duration
	mu     sync.Mutex
	used   map[string]*list.Element // of *use
	byAge  list.List                // the one used first in front
	forgot time.Time                // nonces made before are not taken: what was done with them is forgotten
}

// use is what was done with one nonce.
type use struct {
	nonce string
	until time.Time
	top   uint32              // highest nonce count (RFC 7616 §3.4.5)
	seen  uint64              // bit n: top-n was used. UDP may swap two requests.
	made  map[string]struct{} // without qop: the responses
}

// maxNonces bounds what is remembered; maxResponses the responses to one nonce
// of a phone that does not count.
const (
	maxNonces    = 65536
	maxResponses = 64
)

func (n *nonces) floor() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.forgot
}

// use notes that credentials are used; false: they were before. A request with
// a nonce count may use each number once. One without may not be the same a
// second time: method, URI and nonce all go into its response.
func (n *nonces) use(c credentials, method string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.prune(now)
	e := n.used[c.Nonce]
	if e == nil {
		if n.used == nil {
			n.used = make(map[string]*list.Element)
		}
		e = n.byAge.PushBack(&use{nonce: c.Nonce, until: now.Add(n.life)})
		n.used[c.Nonce] = e
	}
	u := e.Value.(*use)
	if c.QOP == "" {
		return u.once(method + " " + c.Response)
	}
	return u.count(c.NC)
}

// prune forgets nonces that are too old to be taken again.
func (n *nonces) prune(now time.Time) {
	for e := n.byAge.Front(); e != nil; e = n.byAge.Front() {
		u := e.Value.(*use)
		if now.Before(u.until) && n.byAge.Len() < maxNonces {
			return
		}
		if now.Before(u.until) {
			n.forgot = now
		}
		delete(n.used, u.nonce)
		n.byAge.Remove(e)
	}
}

func (u *use) once(response string) bool {
	if _, again := u.made[response]; again || len(u.made) >= maxResponses {
		return false
	}
	if u.made == nil {
		u.made = make(map[string]struct{})
	}
	u.made[response] = struct{}{}
	return true
}

func (u *use) count(nc uint32) bool {
	switch {
	case nc > u.top:
		u.seen <<= min(nc-u.top, 64)
		u.seen |= 1
		u.top = nc
		return true
	case u.top-nc >= 64:
		return false
	}
	bit := uint64(1) << (u.top - nc)
	if u.seen&bit != 0 {
		return false
	}
	u.seen |= bit
	return true
}
