package sipleg

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/memnet"
	"crosspoint/media/rtp"
)

// answerer is call control that answers everybody.
type answerer struct{}

func (answerer) Accept(in leg.Incoming) leg.Sink {
	in.Leg.Ringing()
	in.Leg.Answer()
	return answerer{}
}
func (answerer) Deliver(leg.Event) {}

// deaf is an RTP socket that costs nothing and hears nothing.
type deaf struct {
	addr netip.AddrPort
	wake chan struct{} // a deadline has been set
	gone chan struct{}
}

func newDeaf(addr string) *deaf {
	return &deaf{netip.MustParseAddrPort(addr), make(chan struct{}, 1), make(chan struct{})}
}

func (d *deaf) ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error) {
	select {
	case <-d.wake:
		return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
	case <-d.gone:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

func (d *deaf) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) { return len(b), nil }
func (d *deaf) LocalAddr() net.Addr                                        { return net.UDPAddrFromAddrPort(d.addr) }
func (d *deaf) Close() error                                               { close(d.gone); return nil }
func (d *deaf) SetReadDeadline(at time.Time) error {
	if time.Until(at) < 0 {
		select {
		case d.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// caller sends calls to an agent in real time, by ready-made texts.
type caller struct {
	tb    testing.TB
	agent *Agent
	udp   *memnet.UDP
	buf   []byte
	n     int
}

func newCaller(tb testing.TB) *caller {
	network := new(memnet.Network)
	server, _ := network.ListenUDP("127.0.0.1:5060")
	client, _ := network.ListenUDP("10.0.0.1:5060")
	ports, err := rtp.NewPorts(rtp.PortsConfig{Address: netip.MustParseAddr("127.0.0.1"), First: 10000, Last: 60000,
		Listen: func(addr string) (rtp.Conn, error) { return newDeaf(addr), nil }})
	if err != nil {
		tb.Fatal(err)
	}
	c := &caller{tb: tb, udp: client, buf: make([]byte, 65536)}
	c.agent = New(Config{
		Wire: wire.Config{UDP: []wire.Conn{server}}, Accept: answerer{}, RTP: ports, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Peers: []Peer{{Name: "trunk", Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}, MaxLegs: 100000,
	})
	tb.Cleanup(func() { c.agent.Close(); client.Close() })
	return c
}

func (c *caller) send(method, toTag, body string) {
	seq := 1
	if method == "BYE" {
		seq = 2
	}
	text := fmt.Sprintf("%s sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK%s%d\r\nMax-Forwards: 70\r\n"+
		"From: \"Joe\" <sip:joe@10.0.0.1>;tag=f%d\r\nTo: <sip:101@127.0.0.1>%s\r\nCall-ID: c%d@10.0.0.1\r\nCSeq: %d %s\r\nContact: <sip:joe@10.0.0.1:5060>\r\n",
		method, method, c.n, c.n, toTag, c.n, seq, method)
	if body != "" {
		text += "Content-Type: application/sdp\r\n"
	}
	text += fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	c.udp.WriteToUDPAddrPort([]byte(text), netip.MustParseAddrPort("127.0.0.1:5060"))
}

// await reads until the final response and returns its To tag.
func (c *caller) await() string {
	for {
		n, _, err := c.udp.ReadFromUDPAddrPort(c.buf)
		if err != nil {
			c.tb.Fatal(err)
		}
		text := string(c.buf[:n])
		if strings.HasPrefix(text, "SIP/2.0 200") {
			_, rest, _ := strings.Cut(text, "\r\nTo: ")
			_, rest, _ = strings.Cut(rest, ";tag=")
			tag, _, _ := strings.Cut(rest, "\r\n")
			return ";tag=" + tag
		}
		if !strings.HasPrefix(text, "SIP/2.0 1") {
			c.tb.Fatal(text)
		}
	}
}

var benchOffer = strings.ReplaceAll("v=0\no=- 1 1 IN IP4 10.0.0.1\ns=-\nc=IN IP4 10.0.0.1\nt=0 0\nm=audio 4000 RTP/AVP 0 8 101\na=rtpmap:101 telephone-event/8000\n", "\n", "\r\n")

func (c *caller) setUp() string {
	c.n++
	c.send("INVITE", "", benchOffer)
	tag := c.await()
	c.send("ACK", tag, "")
	return tag
}

// BenchmarkCall is one leg's whole life: INVITE, 100, 180, 200, ACK, BYE, 200,
// with its RTP sockets, and the caller's part of the work.
func BenchmarkCall(b *testing.B) {
	c := newCaller(b)
	b.ReportAllocs()
	for b.Loop() {
		tag := c.setUp()
		c.send("BYE", tag, "")
		c.await()
	}
}

// What an answered leg and a finished one cost in memory, all told but for the
// operating system's sockets.
func BenchmarkMemory(b *testing.B) {
	const legs = 1000
	measure := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc + m.StackInuse)
	}
	for b.Loop() {
		c := newCaller(b)
		tags := make([]string, legs)
		began := measure()
		for i := range tags {
			tags[i] = c.setUp()
		}
		up := measure()
		for i, tag := range tags {
			c.n = i + 1
			c.send("BYE", tag, "")
			c.await()
		}
		over := measure()
		if legs, tombs := c.agent.table.count(); legs != 0 || tombs != 1000 {
			b.Logf("%d legs, %d tombstones", legs, tombs)
		}
		b.ReportMetric((up-began)/legs, "B/leg")
		b.ReportMetric((over-began)/legs, "B/tombstone")
	}
}
