package rtp

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	pion "github.com/pion/rtp"
	"go.uber.org/goleak"

	"crosspoint/internal/memnet"
	"crosspoint/media"
	"crosspoint/media/g711"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	usIP    = "192.0.2.1"
	phoneIP = "198.51.100.7"
)

var (
	signalled = netip.MustParseAddrPort(phoneIP + ":4000")
	elsewhere = netip.MustParseAddrPort("203.0.113.9:31000")
)

// A bench is a session of ours on a network in memory.
type bench struct {
	*testing.T
	net   *memnet.Network
	ports *Ports
	*Session
	heard *ear // what the session fed
}

// onBench runs a test under fake time with a session that knows its party's
// address. Afterwards nothing may be left of it.
func onBench(t *testing.T, c Config, test func(b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, net: new(memnet.Network), heard: new(ear)}
		b.ports = testPorts(t, b.net, 20000, 20099)
		b.Session = openSession(t, b.ports, c)
		b.Session.Feed(b.heard)
		b.SetRemote(signalled, netip.AddrPort{})
		synctest.Wait()
		test(b)
		b.Session.Close()
		if n := b.ports.InUse(); n != 0 {
			t.Errorf("%d ports are still in use", n)
		}
	})
}

func testPorts(t *testing.T, net *memnet.Network, first, last uint16) *Ports {
	t.Helper()
	p, err := NewPorts(PortsConfig{
		Address: netip.MustParseAddr(usIP), First: first, Last: last,
		Listen: func(addr string) (Conn, error) {
			c, err := net.ListenUDP(addr)
			if err != nil {
				return nil, err // not a nil *memnet.UDP in a Conn
			}
			return c, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func openSession(t *testing.T, p *Ports, c Config) *Session {
	t.Helper()
	s, err := Open(p, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// An ear remembers what it is fed.
type ear struct {
	mu      sync.Mutex
	packets []media.Packet
}

func (e *ear) Write(p *media.Packet) {
	e.mu.Lock()
	defer e.mu.Unlock()
	q := *p
	q.Payload = append([]byte(nil), p.Payload...)
	e.packets = append(e.packets, q)
}

// take waits until all is quiet and returns what was heard since the last take.
func (e *ear) take() []media.Packet {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.packets
	e.packets = nil
	return p
}

// A far is a party's socket: it sends RTP as it is told and remembers what comes.
type far struct {
	t    *testing.T
	conn *memnet.UDP
	to   netip.AddrPort
	pt   uint8
	ssrc uint32
	seq  uint16
	ts   uint32

	mu  sync.Mutex
	got []pion.Packet
	raw [][]byte // what is not RTP
}

// far binds a socket of a party that sends to our session; its reader ends
// with close.
func (b *bench) far(addr netip.AddrPort) *far {
	conn, err := b.net.ListenUDP(addr.String())
	if err != nil {
		b.Fatal(err)
	}
	f := &far{t: b.T, conn: conn, to: b.LocalAddr(), ssrc: 0x1111, seq: 100, ts: 1000}
	go f.read()
	return f
}

func (f *far) read() {
	var buf [2000]byte
	for {
		n, _, err := f.conn.ReadFromUDPAddrPort(buf[:])
		if err != nil {
			return
		}
		b := append([]byte(nil), buf[:n]...)
		var p pion.Packet
		f.mu.Lock()
		if isRTCP(b) || p.Unmarshal(b) != nil {
			f.raw = append(f.raw, b)
		} else {
			f.got = append(f.got, p)
		}
		f.mu.Unlock()
	}
}

func (f *far) close() { f.conn.Close() }

// packet sends one packet with the far's numbers and moves them on.
func (f *far) packet(marker bool, payload []byte) {
	f.send(pion.Header{Version: 2, PayloadType: f.pt, Marker: marker, SSRC: f.ssrc, SequenceNumber: f.seq, Timestamp: f.ts}, payload)
	f.seq++
	f.ts += uint32(len(payload))
}

func (f *far) send(h pion.Header, payload []byte) {
	b, err := (&pion.Packet{Header: h, Payload: payload}).Marshal()
	if err != nil {
		f.t.Fatal(err)
	}
	f.bytes(b)
}

func (f *far) bytes(b []byte) {
	if _, err := f.conn.WriteToUDPAddrPort(b, f.to); err != nil {
		f.t.Fatal(err)
	}
}

// talk sends n packets of 20 ms, 20 ms apart.
func (f *far) talk(n int) {
	for range n {
		f.packet(false, make([]byte, g711.FrameSize))
		time.Sleep(media.FrameTime)
	}
}

// take returns the RTP that came since the last take.
func (f *far) take() []pion.Packet {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.got
	f.got = nil
	return p
}

// takeRaw returns what came and is not RTP.
func (f *far) takeRaw() [][]byte {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.raw
	f.raw = nil
	return p
}

// A mouth is a source that writes to the session.
type mouth struct {
	to media.Sink
	p  media.Packet
}

func (b *bench) mouth(source uint32) *mouth {
	return &mouth{b.Session, media.Packet{Source: source, Seq: uint16(source * 1000), Timestamp: source * 1_000_000}}
}

// say writes n packets of 20 ms, 20 ms apart.
func (m *mouth) say(n int) {
	for range n {
		m.one(g711.FrameSize)
		time.Sleep(media.FrameTime)
	}
}

// one writes a packet of that many samples.
func (m *mouth) one(samples int) {
	m.p.Payload = make([]byte, samples)
	m.to.Write(&m.p)
	m.p.Seq++
	m.p.Timestamp += uint32(samples)
}

// notes is what a session has told, in order.
type notes struct {
	mu   sync.Mutex
	list []string
}

func (n *notes) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, fmt.Sprintf(format, args...))
}

// String waits until all is quiet.
func (n *notes) String() string {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.list, " ")
}
