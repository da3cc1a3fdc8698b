package registrar

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/icholy/digest"
)

// Algorithms of digests, as RFC 7616 and RFC 8760 name them.
const (
	MD5    = "MD5"
	SHA256 = "SHA-256"
)

// DigestConfig is what credentials are verified by. Realm and Secret are needed.
type DigestConfig struct {
	Realm string
	// Secret is the password of a user name; ok false: there is no such user.
	// It may be called from several goroutines.
	Secret func(user string) (password string, ok bool)
	// Algorithms that are offered, best first (RFC 8760 §2.4). Empty is MD5
	// alone: phones that do not know SHA-256 give up at its challenge even if
	// one of MD5 stands beside it (baresip 1.0 does, in either order).
	Algorithms []string
	// Domains are hosts that a digest's uri may name instead of the request's.
	Domains []string
	// Life is how long a nonce is taken; zero is 5 min. Who comes with an older
	// one is told so by stale=true and needs no new password.
	Life time.Duration
	// Failures from one source within a minute before it is refused unheard;
	// zero is 60. One source's failures for one user name: a sixth of it.
	Failures int
	Log      *slog.Logger // nil: slog.Default()
}

// A Digest makes challenges and verifies what answers them. Its methods may be
// called from any goroutine.
type Digest struct {
	cfg      DigestConfig
	log      *slog.Logger
	key      [32]byte // of nonces; new with each process
	nonces   nonces
	throttle throttle
}

// NewDigest returns a Digest. It runs nothing and needs no Close.
func NewDigest(cfg DigestConfig) *Digest {
	if len(cfg.Algorithms) == 0 {
		cfg.Algorithms = []string{MD5}
	}
	if cfg.Life <= 0 {
		cfg.Life = 5 * time.Minute
	}
	if cfg.Failures <= 0 {
		cfg.Failures = 60
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	d := &Digest{cfg: cfg, log: cfg.Log}
	rand.Read(d.key[:])
	d.nonces.life = cfg.Life
	d.throttle.limit = cfg.Failures
	return d
}

// Challenge is the values of WWW-Authenticate or Proxy-Authenticate, a header
// for each, in order (RFC 8760 §2.4). All have one new nonce.
func (d *Digest) Challenge(stale bool) []string {
	nonce := d.nonce(time.Now())
	var out []string
	for _, a := range d.cfg.Algorithms {
		c := digest.Challenge{Realm: d.cfg.Realm, Nonce: nonce, Stale: stale, Algorithm: a, QOP: []string{"auth"}}
		out = append(out, c.String())
	}
	return out
}

// LegacyChallenge is a challenge that a phone of 1999 can read: MD5, no qop,
// all values quoted (RFC 2069 §2.1.1).
func (d *Digest) LegacyChallenge(stale bool) []string {
	return []string{fmt.Sprintf(`Digest realm=%s, nonce="%s", opaque="", stale="%s", algorithm="MD5"`,
		strconv.Quote(d.cfg.Realm), d.nonce(time.Now()), strings.ToUpper(strconv.FormatBool(stale)))}
}

// Outcome of a verification. The zero value is None.
type Outcome uint8

const (
	None      Outcome = iota // no credentials for our realm: challenge
	OK                       // User is who it says
	Stale                    // right, but the nonce is used up: challenge with stale=true
	Wrong                    // user or password, which of them is not said: challenge again
	Malformed                // answer 400
	Throttled                // too many failures from this source: answer 403, or nothing
)

func (o Outcome) String() string {
	return [...]string{"no credentials", "ok", "stale nonce", "wrong credentials", "malformed credentials", "throttled"}[o]
}

// A Verdict is what Verify finds.
type Verdict struct {
	Outcome Outcome
	User    string // of OK and Stale
	Legacy  bool   // the phone answers as RFC 2069: challenge it by LegacyChallenge
}

// Verify looks through the values of Authorization or Proxy-Authorization of a
// request with this method and Request-URI from this source.
func (d *Digest) Verify(method, uri string, values []string, source netip.Addr) Verdict {
	now := time.Now()
	for _, v := range values {
		c, err := parseCredentials(v)
		switch {
		case err == errNotDigest:
			continue
		case err != nil:
			return Verdict{Outcome: Malformed}
		case c.Realm != d.cfg.Realm:
			continue // for somebody else on the way
		}
		return d.verify(method, uri, c, source, now)
	}
	return Verdict{}
}

func (d *Digest) verify(method, uri string, c credentials, source netip.Addr, now time.Time) Verdict {
	v := Verdict{Outcome: Wrong, Legacy: c.QOP == ""}
	if d.throttle.blocked(source, c.Username, now) {
		v.Outcome = Throttled
		return v
	}
	if c.algorithm() == "" || !slices.Contains(d.cfg.Algorithms, c.algorithm()) || c.QOP != "" && c.QOP != "auth" || !d.plausible(uri, c.URI) {
		return d.failed(v, c, source, now)
	}
	secret, known := d.cfg.Secret(c.Username)
	if !known || secret == "" {
		// The same work for who does not exist, so that time tells nothing.
		known, secret = false, d.decoy(c.Username)
	}
	want, err := d.response(method, c, secret)
	right := err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(c.Response))) == 1
	if !right || !known {
		return d.failed(v, c, source, now)
	}
	v.User = c.Username
	if v.Outcome = Stale; d.issued(c.Nonce, now) && d.nonces.use(c, method, now) {
		v.Outcome = OK
	}
	return v
}

// failed counts a failure, and says so in the log once a minute and source.
func (d *Digest) failed(v Verdict, c credentials, source netip.Addr, now time.Time) Verdict {
	if n, say := d.throttle.failure(source, c.Username, now); say {
		user := "unknown"
		if _, known := d.cfg.Secret(c.Username); known {
			user = c.Username
		}
		d.log.Warn("authentication failed: wrong password, or somebody is guessing", "source", source, "user", user, "failures", n)
	}
	return v
}

// response is what the credentials' response should be.
func (d *Digest) response(method string, c credentials, secret string) (string, error) {
	chal := &digest.Challenge{Realm: c.Realm, Nonce: c.Nonce, Algorithm: c.Algorithm}
	if c.QOP != "" {
		chal.QOP = []string{c.QOP}
		if c.NC == 0 || c.CNonce == "" {
			return "", errMalformed
		}
	}
	got, err := digest.Digest(chal, digest.Options{
		Method: method, URI: c.URI, Count: int(c.NC), Cnonce: c.CNonce, Username: c.Username, Password: secret,
	})
	if err != nil {
		return "", err
	}
	return got.Response, nil
}

// decoy is a password that nobody has.
func (d *Digest) decoy(user string) string {
	h := sha256.Sum256(append(d.key[:], user...))
	return hex.EncodeToString(h[:])
}

// plausible tells whether the uri of a digest belongs to a request. It should
// be the Request-URI (RFC 3261 §22.4 item 5), but proxies rewrite that, and a
// phone of 1999 writes its proxy's name instead ("sip:ss1.wcom.com"). What it
// may not do is name another user: then it was made for another call.
func (d *Digest) plausible(request, digest string) bool {
	if digest == request {
		return true
	}
	r, c := parse(request), parse(digest)
	if c.scheme != "sip" && c.scheme != "sips" && c.scheme != "tel" {
		return false
	}
	if c.user != "" {
		return c.user == r.user
	}
	return c.host == r.host || slices.ContainsFunc(d.cfg.Domains, func(h string) bool { return strings.EqualFold(h, strings.Trim(c.host, "[]")) })
}
