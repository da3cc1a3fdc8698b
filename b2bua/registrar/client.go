package registrar

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/icholy/digest"
)

// A Client answers the challenges that others put to us: a trunk's, or an
// exchange's to a test phone. It remembers the last nonce of each realm and
// counts its use, so that further requests need no challenge. Its methods may
// be called from any goroutine.
type Client struct {
	User, Secret string

	mu     sync.Mutex
	realms map[string]*challenge // by realm
}

type challenge struct {
	digest.Challenge
	count int // of the nonce's last use
}

// ErrNoChallenge: none of the challenges can be answered: another scheme than
// Digest, an unknown algorithm, no qop=auth.
var ErrNoChallenge = errors.New("no challenge that can be answered")

// ErrRefused: our credentials were right as to form, and were refused again:
// the user name or the secret is wrong.
var ErrRefused = errors.New("credentials refused: user name or secret is wrong")

// Answer makes the value of Authorization or Proxy-Authorization for a request,
// from the values of WWW-Authenticate or Proxy-Authenticate. The first that can
// be answered is (RFC 8760 §2.4). sent is the value that the challenged request
// had, empty if it had none: a challenge to that which is not for a stale nonce
// is ErrRefused.
func (c *Client) Answer(method, uri string, challenges []string, sent string) (string, error) {
	for _, v := range challenges {
		ch, ok := parseChallenge(v)
		if !ok {
			continue
		}
		if p, err := parseDigest(sent); err == nil && p["realm"] == ch.Realm && !ch.Stale {
			return "", fmt.Errorf("realm %q, user %q: %w", ch.Realm, c.User, ErrRefused)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.realms == nil || len(c.realms) > 16 { // a peer has one; a hostile one must not fill memory
			c.realms = make(map[string]*challenge)
		}
		c.realms[ch.Realm] = ch
		return c.answer(ch, method, uri)
	}
	return "", ErrNoChallenge
}

// Again makes the value for a further request to a realm whose nonce is known;
// false: it has to be sent without, and be challenged.
func (c *Client) Again(realm, method, uri string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.realms[realm]
	if ch == nil || len(ch.QOP) == 0 { // without a count, the same nonce again is a replay to some
		return "", false
	}
	v, err := c.answer(ch, method, uri)
	return v, err == nil
}

func (c *Client) answer(ch *challenge, method, uri string) (string, error) {
	ch.count++
	cred, err := digest.Digest(&ch.Challenge, digest.Options{
		Method: method, URI: uri, Count: ch.count, Username: c.User, Password: c.Secret,
	})
	if err != nil {
		return "", err
	}
	return cred.String(), nil
}

// parseChallenge reads a challenge that we can answer.
func parseChallenge(value string) (*challenge, bool) {
	p, err := parseDigest(value)
	if err != nil || p["nonce"] == "" {
		return nil, false
	}
	ch := &challenge{Challenge: digest.Challenge{
		Realm: p["realm"], Nonce: p["nonce"], Opaque: p["opaque"], Algorithm: p["algorithm"], Stale: strings.EqualFold(p["stale"], "true"),
		Userhash: strings.EqualFold(p["userhash"], "true"),
	}}
	if q, ok := p["qop"]; ok && strings.TrimSpace(q) != "" {
		for _, o := range strings.Split(q, ",") {
			if strings.EqualFold(strings.TrimSpace(o), "auth") {
				ch.QOP = []string{"auth"}
			}
		}
		if ch.QOP == nil {
			return nil, false // auth-int alone
		}
	}
	return ch, digest.CanDigest(&ch.Challenge)
}
