package rtp

import (
	"encoding/binary"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"crosspoint/media"
	"crosspoint/media/g711"
)

// nowhere is a socket that hears nothing and loses what it is given.
type nowhere struct{ closed chan struct{} }

func (n *nowhere) ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error) {
	<-n.closed
	return 0, netip.AddrPort{}, net.ErrClosed
}
func (n *nowhere) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) { return len(b), nil }
func (n *nowhere) LocalAddr() net.Addr                                        { return &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 9} }
func (n *nowhere) Close() error                                               { return nil }
func (n *nowhere) SetReadDeadline(time.Time) error                            { return nil }

// relayed are two sessions without sockets that feed each other, and a function
// that has the first receive one packet.
func relayed(from, to Format, payload []byte) func() {
	a, b := bare(from), bare(to)
	bridge := media.NewBridge(nil)
	bridge.Join(a)
	bridge.Join(b)
	packet := make([]byte, headerSize+len(payload))
	packet[0] = 0x80
	packet[1] = from.audioPT()
	copy(packet[headerSize:], payload)
	seq, ts := uint16(0), uint32(0)
	return func() {
		seq++
		ts += uint32(len(payload))
		binary.BigEndian.PutUint16(packet[2:], seq)
		binary.BigEndian.PutUint32(packet[4:], ts)
		a.receiver.datagram(packet, signalled)
	}
}

func relays() map[string]func() {
	frame := make([]byte, g711.FrameSize)
	return map[string]func(){
		"relay":     relayed(Format{}, Format{}, frame),
		"transcode": relayed(Format{}, Format{Law: g711.ALaw}, frame),
		"repack":    relayed(Format{}, Format{PTime: 30 * time.Millisecond}, frame),
	}
}

func TestNothingIsAllocatedPerPacket(t *testing.T) {
	for name, f := range relays() {
		for range 300 {
			f()
		}
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %.2f allocations a packet", name, n)
		}
	}
}

// BenchmarkPacket is what we do with a packet beside the system calls.
func BenchmarkPacket(b *testing.B) {
	for name, f := range relays() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

// BenchmarkLoopback relays packets over real sockets, from a phone's through
// two sessions to another's. One operation is one packet.
func BenchmarkLoopback(b *testing.B) {
	ports, err := NewPorts(PortsConfig{Address: netip.MustParseAddr("127.0.0.1"), First: 40000, Last: 49999})
	if err != nil {
		b.Fatal(err)
	}
	phone := func() (*net.UDPConn, *Session) {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			b.Fatal(err)
		}
		s, err := Open(ports, Config{})
		if err != nil {
			b.Fatal(err)
		}
		s.SetRemote(addrOf(c), netip.AddrPort{})
		for s.RemoteAddr() != addrOf(c) {
			runtime.Gosched()
		}
		return c, s
	}
	alice, first := phone()
	bob, second := phone()
	defer alice.Close()
	defer bob.Close()
	defer first.Close()
	defer second.Close()
	bridge := media.NewBridge(nil)
	bridge.Join(first)
	bridge.Join(second)
	packet := make([]byte, headerSize+g711.FrameSize)
	packet[0] = 0x80
	var buf [256]byte
	seq := uint16(0)
	b.ReportAllocs()
	for b.Loop() {
		seq++
		binary.BigEndian.PutUint16(packet[2:], seq)
		binary.BigEndian.PutUint32(packet[4:], uint32(seq)*160)
		if _, err := alice.WriteToUDPAddrPort(packet, first.LocalAddr()); err != nil {
			b.Fatal(err)
		}
		if _, _, err := bob.ReadFromUDPAddrPort(buf[:]); err != nil {
			b.Fatal(err)
		}
	}
}

// TestMemoryOfASession measures what a session of the operating system's
// sockets takes: half of what the media of a call does.
func TestMemoryOfASession(t *testing.T) {
	const sessions, most = 100, 25 << 10 // bytes
	ports, err := NewPorts(PortsConfig{Address: netip.MustParseAddr("127.0.0.1"), First: 40000, Last: 49999})
	if err != nil {
		t.Fatal(err)
	}
	used := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	far := netip.MustParseAddrPort("127.0.0.1:9")
	before := used()
	var open []*Session
	for range sessions {
		s := openSession(t, ports, Config{})
		s.SetRemote(far, netip.AddrPort{})
		open = append(open, s)
	}
	time.Sleep(10 * time.Millisecond) // real sockets: their goroutines begin to wait
	each := (int64(used()) - int64(before)) / sessions
	for _, s := range open {
		s.Close()
	}
	t.Logf("%d bytes a session", each)
	if each > most {
		t.Errorf("%d bytes a session, more than %d", each, most)
	}
}
