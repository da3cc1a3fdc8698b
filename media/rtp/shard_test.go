package rtp

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"crosspoint/media"
	"crosspoint/media/g711"
)

// These tests use sockets of the operating system, so they run in real time.

func realPorts(t testing.TB, address string) *Ports {
	t.Helper()
	p, err := NewPorts(PortsConfig{Address: netip.MustParseAddr(address), First: 40000, Last: 49999})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// realPhone is a telephone's socket and the session that serves it.
func realPhone(t testing.TB, p *Ports, address string) (*net.UDPConn, *Session) {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 0)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(p, Config{})
	if err != nil {
		t.Fatal(err)
	}
	s.SetRemote(addrOf(c), netip.AddrPort{})
	for s.RemoteAddr() != addrOf(c) {
		time.Sleep(time.Millisecond) // the order is on its way to the shard
	}
	return c, s
}

// A relay changes no byte of the audio, over IPv4 and IPv6.
func TestRelayIsBitExact(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		t.Run(address, func(t *testing.T) {
			p := realPorts(t, address)
			alice, first := realPhone(t, p, address)
			bob, second := realPhone(t, p, address)
			defer alice.Close()
			defer bob.Close()
			defer first.Close()
			defer second.Close()
			bridge := media.NewBridge(nil)
			bridge.Join(first)
			bridge.Join(second)
			packet := make([]byte, headerSize+g711.FrameSize)
			packet[0] = 0x80
			buf := make([]byte, 2000)
			for seq := range uint16(100) {
				binary.BigEndian.PutUint16(packet[2:], seq)
				binary.BigEndian.PutUint32(packet[4:], uint32(seq)*g711.FrameSize)
				for i := range g711.FrameSize {
					packet[headerSize+i] = byte(rand.Uint32())
				}
				if _, err := alice.WriteToUDPAddrPort(packet, first.LocalAddr()); err != nil {
					t.Fatal(err)
				}
				bob.SetReadDeadline(time.Now().Add(5 * time.Second))
				n, from, err := bob.ReadFromUDPAddrPort(buf)
				if err != nil {
					t.Fatal(err)
				}
				if string(buf[headerSize:n]) != string(packet[headerSize:]) {
					t.Fatalf("packet %d was changed", seq)
				}
				if from != second.LocalAddr() {
					t.Fatalf("it came from %s, not from %s", from, second.LocalAddr())
				}
			}
		})
	}
}

// Sessions come and go by the hundred while others write to them: there is a
// goroutine for each core, none afterwards, and no descriptor is left.
func TestShardsComeAndGo(t *testing.T) {
	if !shared {
		t.Skip("sockets are not shared on this system")
	}
	p := realPorts(t, "127.0.0.1")
	before := runtime.NumGoroutine()
	for range 3 {
		var sessions []*Session
		for range 100 {
			s := openSession(t, p, Config{})
			s.SetRemote(netip.MustParseAddrPort("127.0.0.1:9"), netip.AddrPort{})
			sessions = append(sessions, s)
		}
		if n := runtime.NumGoroutine() - before; n > 2*runtime.GOMAXPROCS(0) { // those of the round before may be on their way out
			t.Errorf("%d goroutines for 100 sessions", n)
		}
		var all sync.WaitGroup
		for i, s := range sessions {
			all.Go(func() {
				packet := media.Packet{Payload: make([]byte, g711.FrameSize), Source: 1}
				for range 50 {
					packet.Seq++
					packet.Timestamp += g711.FrameSize
					sessions[(i+1)%len(sessions)].Write(&packet) // which may be closed by now
				}
				s.Close()
			})
		}
		all.Wait()
		if n := p.InUse(); n != 0 {
			t.Errorf("%d pairs of ports are still in use", n)
		}
	}
	for i := range p.shards.all {
		s := &p.shards.all[i]
		s.mu.Lock()
		if s.loops != 0 {
			t.Errorf("shard %d has %d loops", i, s.loops)
		}
		s.mu.Unlock()
	}
}

// The watch is a timer of the shard: it goes off though no packet ever comes.
func TestShardKeepsTime(t *testing.T) {
	p := realPorts(t, "127.0.0.1")
	silent := make(chan time.Duration, 1)
	s := openSession(t, p, Config{Watch: 50 * time.Millisecond, OnSilent: func(d time.Duration) { silent <- d }})
	defer s.Close()
	s.SetRemote(netip.MustParseAddrPort("127.0.0.1:9"), netip.AddrPort{})
	select {
	case d := <-silent:
		if d < 50*time.Millisecond {
			t.Errorf("told after %s", d)
		}
	case <-time.After(5 * time.Second):
		t.Error("never told")
	}
}

// A range that is used up is told as such, and opening fails without a leak.
func TestPortsUsedUpOnRealSockets(t *testing.T) {
	p, err := NewPorts(PortsConfig{Address: netip.MustParseAddr("127.0.0.1"), First: 49000, Last: 49003})
	if err != nil {
		t.Fatal(err)
	}
	a, b := openSession(t, p, Config{}), openSession(t, p, Config{})
	if _, err := Open(p, Config{}); !errors.Is(err, ErrNoPorts) {
		t.Errorf("the third of two pairs: %v", err)
	}
	a.Close()
	c := openSession(t, p, Config{})
	c.Close()
	b.Close()
}

// Timers are served earliest first, whatever was moved.
func TestTimersAreAHeap(t *testing.T) {
	var heap timers
	loops := make([]*loop, 200)
	begin := time.Now()
	for i := range loops {
		loops[i] = new(loop)
	}
	for range 5000 {
		l := loops[rand.IntN(len(loops))]
		l.due = time.Time{}
		if rand.IntN(4) > 0 {
			l.due = begin.Add(time.Duration(rand.IntN(1000)) * time.Millisecond)
		}
		heap.set(l)
	}
	var last time.Time
	for len(heap) > 0 {
		l := heap[0]
		if l.due.Before(last) {
			t.Fatal("a later one came first")
		}
		last = l.due
		heap.remove(l)
		if l.place != 0 {
			t.Fatal("it is out, but has a place")
		}
	}
}

// ordered is a sink that counts packets, and those that overtook another.
type ordered struct {
	last      uint16
	overtaken int
	left      *sync.WaitGroup
}

func (o *ordered) Write(p *media.Packet) {
	if p.Seq != o.last+1 {
		o.overtaken++
	}
	o.last = p.Seq
	o.left.Done()
}

// More sockets than a shard serves at once, with more packets in each than it
// takes at once: none is lost, and none overtakes another.
func TestShardThatIsBehind(t *testing.T) {
	if !shared {
		t.Skip("sockets are not shared on this system")
	}
	const sessions, packets = 300, 12
	ports := realPorts(t, "127.0.0.1")
	ports.shards.all = ports.shards.all[:1]
	phone, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Close()
	var left sync.WaitGroup
	left.Add(sessions * packets)
	open := make([]*Session, sessions)
	sinks := make([]ordered, sessions)
	for i := range open {
		open[i] = openSession(t, ports, Config{})
		defer open[i].Close()
		sinks[i].left = &left
		open[i].Feed(&sinks[i])
		open[i].SetRemote(addrOf(phone), netip.AddrPort{})
		for open[i].RemoteAddr() != addrOf(phone) {
			runtime.Gosched() // the order is on its way to the shard
		}
	}
	packet := make([]byte, headerSize+g711.FrameSize)
	packet[0] = 0x80
	shard := &ports.shards.all[0]
	shard.mu.Lock() // it cannot serve anybody meanwhile
	for seq := range uint16(packets) {
		binary.BigEndian.PutUint16(packet[2:], seq+1)
		for _, s := range open {
			if _, err := phone.WriteToUDPAddrPort(packet, s.LocalAddr()); err != nil {
				t.Error(err)
			}
		}
	}
	shard.mu.Unlock()
	left.Wait()
	for i := range sinks {
		if sinks[i].overtaken != 0 {
			t.Fatalf("session %d: %d of %d packets overtook another", i, sinks[i].overtaken, packets)
		}
	}
}
