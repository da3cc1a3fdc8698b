package registrar

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// book is a Registrar with what it said of changes.
type book struct {
	*Registrar
	t       *testing.T
	changes []string
	seq     uint32
}

func open(t *testing.T, cfg Config) *book {
	t.Helper()
	b := &book{t: t}
	cfg.Changed = func(c Change) { b.changes = append(b.changes, c.Kind.String()+" "+c.Binding.URI) }
	cfg.Log = slog.New(slog.DiscardHandler)
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.Registrar = r
	t.Cleanup(r.Close)
	return b
}

// registers sends a REGISTER of phone 101 with the next CSeq: contacts are
// "URI", "URI;expires=60", "URI;q=0.5" in any combination.
func (b *book) registers(contacts ...string) Result {
	b.seq++
	return b.Register(request("call-1", b.seq, contacts...))
}

func request(callID string, seq uint32, contacts ...string) Request {
	req := Request{AOR: "101", CallID: callID, CSeq: seq, Expires: -1, Source: netip.MustParseAddrPort("192.0.2.7:5060"), Transport: "UDP", Flow: "flow 1"}
	for _, c := range contacts {
		uri, params, _ := strings.Cut(c, ";")
		contact := Contact{URI: uri, Q: -1, Expires: -1}
		fmt.Sscanf(params, "expires=%d", &contact.Expires)
		fmt.Sscanf(params, "q=%g", &contact.Q)
		if i, ok := strings.CutPrefix(params, "instance="); ok {
			contact.Instance = i
		}
		req.Contacts = append(req.Contacts, contact)
	}
	return req
}

// has checks who is registered, in order.
func (b *book) has(uris ...string) {
	b.t.Helper()
	var got []string
	for _, f := range b.Lookup("101") {
		got = append(got, f.URI)
	}
	if !slices.Equal(got, uris) {
		b.t.Errorf("registered is %q, want %q", got, uris)
	}
	if n := b.Count(); n != len(uris) {
		b.t.Errorf("count is %d, want %d", n, len(uris))
	}
}

func (b *book) said(changes ...string) {
	b.t.Helper()
	b.Count() // the owner has told all
	if !slices.Equal(b.changes, changes) {
		b.t.Errorf("changes %q, want %q", b.changes, changes)
	}
	b.changes = nil
}

func TestRegisterAndExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, Config{})
		b.has()
		res := b.registers("sip:101@a;expires=120")
		if res.Status != 200 || len(res.Bindings) != 1 || time.Until(res.Bindings[0].Expires) != 2*time.Minute {
			t.Errorf("%+v", res)
		}
		b.has("sip:101@a")
		b.said("registered sip:101@a")
		time.Sleep(119 * time.Second)
		b.has("sip:101@a")
		b.registers("sip:101@a;expires=60")
		b.said("refreshed sip:101@a")
		time.Sleep(59 * time.Second)
		b.has("sip:101@a")
		time.Sleep(time.Second)
		synctest.Wait()
		b.said("expired sip:101@a") // by itself, nobody asked
		b.has()
	})
}

func TestSeveralContacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, Config{})
		b.registers("sip:101@a;q=0.3", "sip:101@b", "sip:101@c;q=0.9")
		b.has("sip:101@b", "sip:101@c", "sip:101@a") // b's q is 1
		b.registers("sip:101@b;expires=0")
		b.has("sip:101@c", "sip:101@a")
		if res := b.registers(); res.Status != 200 || len(res.Bindings) != 2 { // a query
			t.Errorf("%+v", res)
		}
		b.said("registered sip:101@a", "registered sip:101@b", "registered sip:101@c", "unregistered sip:101@b")
	})
}

func TestExpiryBounds(t *testing.T) { // RFC 3261 §10.3 step 6
	synctest.Test(t, func(t *testing.T) {
		b := open(t, Config{Min: 2 * time.Minute, Max: 10 * time.Minute, Default: 5 * time.Minute})
		for _, tc := range []struct {
			contact string
			header  int
			want    time.Duration // 0: 423
		}{
			{"sip:101@a", -1, 5 * time.Minute},
			{"sip:101@a", 180, 3 * time.Minute},
			{"sip:101@a;expires=240", 180, 4 * time.Minute}, // the contact's own comes first
			{"sip:101@a;expires=86400", -1, 10 * time.Minute},
			{"sip:101@a;expires=2147483647", -1, 10 * time.Minute},
			{"sip:101@a;expires=119", -1, 0},
			{"sip:101@a", 1, 0},
		} {
			b.seq++
			req := request("call-1", b.seq, tc.contact)
			req.Expires = tc.header
			res := b.Register(req)
			switch {
			case tc.want == 0 && (res.Status != 423 || res.Min != 2*time.Minute):
				t.Errorf("%+v: %+v", tc, res)
			case tc.want != 0 && (res.Status != 200 || time.Until(res.Bindings[0].Expires) != tc.want):
				t.Errorf("%+v: %+v", tc, res)
			}
		}
	})
}

// A REGISTER is done as a whole or not at all.
func TestAllOrNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, Config{})
		b.registers("sip:101@a")
		if res := b.registers("sip:101@b", "sip:101@a;expires=0", "sip:101@c;expires=3"); res.Status != 423 {
			t.Errorf("%+v", res)
		}
		b.has("sip:101@a")
		b.said("registered sip:101@a")
	})
}

func TestStar(t *testing.T) { // RFC 3261 §10.2.2, §10.3 step 6
	synctest.Test(t, func(t *testing.T) {
		b := open(t, Config{})
		b.registers("sip:101@a", "sip:101@b")
		star := func(expires int, contacts ...string) int {
			b.seq++
			req := request("call-1", b.seq, contacts...)
			req.Star, req.Expires = true, expires
			return b.Register(req).Status
		}
		for _, bad := range []int{star(-1), star(60), star(0, "sip:101@c")} {
			if bad != 400 {
				t.Errorf("status %d, want 400", bad)
			}
		}
		b.has("sip:101@a", "sip:101@b")
		b.changes = nil
		if s := star(0); s != 200 {
			t.Errorf("status %d", s)
		}
		b.has()
		b.said("unregistered sip:101@a", "unregistered sip:101@b")
	})
}

func TestOrder(t *testing.T) { // RFC 3261 §10.3 step 7
	synctest.Test(t, func(t *testing.T) {
		b := open(t, Config{})
		b.Register(request("call-1", 10, "sip:101@a"))
		for _, tc := range []struct {
			name string
			req  Request
			want int
		}{
			{"older", request("call-1", 9, "sip:101@a;expires=0"), 500},
			{"the same again", request("call-1", 10, "sip:101@a;expires=0"), 500},
			{"newer", request("call-1", 11, "sip:101@a"), 200},
			{"another Call-ID: the phone has restarted", request("call-2", 1, "sip:101@a"), 200},
		} {
			if res := b.Register(tc.req); res.Status != tc.want {
				t.Errorf("%s: %d, want %d", tc.name, res.Status, tc.want)
			}
			b.has("sip:101@a")
		}
		late := request("call-2", 1)
		late.Star, late.Expires = true, 0
		if res := b.Register(late); res.Status != 500 {
			t.Errorf("star out of order: %d", res.Status)
		}
	})
}

// A phone that comes from elsewhere is not rung at its old address.
func TestNewAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, Config{})
		b.registers("sip:101@192.0.2.7")
		b.registers("sip:101@192.0.2.8") // same Call-ID: DHCP gave it another address
		b.has("sip:101@192.0.2.8")
		b.said("registered sip:101@192.0.2.7", "moved sip:101@192.0.2.8")

		time.Sleep(time.Second)
		b.Register(request("call-9", 1, "sip:101@192.0.2.9")) // another phone of the same user
		b.has("sip:101@192.0.2.9", "sip:101@192.0.2.8")

		b.Register(request("call-5", 1, "sip:101@198.51.100.1;instance=<urn:x>"))
		time.Sleep(time.Second)
		b.Register(request("call-6", 1, "sip:101@198.51.100.2;instance=<urn:x>")) // restarted elsewhere
		b.has("sip:101@198.51.100.2", "sip:101@192.0.2.9", "sip:101@192.0.2.8")
		b.changes = nil

		// Behind a NAT the Contact stays and the source changes.
		again := request("call-6", 2, "sip:101@198.51.100.2;instance=<urn:x>")
		again.Source, again.Flow = netip.MustParseAddrPort("203.0.113.5:62000"), "flow 2"
		b.Register(again)
		b.said("moved sip:101@198.51.100.2")
		if f := b.Lookup("101")[0]; f.Source != again.Source || f.Flow != "flow 2" {
			t.Errorf("%+v", f)
		}
	})
}

// Two contacts of one instance in one REGISTER both stand.
func TestTwoContactsOfOnePhone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, Config{})
		for range 2 {
			b.registers("sip:101@a:1;instance=<urn:x>", "sip:101@a:2;instance=<urn:x>")
			b.has("sip:101@a:1", "sip:101@a:2")
		}
		b.registers("sip:101@b", "sip:101@c")
		b.registers("sip:101@b", "sip:101@c")
		if n := b.Count(); n != 4 {
			t.Errorf("%d bindings", n)
		}
	})
}

func TestSameURI(t *testing.T) { // RFC 3261 §19.1.4
	for _, tc := range []struct {
		a, b string
		same bool
	}{
		{"sip:101@A.example", "SIP:101@a.example", true},
		{"sip:101@a", "sip:101@a:5060", false},
		{"sip:Bob@a", "sip:bob@a", false},
		{"sip:101@a;transport=tcp", "sip:101@a;transport=TCP", true},
		{"sip:101@a;transport=tcp", "sip:101@a", false},
		{"sip:101@a;ob", "sip:101@a", true},
		{"sip:101@a;x=1", "sip:101@a;x=2", false},
		{"sip:101@[2001:db8::1]:5060", "sip:101@[2001:DB8::1]:5060", true},
		{"sip:101@[2001:db8::1]", "sip:101@[2001:db8::1]:5060", false},
		{"sips:101@a", "sip:101@a", false},
	} {
		if got := sameURI(tc.a, tc.b); got != tc.same || sameURI(tc.b, tc.a) != tc.same {
			t.Errorf("%s and %s: %v, want %v", tc.a, tc.b, got, tc.same)
		}
	}
}

func TestMaxContacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, Config{MaxContacts: 2})
		for i, uri := range []string{"sip:101@a;expires=500", "sip:101@b;expires=100", "sip:101@c;expires=900"} {
			b.Register(request(fmt.Sprint("call-", i), 1, uri))
			time.Sleep(time.Second)
		}
		b.has("sip:101@c", "sip:101@a")
		b.said("registered sip:101@a", "registered sip:101@b", "unregistered sip:101@b", "registered sip:101@c")
	})
}

func TestFlowLostAndRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, Config{})
		b.registers("sip:101@a")
		other := request("call-2", 1, "sip:101@b")
		other.Flow = "flow 2"
		b.Register(other)
		if n := b.FlowLost("flow 2"); n != 1 {
			t.Errorf("%d lost", n)
		}
		b.has("sip:101@a")
		if n := b.Remove("101", "sip:101@x"); n != 0 {
			t.Errorf("%d removed", n)
		}
		if n := b.Remove("101", ""); n != 1 {
			t.Errorf("%d removed", n)
		}
		b.has()
		b.said("registered sip:101@a", "registered sip:101@b", "connection lost sip:101@b", "unregistered sip:101@a")
	})
}

func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, Config{})
		for _, aor := range []string{"103", "101", "102"} {
			req := request("call-"+aor, 1, "sip:"+aor+"@a")
			req.AOR = aor
			b.Register(req)
		}
		var got []string
		for _, l := range b.List() {
			got = append(got, l.AOR)
		}
		if !slices.Equal(got, []string{"101", "102", "103"}) {
			t.Errorf("%v", got)
		}
	})
}

// memory is a Store.
type memory struct {
	kept map[string][]Binding
	fail error
}

func (m *memory) Load() (all []Binding, err error) {
	for _, b := range m.kept {
		all = append(all, b...)
	}
	return all, m.fail
}

func (m *memory) Save(aor string, b []Binding) error {
	if len(b) == 0 {
		delete(m.kept, aor)
	} else {
		m.kept[aor] = slices.Clone(b)
	}
	return m.fail
}

func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{kept: make(map[string][]Binding)}
		b := open(t, Config{Store: store})
		b.registers("sip:101@a;expires=600", "sip:101@b;expires=100")
		b.Close()
		if res := b.registers("sip:101@c"); res.Status != 503 {
			t.Errorf("after Close: %+v", res)
		}
		time.Sleep(200 * time.Second)

		b = open(t, Config{Store: store})
		b.has("sip:101@a")
		if f := b.Lookup("101")[0]; f.Flow != nil || f.Source.String() != "192.0.2.7:5060" || f.Transport != "UDP" {
			t.Errorf("%+v", f)
		}
		b.Register(request("call-1", 2, "sip:101@a;expires=0"))
		if len(store.kept) != 0 {
			t.Errorf("kept %v", store.kept)
		}
		b.Register(request("call-1", 3, "sip:101@a;expires=60"))
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if len(store.kept) != 0 {
			t.Errorf("kept after expiry %v", store.kept)
		}
		store.fail = errors.New("disk full")
		if res := b.Register(request("call-1", 4, "sip:101@a")); res.Status != 200 {
			t.Errorf("with a failing store: %+v", res)
		}
		if _, err := New(Config{Store: store}); err != store.fail {
			t.Errorf("%v", err)
		}
	})
}

func BenchmarkRegister(b *testing.B) {
	r, _ := New(Config{Log: slog.New(slog.DiscardHandler)})
	defer r.Close()
	for i := range 1000 {
		req := request("x", 1, fmt.Sprintf("sip:%d@a", i))
		req.AOR = fmt.Sprint(i)
		r.Register(req)
	}
	seq := uint32(1)
	for b.Loop() {
		seq++
		req := request("x", seq, "sip:500@a")
		req.AOR = "500"
		if r.Register(req).Status != 200 {
			b.Fatal("refused")
		}
	}
}
