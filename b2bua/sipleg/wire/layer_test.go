package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"crosspoint/internal/memnet"
)

// world is a layer at 192.0.2.1:5060 and a phone's UDP socket on a network in memory.
type world struct {
	t     *testing.T
	net   *memnet.Network
	layer *Layer
	phone *memnet.UDP

	mu     sync.Mutex
	got    []Inbound
	failed []error
}

func start(t *testing.T, change func(*Config)) *world {
	w := &world{t: t, net: &memnet.Network{}}
	u := must(w.net.ListenUDP("192.0.2.1:5060"))
	ln := must(w.net.ListenTCP("192.0.2.1:5060"))
	w.phone = must(w.net.ListenUDP("192.0.2.7:5060"))
	cfg := Config{
		UDP: []Conn{u}, TCP: []net.Listener{ln},
		DialTCP: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			return w.net.DialTCP(ctx, "192.0.2.1:0", to.String())
		},
		Handle: func(in Inbound) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.got = append(w.got, in)
		},
		Failed: func(_ Flow, err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.failed = append(w.failed, err)
		},
		Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&cfg)
	}
	w.layer = New(cfg)
	t.Cleanup(func() {
		w.layer.Close()
		w.phone.Close()
		if n := w.net.Sockets(); n != 0 {
			t.Errorf("%d sockets left", n)
		}
		if n := w.layer.Stats().Connections; n != 0 {
			t.Errorf("%d connections left", n)
		}
	})
	return w
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// takes returns what has arrived since.
func (w *world) takes() []Inbound {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	got := w.got
	w.got = nil
	return got
}

func (w *world) one() Inbound {
	w.t.Helper()
	got := w.takes()
	if len(got) != 1 {
		w.t.Fatalf("%d messages arrived, want one", len(got))
	}
	return got[0]
}

func (w *world) sends(raw []byte) {
	must(w.phone.WriteToUDPAddrPort(raw, netip.MustParseAddrPort("192.0.2.1:5060")))
}

// hears is the next datagram at a socket, empty if none is there.
func hears(u *memnet.UDP) string {
	synctest.Wait()
	u.SetReadDeadline(time.Now().Add(time.Millisecond))
	buf := make([]byte, 65536)
	n, _, err := u.ReadFromUDPAddrPort(buf)
	if err != nil {
		return ""
	}
	return string(buf[:n])
}

func (w *world) dial(from string) net.Conn {
	w.t.Helper()
	c := must(w.net.DialTCP(w.t.Context(), from, "192.0.2.1:5060"))
	w.t.Cleanup(func() { c.Close() })
	return c
}

// reads is what stands to be read on a connection, and whether it is over.
func reads(c net.Conn) (string, bool) {
	var b strings.Builder
	buf := make([]byte, 65536)
	for {
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		n, err := c.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String(), errors.Is(err, io.EOF)
		}
	}
}

func TestReceivedAndRport(t *testing.T) { // RFC 3261 §18.2.1, RFC 3581 §4
	for _, tc := range []struct{ via, stamped, answeredAt string }{
		{"SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKx", "SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKx", "192.0.2.7:5060"},
		{"SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKx", "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKx", "192.0.2.7:5060"},
		{"SIP/2.0/UDP 192.0.2.7:5999;branch=z9hG4bKx", "SIP/2.0/UDP 192.0.2.7:5999;branch=z9hG4bKx", "192.0.2.7:5999"},
		{"SIP/2.0/UDP 192.0.2.7:5999;rport;branch=z9hG4bKx", "SIP/2.0/UDP 192.0.2.7:5999;rport=5060;branch=z9hG4bKx;received=192.0.2.7", "192.0.2.7:5060"},
		{"SIP/2.0/UDP 10.0.0.3:5999;rport;branch=z9hG4bKx", "SIP/2.0/UDP 10.0.0.3:5999;rport=5060;branch=z9hG4bKx;received=192.0.2.7", "192.0.2.7:5060"},
		{"SIP/2.0/UDP 10.0.0.3:5999;branch=z9hG4bKx", "SIP/2.0/UDP 10.0.0.3:5999;branch=z9hG4bKx;received=192.0.2.7", "192.0.2.7:5060"}, // NAT, and no rport
		{"SIP/2.0/UDP here.com:5999", "SIP/2.0/UDP here.com:5999;received=192.0.2.7", "192.0.2.7:5060"},                                 // 1999
		{"SIP/2.0/UDP 192.0.2.7;received=198.51.100.1", "SIP/2.0/UDP 192.0.2.7", "192.0.2.7:5060"},                                      // a lie
		{"SIP/2.0/UDP 192.0.2.7;maddr=198.51.100.1", "SIP/2.0/UDP 192.0.2.7;maddr=198.51.100.1", "192.0.2.7:5060"},                      // not our way to aim
	} {
		synctest.Test(t, func(t *testing.T) {
			w := start(t, nil)
			w.sends(with("Via: " + tc.via))
			in := w.one()
			if got := in.Request.Via().Value(); got != tc.stamped {
				t.Errorf("Via became\n%s, want\n%s", got, tc.stamped)
			}
			to, err := w.layer.ResponseFlow(in.Request, in.Flow)
			if err != nil || to.Remote().String() != tc.answeredAt {
				t.Errorf("%s is answered at %v (%v), want %s", tc.via, to, err, tc.answeredAt)
			}
			if to.Transport() != UDP || to.Local() != netip.MustParseAddrPort("192.0.2.1:5060") {
				t.Errorf("answered by %v", to)
			}
		})
	}
}

// A Via whose port is our own does not make us answer ourselves.
func TestResponseNotToOurselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		u := must(w.net.ListenUDP("192.0.2.1:5071")) // a phone on our machine
		defer u.Close()
		must(u.WriteToUDPAddrPort(with("Via: SIP/2.0/UDP 192.0.2.1:5060"), netip.MustParseAddrPort("192.0.2.1:5060")))
		in := w.one()
		if to, _ := w.layer.ResponseFlow(in.Request, in.Flow); to.Remote().String() != "192.0.2.1:5071" {
			t.Errorf("answered at %v", to)
		}
	})
}

func TestFlowsCompare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		w.sends(with())
		in := w.one()
		to, err := w.layer.FlowTo(UDP, netip.MustParseAddrPort("192.0.2.7:5060"))
		if err != nil || to != in.Flow {
			t.Errorf("%v and %v (%v) are the same way", to, in.Flow, err)
		}
		if other, _ := w.layer.FlowTo(UDP, netip.MustParseAddrPort("192.0.2.7:5061")); other == to {
			t.Error("another port is another flow")
		}
		if to.String() != "udp 192.0.2.1:5060 > 192.0.2.7:5060" || to.Reliable() || !to.Valid() {
			t.Errorf("%v", to)
		}
		if (Flow{}).Valid() || (Flow{}).String() != "nowhere" {
			t.Error("the zero flow leads nowhere")
		}
		if err := w.layer.Send(in.Request, Flow{}); !errors.Is(err, ErrNoSocket) {
			t.Errorf("%v", err)
		}
		if _, err := w.layer.FlowTo(UDP, netip.MustParseAddrPort("[2001:db8::1]:5060")); !errors.Is(err, ErrNoSocket) {
			t.Errorf("IPv6 without such a socket: %v", err)
		}
	})
}

func TestOrderOnOneFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		for i := range 200 {
			w.sends(with(fmt.Sprintf("Call-ID: %d", i)))
		}
		for i, in := range w.takes() {
			if string(*in.Request.CallID()) != fmt.Sprint(i) {
				t.Fatalf("message %d is %s", i, *in.Request.CallID())
			}
		}
	})
}

// What is wrong with a request is answered without state; responses and ACKs
// are not answered.
func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		for _, tc := range []struct {
			raw   []byte
			start string
		}{
			{with("-Call-ID"), "SIP/2.0 400 Bad Request (no Call-ID)"},
			{with("CSeq: 1 BYE"), "SIP/2.0 400 Bad Request (CSeq names BYE, the request INVITE)"},
			{with("!INVITE sip:a@h SIP/3.0"), "SIP/2.0 505 Version Not Supported"},
			{with("From: <sip:a@h>;tag=1", "+From: <sip:b@h>"), "SIP/2.0 400 Bad Request (From stands twice)"},
			{with("-Via"), ""},
			{with("!ACK sip:a@h SIP/2.0", "CSeq: 1 ACK", "-Call-ID"), ""},
			{with("!SIP/2.0 200 OK", "-Call-ID"), ""},
			{[]byte("hello"), ""},
			{[]byte{0, 1, 2, 3}, ""},
		} {
			w.sends(tc.raw)
			answer := hears(w.phone)
			first, _, _ := strings.Cut(answer, "\r\n")
			if first != tc.start {
				t.Errorf("%q, want %q", first, tc.start)
			}
			if answer != "" {
				if in, f := read([]byte(answer)); f != nil && !strings.Contains(f.why, "no Call-ID") {
					t.Errorf("our refusal: %v", f)
				} else if tag, _ := in.Response.To().Params.Get("tag"); tag == "" {
					t.Error("our refusal has no To tag")
				}
			}
		}
		if n := len(w.takes()); n != 0 {
			t.Errorf("%d of them came through", n)
		}
		if s := w.layer.Stats(); s.Received != 9 || s.Refused != 4 || s.Dropped != 5 {
			t.Errorf("%+v", s)
		}
	})
}

// A message whose handling panics is dropped; the next is handled.
func TestPanicIsContained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var handled int
		w := start(t, func(c *Config) {
			c.Handle = func(in Inbound) {
				if string(*in.Request.CallID()) == "bad" {
					panic("a defect")
				}
				handled++
			}
		})
		w.sends(with("Call-ID: bad"))
		w.sends(with("Call-ID: good"))
		synctest.Wait()
		if handled != 1 || w.layer.Stats().Panics != 1 {
			t.Errorf("handled %d, %+v", handled, w.layer.Stats())
		}
	})
}

func TestKeepAlives(t *testing.T) { // RFC 5626 §4.4.1
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		for ping, pong := range map[string]string{"\r\n\r\n": "\r\n", "\r\n": "", "\x00": "", "": ""} {
			w.sends([]byte(ping))
			if got := hears(w.phone); got != pong {
				t.Errorf("%q is answered by %q, want %q", ping, got, pong)
			}
		}
		flow, _ := w.layer.FlowTo(UDP, netip.MustParseAddrPort("192.0.2.7:5060"))
		if err := w.layer.KeepAlive(flow); err != nil || hears(w.phone) != "\r\n\r\n" {
			t.Errorf("no keep-alive (%v)", err)
		}
		w.sends(append([]byte("\r\n\r\n"), with()...)) // RFC 3261 §7.5
		w.one()

		c := w.dial("192.0.2.7:40000")
		c.Write([]byte("\r\n\r"))
		c.Write([]byte("\n"))
		if got, _ := reads(c); got != "\r\n" {
			t.Errorf("on TCP answered by %q", got)
		}
	})
}

// The bytes of a stream may be cut anywhere.
// What can't be framed ends the connection, after an answer if there can be one.
// Connections that say nothing, or say it too slowly, are closed.
// A peer that reads nothing does not hold up whoever sends, nor Close.
// large is a request over 1300 bytes.
func large() *sip.Request {
	in, _ := read(with("+Subject: " + strings.Repeat("x", 1300)))
	return in.Request
}

func TestLargeRequest(t *testing.T) { // RFC 3261 §18.1.1
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		flow, _ := w.layer.FlowTo(UDP, netip.MustParseAddrPort("192.0.2.7:5060"))
		// Nobody takes TCP there: it comes over UDP, and the next at once.
		for range 2 {
			if err := w.layer.Send(large(), flow); err != nil {
				t.Fatal(err)
			}
			if got := hears(w.phone); !strings.Contains(got, "Via: SIP/2.0/UDP 192") || len(got) < 1300 {
				t.Errorf("over UDP came %.60q", got)
			}
		}
		// Later the phone takes TCP.
		time.Sleep(tcpAvoided + time.Second)
		ln := must(w.net.ListenTCP("192.0.2.7:5060"))
		defer ln.Close()
		if err := w.layer.Send(large(), flow); err != nil {
			t.Fatal(err)
		}
		far := must(ln.Accept())
		defer far.Close()
		if got, _ := reads(far); !strings.Contains(got, "Via: SIP/2.0/TCP 192") {
			t.Errorf("over TCP came %.60q", got)
		}
		if got := hears(w.phone); got != "" {
			t.Errorf("and over UDP %.60q", got)
		}
		// A large response goes the way it has to.
		res := sip.NewResponseFromRequest(large(), 200, "OK", []byte(strings.Repeat("x", 9000)))
		if err := w.layer.Send(res, flow); err != nil || len(hears(w.phone)) < 9000 {
			t.Errorf("a large response: %v", err)
		}
		res.SetBody(make([]byte, 66000))
		if err := w.layer.Send(res, flow); !errors.Is(err, ErrTooLarge) {
			t.Errorf("more than a datagram holds: %v", err)
		}
	})
}

// Close lets go what is queued, and nothing works after it.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		c := w.dial("192.0.2.7:40000")
		c.Write(with())
		in := w.one()
		res := sip.NewResponseFromRequest(in.Request, 503, "Service Unavailable", nil)
		w.layer.Send(res, in.Flow)
		go w.layer.Close()
		got, over := reads(c)
		if !strings.HasPrefix(got, "SIP/2.0 503") || !over {
			t.Errorf("%q, closed %v", got, over)
		}
		synctest.Wait()
		if err := w.layer.Send(res, in.Flow); !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
		if _, err := w.layer.FlowTo(TCP, netip.MustParseAddrPort("192.0.2.9:5060")); !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
		if len(w.failed) != 0 {
			t.Errorf("Failed was told %v", w.failed)
		}
	})
}

// Sockets bound to all addresses tell the one that the far end sees.
func TestUnspecifiedLocal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, net: &memnet.Network{}}
		l := New(Config{
			UDP: []Conn{must(w.net.ListenUDP("0.0.0.0:5060")), must(w.net.ListenUDP("127.0.0.1:5060"))},
			LocalTo: func(remote netip.Addr) (netip.Addr, error) {
				return netip.MustParseAddr("192.0.2.1"), nil
			},
			Handle: func(Inbound) {},
		})
		defer l.Close()
		far, _ := l.FlowTo(UDP, netip.MustParseAddrPort("192.0.2.7:5060"))
		near, _ := l.FlowTo(UDP, netip.MustParseAddrPort("127.0.0.1:5071"))
		if far.Local().String() != "192.0.2.1:5060" || near.Local().String() != "127.0.0.1:5060" {
			t.Errorf("%v, %v", far, near)
		}
		if !l.Ours(UDP, netip.MustParseAddrPort("192.0.2.1:5060")) || l.Ours(UDP, netip.MustParseAddrPort("192.0.2.7:5060")) {
			t.Error("which address is ours?")
		}
	})
}

// Over the operating system's sockets it is the same.
func TestRealSockets(t *testing.T) {
	u := must(net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4zero}))
	ln := must(net.Listen("tcp", "127.0.0.1:0"))
	got := make(chan Inbound, 1)
	l := New(Config{UDP: []Conn{u}, TCP: []net.Listener{ln}, Handle: func(in Inbound) { got <- in }})
	defer l.Close()
	phone := must(net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}))
	defer phone.Close()
	port := u.LocalAddr().(*net.UDPAddr).Port
	must(phone.WriteTo(with(), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}))
	in := <-got
	if in.Flow.Local() != netip.MustParseAddrPort(fmt.Sprintf("127.0.0.1:%d", port)) {
		t.Errorf("local address %v", in.Flow)
	}
	if err := l.Send(in.Request, in.Flow); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 2000)
	phone.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := phone.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "INVITE") {
		t.Errorf("%v", err)
	}
	c := must(net.Dial("tcp", ln.Addr().String()))
	defer c.Close()
	c.Write(with())
	if in := <-got; in.Flow.Transport() != TCP {
		t.Errorf("%v", in.Flow)
	}
}
