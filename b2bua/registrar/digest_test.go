package registrar

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var phone = netip.MustParseAddr("192.0.2.7")

func verifier(change func(*DigestConfig)) *Digest {
	cfg := DigestConfig{
		Realm: "office", Log: slog.New(slog.DiscardHandler), Domains: []string{"ss1.wcom.com"},
		Secret: func(user string) (string, bool) {
			s, ok := map[string]string{"101": "s3cret", "102": "other", "empty": ""}[user]
			return s, ok
		},
	}
	if change != nil {
		change(&cfg)
	}
	return NewDigest(cfg)
}

// answerer makes credentials by hand: by RFC 7616 §3.4.1, independent of the
// code that is tested.
type answerer struct {
	user, secret, method, uri, nonce, alg, scheme string
	nc                                            int // 0: no qop
}

func (a answerer) value() string {
	hash := func(s string) string { h := md5.Sum([]byte(s)); return hex.EncodeToString(h[:]) }
	if a.alg == SHA256 {
		hash = func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	}
	if a.scheme == "" {
		a.scheme = "Digest"
	}
	ha1, ha2 := hash(a.user+":office:"+a.secret), hash(a.method+":"+a.uri)
	if a.nc == 0 {
		return fmt.Sprintf(`%s username="%s", realm="office", nonce="%s", opaque="", uri="%s", response="%s"`,
			a.scheme, a.user, a.nonce, a.uri, hash(ha1+":"+a.nonce+":"+ha2))
	}
	nc := fmt.Sprintf("%08x", a.nc)
	v := fmt.Sprintf(`%s username="%s",realm="office",nonce="%s",uri="%s",qop=auth,nc=%s,cnonce="0a4f113b",response="%s"`,
		a.scheme, a.user, a.nonce, a.uri, nc, hash(strings.Join([]string{ha1, a.nonce, nc, "0a4f113b", "auth", ha2}, ":")))
	if a.alg != "" {
		v += ",algorithm=" + a.alg
	}
	return v
}

func nonceOf(t testing.TB, challenge string) string {
	t.Helper()
	p, err := parseDigest(challenge)
	if err != nil || p["nonce"] == "" {
		t.Fatalf("challenge %q: %v", challenge, err)
	}
	return p["nonce"]
}

func TestChallenge(t *testing.T) {
	d := verifier(func(c *DigestConfig) { c.Algorithms = []string{SHA256, MD5} })
	got := d.Challenge(false)
	if len(got) != 2 || !strings.Contains(got[0], "algorithm=SHA-256") || !strings.Contains(got[1], "algorithm=MD5") {
		t.Fatalf("%q", got)
	}
	for _, c := range got {
		if !strings.HasPrefix(c, `Digest realm="office"`) || !strings.Contains(c, `qop="auth"`) || strings.Contains(c, "stale") {
			t.Errorf("%s", c)
		}
	}
	if !strings.Contains(d.Challenge(true)[0], "stale=true") {
		t.Error("not stale")
	}
	old := d.LegacyChallenge(false)[0]
	if !strings.HasPrefix(old, `Digest realm="office", nonce="`) || !strings.HasSuffix(old, `, opaque="", stale="FALSE", algorithm="MD5"`) {
		t.Errorf("%s", old)
	}
	if nonceOf(t, got[0]) == nonceOf(t, old) {
		t.Error("the same nonce twice")
	}
}

func TestVerify(t *testing.T) {
	const uri = "sip:102@192.0.2.1"
	good := func(nonce string) answerer {
		return answerer{user: "101", secret: "s3cret", method: "INVITE", uri: uri, nonce: nonce, nc: 1}
	}
	for _, tc := range []struct {
		name   string
		change func(*answerer)
		uri    string // of the request; empty: uri
		edit   func(string) string
		want   Outcome
	}{
		{"right", func(*answerer) {}, "", nil, OK},
		{"right, SHA-256", func(a *answerer) { a.alg = SHA256 }, "", nil, OK},
		{"right, RFC 2069", func(a *answerer) { a.nc = 0 }, "", nil, OK},
		{"right, DIGEST", func(a *answerer) { a.nc, a.scheme = 0, "DIGEST" }, "", nil, OK},
		{"right, spelled freely", func(*answerer) {}, "", func(s string) string {
			return strings.Replace(strings.Replace(strings.Replace(s, "qop=auth", `QOP = "auth"`, 1), "realm=", "Realm =  ", 1), `",`, "\" ,\t", -1)
		}, OK},
		{"right, response in capitals", func(*answerer) {}, "", func(s string) string {
			i := strings.Index(s, "response=") + len("response=")
			return s[:i] + strings.ToUpper(s[i:])
		}, OK},
		{"right, an algorithm not offered", func(a *answerer) { a.alg = "SHA-512-256" }, "", nil, Wrong},
		{"wrong password", func(a *answerer) { a.secret = "guess" }, "", nil, Wrong},
		{"another's password", func(a *answerer) { a.secret = "other" }, "", nil, Wrong},
		{"no such user", func(a *answerer) { a.user = "999" }, "", nil, Wrong},
		{"a user without a password", func(a *answerer) { a.user, a.secret = "empty", "" }, "", nil, Wrong},
		{"another method", func(a *answerer) { a.method = "REGISTER" }, "", nil, Wrong},
		{"the proxy's name as uri", func(a *answerer) { a.uri = "sip:ss1.wcom.com" }, "", nil, OK},
		{"the request's host as uri", func(a *answerer) { a.uri = "sip:192.0.2.1" }, "", nil, OK},
		{"a stranger's host as uri", func(a *answerer) { a.uri = "sip:example.org" }, "", nil, Wrong},
		{"another user in the uri", func(a *answerer) { a.uri = "sip:103@192.0.2.1" }, "", nil, Wrong},
		{"the same user at another host", func(a *answerer) { a.uri = "sip:102@example.org" }, "", nil, OK},
		{"a web address as uri", func(a *answerer) { a.uri = "/102" }, "", nil, Wrong},
		{"REGISTER's uri", func(a *answerer) { a.uri = "sip:192.0.2.1;transport=udp" }, "sip:192.0.2.1", nil, OK},
		{"nonce not ours, password right", func(a *answerer) { a.nonce = "ea9c8e88df84f1cec4341ae6cbe5a359" }, "", nil, Stale},
		{"nonce not ours, password wrong", func(a *answerer) { a.nonce, a.secret = "x", "guess" }, "", nil, Wrong},
		{"nonce changed in one letter", func(a *answerer) { a.nonce = "B" + a.nonce[1:] }, "", nil, Stale},
		{"another realm", func(*answerer) {}, "", func(s string) string { return strings.Replace(s, `"office"`, `"elsewhere"`, 1) }, None},
		{"another scheme", func(a *answerer) { a.scheme = "Basic" }, "", nil, None},
		{"auth-int", func(*answerer) {}, "", func(s string) string { return strings.Replace(s, "qop=auth", "qop=auth-int", 1) }, Wrong},
		{"no cnonce", func(*answerer) {}, "", func(s string) string { return strings.Replace(s, `cnonce="0a4f113b",`, "", 1) }, Wrong},
		{"count zero", func(*answerer) {}, "", func(s string) string { return strings.Replace(s, "nc=00000001", "nc=00000000", 1) }, Wrong},
		{"count malformed", func(*answerer) {}, "", func(s string) string { return strings.Replace(s, "nc=00000001", "nc=1", 1) }, Malformed},
		{"a parameter twice", func(*answerer) {}, "", func(s string) string { return s + `,username="102"` }, Malformed},
		{"quote without end", func(*answerer) {}, "", func(s string) string { return s + `,x="` }, Malformed},
		{"no user name", func(*answerer) {}, "", func(s string) string { return strings.Replace(s, `username="101",`, "", 1) }, Malformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := verifier(func(c *DigestConfig) { c.Algorithms = []string{SHA256, MD5} })
			a := good(nonceOf(t, d.Challenge(false)[0]))
			tc.change(&a)
			v := a.value()
			if tc.edit != nil {
				v = tc.edit(v)
			}
			request := uri
			if tc.uri != "" {
				request = tc.uri
			}
			got := d.Verify("INVITE", request, []string{v}, phone)
			if got.Outcome != tc.want {
				t.Errorf("%s, want %s: %s", got.Outcome, tc.want, v)
			}
			if (got.User != "") != (got.Outcome == OK || got.Outcome == Stale) {
				t.Errorf("user %q", got.User)
			}
		})
	}
	d := verifier(nil)
	if got := d.Verify("INVITE", uri, nil, phone); got.Outcome != None {
		t.Errorf("without credentials: %s", got.Outcome)
	}
	// Credentials for others on the way stand before ours.
	theirs := strings.Replace(good("x").value(), `"office"`, `"elsewhere"`, 1)
	mine := good(nonceOf(t, d.Challenge(false)[0])).value()
	if got := d.Verify("INVITE", uri, []string{theirs, mine}, phone); got.Outcome != OK {
		t.Errorf("second credentials: %s", got.Outcome)
	}
	if got := d.Verify("INVITE", uri, []string{strings.Replace(mine, "101", "101", 1)}, phone); got.Legacy {
		t.Error("a phone with qop is no legacy phone")
	}
}

// A nonce lives for its time; after that a right password is asked for again
// with stale=true.
func TestNonceExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := verifier(func(c *DigestConfig) { c.Life = time.Minute })
		a := answerer{user: "101", secret: "s3cret", method: "REGISTER", uri: "sip:192.0.2.1", nonce: nonceOf(t, d.Challenge(false)[0])}
		verify := func() Outcome { return d.Verify(a.method, a.uri, []string{a.value()}, phone).Outcome }
		a.nc = 1
		time.Sleep(59 * time.Second)
		if got := verify(); got != OK {
			t.Errorf("after 59 s: %s", got)
		}
		time.Sleep(time.Second)
		a.nc = 2
		if got := verify(); got != Stale {
			t.Errorf("after 60 s: %s", got)
		}
		a.secret = "guess"
		if got := verify(); got != Wrong {
			t.Errorf("after 60 s, wrong password: %s", got)
		}
		if n := len(d.nonces.used); n != 1 {
			t.Errorf("%d nonces remembered", n)
		}
		time.Sleep(2 * time.Minute)
		a.secret, a.nc, a.nonce = "s3cret", 1, nonceOf(t, d.Challenge(false)[0])
		verify()
		if n := len(d.nonces.used); n != 1 {
			t.Errorf("%d nonces remembered, the old one is not forgotten", n)
		}
		if other := verifier(nil); other.Verify(a.method, a.uri, []string{a.value()}, phone).Outcome != Stale {
			t.Error("another process's nonce is not stale")
		}
	})
}

func TestReplay(t *testing.T) { // RFC 7616 §3.4.5, §5.12
	d := verifier(nil)
	a := answerer{user: "101", secret: "s3cret", method: "INVITE", uri: "sip:102@h", nonce: nonceOf(t, d.Challenge(false)[0])}
	for i, step := range []struct {
		nc   int
		want Outcome
	}{{1, OK}, {1, Stale}, {2, OK}, {5, OK}, {4, OK}, {4, Stale}, {5, Stale}, {100, OK}, {5, Stale}, {36, Stale}, {37, OK}, {37, Stale}, {101, OK}} {
		a.nc = step.nc
		if got := d.Verify(a.method, a.uri, []string{a.value()}, phone).Outcome; got != step.want {
			t.Errorf("step %d, nc %d: %s, want %s", i+1, step.nc, got, step.want)
		}
	}

	// A phone that does not count may use a nonce for different requests, but
	// none twice.
	a.nonce, a.nc = nonceOf(t, d.LegacyChallenge(false)[0]), 0
	for i, step := range []struct {
		method, uri string
		want        Outcome
	}{
		{"INVITE", "sip:102@h", OK}, {"INVITE", "sip:102@h", Stale}, {"REGISTER", "sip:h", OK}, {"INVITE", "sip:103@h", OK}, {"REGISTER", "sip:h", Stale},
	} {
		a.method, a.uri = step.method, step.uri
		got := d.Verify(a.method, a.uri, []string{a.value()}, phone)
		if got.Outcome != step.want || !got.Legacy {
			t.Errorf("legacy step %d: %s, want %s", i+1, got.Outcome, step.want)
		}
	}
}

// Guessing ends soon, and only for who guesses.
func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		d := verifier(func(c *DigestConfig) { c.Failures, c.Log = 30, slog.New(slog.NewTextHandler(&logged, nil)) })
		nc := 0
		try := func(from, user, secret string) Outcome {
			nc++
			a := answerer{user: user, secret: secret, method: "REGISTER", uri: "sip:h", nonce: nonceOf(t, d.Challenge(false)[0]), nc: nc}
			return d.Verify(a.method, a.uri, []string{a.value()}, netip.MustParseAddr(from)).Outcome
		}
		for range 5 {
			if got := try("192.0.2.66", "101", "Guess3dSecret"); got != Wrong {
				t.Errorf("%s", got)
			}
		}
		if got := try("192.0.2.66", "101", "s3cret"); got != Throttled {
			t.Errorf("the sixth guess: %s", got)
		}
		if got := try("192.0.2.7", "101", "s3cret"); got != OK {
			t.Errorf("the phone itself, from elsewhere: %s", got)
		}
		if got := try("192.0.2.66", "102", "other"); got != OK {
			t.Errorf("another phone behind the same address: %s", got)
		}
		for i := range 30 { // user names tried in turn
			try("192.0.2.66", fmt.Sprint("user", i), "x")
		}
		if got := try("192.0.2.66", "102", "other"); got != Throttled {
			t.Errorf("after 35 failures: %s", got)
		}
		// IPv6: a /64 is one source.
		for i := range 31 {
			try(fmt.Sprintf("2001:db8::%x", i+1), fmt.Sprint("user", i), "x")
		}
		if got := try("2001:db8::ffff", "102", "other"); got != Throttled {
			t.Errorf("IPv6 after 31 failures: %s", got)
		}
		if n := strings.Count(logged.String(), "authentication failed"); n != 2 {
			t.Errorf("%d log lines, want one a source and minute:\n%s", n, logged.String())
		}
		if strings.Contains(logged.String(), "Guess3dSecret") || strings.Contains(logged.String(), "s3cret") || !strings.Contains(logged.String(), "source=192.0.2.66") {
			t.Errorf("%s", logged.String())
		}
		time.Sleep(time.Minute)
		if got := try("192.0.2.66", "101", "s3cret"); got != OK {
			t.Errorf("a minute later: %s", got)
		}
		logged.Reset()
		try("192.0.2.66", "101", "x")
		if !strings.Contains(logged.String(), "failures=30") { // 29 not yet told, and this; who is not heard does not count
			t.Errorf("%s", logged.String())
		}
	})
}

// Nobody can fill the tables.
func TestTablesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var th throttle
		th.limit = 60
		now := time.Now()
		for i := range 3 * maxPails {
			th.failure(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), fmt.Sprint(i), now)
		}
		if len(th.pails) > maxPails+1 {
			t.Errorf("%d pails", len(th.pails))
		}
		n := nonces{life: time.Minute}
		for i := range maxNonces + 100 {
			n.use(credentials{Nonce: fmt.Sprint(i), QOP: "auth", NC: 1}, "INVITE", now)
		}
		if len(n.used) > maxNonces || n.forgot.IsZero() {
			t.Errorf("%d nonces, forgot %v", len(n.used), n.forgot)
		}
	})
}

// Our answers are taken by our own verifier, and by what RFC 7616 §3.9.1 prints.
func TestClient(t *testing.T) {
	d := verifier(func(c *DigestConfig) { c.Algorithms = []string{SHA256, MD5} })
	c := &Client{User: "101", Secret: "s3cret"}
	v, err := c.Answer("INVITE", "sip:102@h", d.Challenge(false), "")
	if err != nil || !strings.Contains(v, "algorithm=SHA-256") || !strings.Contains(v, "nc=00000001") {
		t.Fatalf("%s, %v", v, err)
	}
	if got := d.Verify("INVITE", "sip:102@h", []string{v}, phone).Outcome; got != OK {
		t.Errorf("%s", got)
	}
	again, ok := c.Again("office", "INVITE", "sip:103@h")
	if !ok || !strings.Contains(again, "nc=00000002") || d.Verify("INVITE", "sip:103@h", []string{again}, phone).Outcome != OK {
		t.Errorf("%s, %v", again, ok)
	}
	if _, ok := c.Again("elsewhere", "INVITE", "sip:103@h"); ok {
		t.Error("an unknown realm")
	}
	if _, err := c.Answer("INVITE", "sip:102@h", d.Challenge(false), v); !errors.Is(err, ErrRefused) {
		t.Errorf("refused again: %v", err)
	}
	if _, err := c.Answer("INVITE", "sip:102@h", d.Challenge(true), v); err != nil {
		t.Errorf("a stale nonce: %v", err)
	}
	old, err := c.Answer("INVITE", "sip:102@h", d.LegacyChallenge(false), "")
	if err != nil || strings.Contains(old, "qop") || d.Verify("INVITE", "sip:102@h", []string{old}, phone).Outcome != OK {
		t.Errorf("%s, %v", old, err)
	}
	for _, bad := range []string{`Basic realm="x"`, `Digest realm="x"`, `Digest realm="x", nonce="y", qop="auth-int"`, `Digest realm="x", nonce="y", algorithm=MD5-sess`, "", `Digest "`} {
		if _, err := c.Answer("INVITE", "sip:102@h", []string{bad}, ""); !errors.Is(err, ErrNoChallenge) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	mixed := []string{`Digest realm="office", nonce="y", algorithm=SHA-3`, `digest REALM="office", Nonce="y", Qop="auth-int, AUTH", algorithm=md5`}
	if v, err := c.Answer("INVITE", "sip:102@h", mixed, ""); err != nil || !strings.Contains(v, `nonce="y"`) {
		t.Errorf("%s, %v", v, err)
	}
}

// The example of RFC 7616 §3.9.1.
func TestRFCExample(t *testing.T) {
	for alg, response := range map[string]string{
		MD5:    "8ca523f5e9506fed4657c9700eebdbec",
		SHA256: "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
	} {
		d := NewDigest(DigestConfig{Realm: "http-auth@example.org", Algorithms: []string{alg}})
		got, err := d.response("GET", credentials{
			Username: "Mufasa", Realm: "http-auth@example.org", URI: "/dir/index.html", Algorithm: alg,
			Nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", NC: 1, CNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", QOP: "auth",
		}, "Circle of Life")
		if err != nil || got != response {
			t.Errorf("%s: %s (%v), want %s", alg, got, err, response)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(answerer{user: "101", secret: "s3cret", method: "INVITE", uri: "sip:h", nonce: "x", nc: 1}.value())
	f.Add(`DIGEST username="UserA", realm="MCI WorldCom SIP", nonce="ea9c8e88df84f1cec4341ae6cbe5a359", opaque="", uri="sip:ss1.wcom.com", response="dfe56131d1958046689cd83306477ecc"`)
	f.Add(`Digest a=b,,c = "d\"" , e=`)
	d := verifier(nil)
	f.Fuzz(func(t *testing.T, v string) {
		if got := d.Verify("INVITE", "sip:102@h", []string{v}, phone); got.Outcome == OK {
			t.Fatalf("let in by %q", v)
		}
		c := &Client{User: "101", Secret: "s3cret"}
		if a, err := c.Answer("INVITE", "sip:102@h", []string{v}, ""); err == nil {
			if _, err := parseCredentials(a); err != nil {
				t.Fatalf("our answer to %q can't be read: %q", v, a)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	d := verifier(nil)
	c := &Client{User: "101", Secret: "s3cret"}
	c.Answer("INVITE", "sip:102@h", d.Challenge(false), "")
	b.ReportAllocs()
	for b.Loop() {
		v, _ := c.Again("office", "INVITE", "sip:102@h")
		if d.Verify("INVITE", "sip:102@h", []string{v}, phone).Outcome != OK {
			b.Fatal("refused")
		}
	}
}
