package sipleg

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/internal/memnet"
	"crosspoint/internal/siptest"
	"crosspoint/media"
	"crosspoint/media/g711"
)

// An ear is a scripted party's RTP socket.
type ear struct {
	f   *fixture
	udp *memnet.UDP
	seq uint16
	now uint32 // timestamp of audio
}

func (f *fixture) ear(port int) *ear {
	u, err := f.net.ListenUDP("127.0.0.1:" + strconv.Itoa(port))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { u.Close() })
	return &ear{f: f, udp: u}
}

// say sends a packet to where a description of ours wants it.
func (e *ear) say(description string, pt byte, payload ...byte) {
	e.seq++
	b := make([]byte, 12, 172)
	b[0], b[1] = 0x80, pt
	binary.BigEndian.PutUint16(b[2:], e.seq)
	if len(payload) == 0 {
		e.now += 160
	}
	binary.BigEndian.PutUint32(b[4:], e.now)
	binary.BigEndian.PutUint32(b[8:], 0x1234)
	b = append(b, payload...)
	if len(payload) == 0 {
		b = append(b, make([]byte, 160)...)
	}
	e.udp.WriteToUDPAddrPort(b, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), portOf(e.f.t, description)))
}

// hear waits for a packet and returns its payload type; negative: silence.
func (e *ear) hear(wait time.Duration) int {
	b := make([]byte, 1500)
	e.udp.SetReadDeadline(time.Now().Add(wait))
	n, _, err := e.udp.ReadFromUDPAddrPort(b)
	if err != nil || n < 12 {
		return -1
	}
	return int(b[1] & 0x7f)
}

func portOf(t *testing.T, description string) uint16 {
	t.Helper()
	_, rest, _ := strings.Cut(description, "m=audio ")
	port, _, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatalf("no port in %q", description)
	}
	return uint16(n)
}

// heard counts what a party says.
type heard struct {
	mu sync.Mutex
	n  int
}

func (h *heard) Write(*media.Packet) { h.mu.Lock(); h.n++; h.mu.Unlock() }

func (h *heard) count() int { synctest.Wait(); h.mu.Lock(); defer h.mu.Unlock(); return h.n }

func frame() *media.Packet {
	return &media.Packet{Law: g711.MuLaw, Payload: make([]byte, g711.FrameSize)}
}

// Audio flows both ways from the answer on, from the 183 on where there is
// one, and not towards a party that holds us.
func TestAudioFlows(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p, ear := f.trunk(), f.ear(4000)
		d := p.Dial("101")
		d.Request("INVITE", sdpAt(4000))
		e := f.incoming()
		var h heard
		e.Stream().Feed(&h)
		e.Stream().Write(frame())
		if ear.hear(100*time.Millisecond) >= 0 {
			t.Error("audio before early media")
		}
		e.Progress()
		early := p.Expect("183")
		synctest.Wait()
		e.Stream().Write(frame())
		if pt := ear.hear(100 * time.Millisecond); pt != 0 {
			t.Errorf("early media: payload type %d", pt)
		}
		ear.say(early.Body, 0)
		if h.count() != 1 {
			t.Error("the caller is not heard")
		}
		e.Answer()
		d.Ack(p.Expect("200 INVITE"))
		d.Request("INVITE", sdpAt(4000, "a=sendonly"))
		d.Ack(p.Expect("200 INVITE"))
		synctest.Wait()
		e.Stream().Write(frame())
		if ear.hear(100*time.Millisecond) >= 0 {
			t.Error("audio towards a party that holds us")
		}
		d.Request("INVITE", sdpAt(4000))
		d.Ack(p.Expect("200 INVITE"))
		synctest.Wait()
		e.Stream().Write(frame())
		if ear.hear(100*time.Millisecond) < 0 {
			t.Error("no audio after the hold")
		}
		d.Request("BYE")
		p.Expect("200 BYE")
		synctest.Wait()
		e.Stream().Write(frame())
		if ear.hear(100*time.Millisecond) >= 0 {
			t.Error("audio after the call")
		}
	})
}

// The law that is agreed: what call control prefers, else what the caller does.
func TestLaws(t *testing.T) {
	alaw := strings.Replace(sdpAt(4000), "RTP/AVP 0 8 101", "RTP/AVP 8 0 101", 1)
	for _, c := range []struct {
		name   string
		offer  string
		prefer []g711.Law
		format string
		law    g711.Law
	}{
		{"the caller's first", alaw, nil, "RTP/AVP 8 101", g711.ALaw},
		{"preferred", alaw, []g711.Law{g711.MuLaw}, "RTP/AVP 0 101", g711.MuLaw},
		{"preferred, but not offered", strings.Replace(sdpAt(4000), "RTP/AVP 0 8 101", "RTP/AVP 8", 1), []g711.Law{g711.MuLaw}, "RTP/AVP 8", g711.ALaw},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				p := f.trunk()
				d := p.Dial("101")
				d.Request("INVITE", c.offer)
				e := f.incoming()
				for _, law := range c.prefer {
					e.Prefer(law)
				}
				e.Answer()
				ok := p.Expect("200 INVITE")
				if !strings.Contains(ok.Body, c.format+"\r\n") {
					t.Errorf("want %s in\n%s", c.format, ok.Body)
				}
				d.Ack(ok)
				if e.Stream().Law() != c.law {
					t.Errorf("law %v", e.Stream().Law())
				}
				d.Request("BYE")
				p.Expect("200 BYE")
			})
		})
	}
}

// Digits as RFC 4733 events, both ways.
func TestDigits(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p, ear := f.trunk(), f.ear(4000)
		d := p.Dial("101")
		d.Request("INVITE", sdpAt(4000))
		e := f.incoming()
		e.Answer()
		ok := p.Expect("200 INVITE")
		d.Ack(ok)
		ear.say(ok.Body, 0)
		for range 3 { // the three packets of its end are one event
			ear.say(ok.Body, 101, 5, 0x80|10, 0x03, 0x20)
		}
		e.expect("Digit 5")
		e.mu.Lock()
		if d := e.events[0].(leg.Digit); !d.Relayed {
			t.Error("the other party would get the digit twice: with the audio, and once more")
		}
		e.mu.Unlock()
		e.Digit('7', 0)
		if pt := ear.hear(time.Second); pt != 101 {
			t.Errorf("payload type %d", pt)
		}
		d.Request("BYE")
		p.Expect("200 BYE")
	})
}

// A party that is not heard for 3 s is reported, with what to look at; and
// again when it is heard. A party that holds us need not speak.
func TestSilence(t *testing.T) {
	play(t, func(c *Config) { c.Silence = 0 }, func(f *fixture) {
		p, ear := f.trunk(), f.ear(4000)
		d := p.Dial("101")
		d.Request("INVITE", sdpAt(4000))
		e := f.incoming()
		time.Sleep(5 * time.Second)
		e.expect() // not while it rings
		e.Answer()
		ok := p.Expect("200 INVITE")
		d.Ack(ok)
		time.Sleep(2900 * time.Millisecond)
		e.expect()
		time.Sleep(200 * time.Millisecond)
		e.expect("Silent")
		if log := f.log.String(); !strings.Contains(log, "firewall or NAT") {
			t.Error("the log does not help")
		}
		ear.say(ok.Body, 0)
		e.expect("Heard")
		d.Request("INVITE", sdpAt(4000, "a=sendonly"))
		d.Ack(p.Expect("200 INVITE"))
		time.Sleep(time.Second)
		e.expect("Held")
		e.Hangup(leg.NormalClearing)
		d.Respond(p.Expect("BYE"), 200)
	})
}

// The audio of another fork than the one that answers is not kept.
func TestAudioOfForks(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p, one, two := f.phone("102", 5072), f.ear(4000), f.ear(4002)
		e := f.dial("sip:102@127.0.0.1:5072")
		invite := p.Expect("INVITE")
		a, b := p.Incoming(invite), p.Incoming(invite)
		a.Respond(invite, 183, siptest.SDP("127.0.0.1", 4000))
		b.Respond(invite, 200, siptest.SDP("127.0.0.1", 4002))
		p.Expect("ACK")
		e.expect("Trying", "EarlyMedia", "Answered")
		e.Stream().Write(frame())
		if one.hear(50*time.Millisecond) >= 0 || two.hear(50*time.Millisecond) < 0 {
			t.Error("audio goes to the wrong fork")
		}
		b.Request("BYE")
		p.Expect("200 BYE")
	})
}
