package softphone

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtp"

	"crosspoint/media/g711"
)

// longest is how much of what it hears a telephone keeps, in samples: ten minutes.
const longest = 10 * 60 * g711.SampleRate

// audio is the telephone's RTP: one socket, a goroutine that sends a packet
// each 20 ms and one that receives. close ends both.
type audio struct {
	socket *net.UDPConn
	done   chan struct{}
	once   sync.Once
	wg     sync.WaitGroup

	mu      sync.Mutex
	remote  netip.AddrPort // zero: nothing is sent
	law     g711.Law
	mute    bool
	say     []int16 // what is still to be said; silence follows
	heard   []int16
	source  uint32 // SSRC of what is heard
	base    int    // where its first packet stands in heard
	first   uint32 // its first timestamp
	packets int
}

func openAudio(local netip.Addr) (*audio, error) {
	socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0)))
	if err != nil {
		return nil, err
	}
	a := &audio{socket: socket, done: make(chan struct{})}
	a.wg.Go(a.receive)
	a.wg.Go(a.send)
	return a, nil
}

func (a *audio) local() netip.AddrPort { return a.socket.LocalAddr().(*net.UDPAddr).AddrPort() }

// connect names where packets go and in which law.
func (a *audio) connect(s session, law g711.Law) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.remote, a.law = s.remote, law
}

func (a *audio) close() {
	a.once.Do(func() { close(a.done); a.socket.Close() })
	a.wg.Wait()
}

// send says what there is to say, at the rate of 50 packets a second by the
// clock: a late tick is made up for.
func (a *audio) send() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	packet := rtp.Packet{Header: rtp.Header{Version: 2, SSRC: rand.Uint32(), SequenceNumber: uint16(rand.Uint32()),
		Timestamp: rand.Uint32(), Marker: true}, Payload: make([]byte, g711.FrameSize)}
	buf := make([]byte, 256)
	var began time.Time
	for sent := 0; ; {
		select {
		case <-a.done:
			return
		case <-tick.C:
		}
		if began.IsZero() {
			began = time.Now()
		}
		for due := int(time.Since(began) / (20 * time.Millisecond)); sent <= due; sent++ {
			to := a.frame(&packet)
			if !to.IsValid() {
				continue
			}
			n, err := packet.MarshalTo(buf)
			if err == nil {
				_, _ = a.socket.WriteToUDPAddrPort(buf[:n], to)
			}
			packet.SequenceNumber++
			packet.Timestamp += g711.FrameSize
			packet.Marker = false
		}
	}
}

// frame fills the packet with the next 20 ms and tells where it goes.
func (a *audio) frame(packet *rtp.Packet) netip.AddrPort {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.remote.IsValid() || a.mute {
		return netip.AddrPort{}
	}
	packet.PayloadType = payloadType(a.law)
	n := a.law.Encode(packet.Payload, a.say)
	a.say = a.say[n:]
	for i := n; i < len(packet.Payload); i++ {
		packet.Payload[i] = a.law.Silence()
	}
	return a.remote
}

func (a *audio) receive() {
	buf := make([]byte, 2048)
	var packet rtp.Packet
	for {
		n, _, err := a.socket.ReadFromUDPAddrPort(buf)
		if err != nil {
			select {
			case <-a.done:
				return
			default: // an ICMP refusal of an earlier packet
				continue
			}
		}
		if packet.Unmarshal(buf[:n]) == nil {
			a.take(&packet)
		}
	}
}

// take writes the packet's samples where its timestamp says: what was lost
// stays silent.
func (a *audio) take(packet *rtp.Packet) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var law g711.Law
	switch packet.PayloadType {
	case 0:
	case 8:
		law = g711.ALaw
	default: // a telephone-event is no sound
		return
	}
	if a.packets == 0 || packet.SSRC != a.source {
		a.source, a.base, a.first = packet.SSRC, len(a.heard), packet.Timestamp
	}
	a.packets++
	at := a.base + int(int32(packet.Timestamp-a.first))
	end := at + len(packet.Payload)
	if at < 0 || end > longest {
		return
	}
	if end > len(a.heard) {
		a.heard = append(a.heard, make([]int16, end-len(a.heard))...)
	}
	law.Decode(a.heard[at:end], packet.Payload)
}

// Say queues samples that the other end shall hear, after those queued before.
// Silence is sent when there are none.
func (c *Call) Say(pcm []int16) {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	c.audio.say = append(c.audio.say, pcm...)
}

// Heard is what the telephone has heard so far, from its first packet on, at
// most ten minutes.
func (c *Call) Heard() []int16 {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return slices.Clone(c.audio.heard)
}

// Packets counts the audio packets received.
func (c *Call) Packets() int {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return c.audio.packets
}

// Law is what the call is coded in, once its audio is agreed on.
func (c *Call) Law() g711.Law {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return c.audio.law
}

// Mute stops sending packets, as a telephone with a broken network does; false
// goes on.
func (c *Call) Mute(on bool) {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	c.audio.mute = on
}
