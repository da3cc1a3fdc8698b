package lab

import (
	"encoding/binary"
	"net/netip"
	"regexp"
	"testing/synctest"
	"time"

	"crosspoint/internal/siptest"
)

// A place is where a phone of a replay listens, and where it was told to speak to.
type place struct {
	own, exchange netip.AddrPort
}

var (
	connectionLine = regexp.MustCompile(`(?m)^c=IN IP4 ([0-9.]+)`)
	mediaLine      = regexp.MustCompile(`(?m)^m=audio (\d+)`)
)

// described is the address that a session description names; not valid where
// there is none, or a hold.
func described(text string) netip.AddrPort {
	c, m := connectionLine.FindStringSubmatch(text), mediaLine.FindStringSubmatch(text)
	if c == nil || m == nil || c[1] == "0.0.0.0" {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(netip.MustParseAddr(c[1]), uint16(number(m[1])))
}

func (r *replay) mediaOf(party string) *place {
	if r.media[party] == nil {
		r.media[party] = new(place)
	}
	return r.media[party]
}

// spoke notes where a phone says that it listens.
func (r *replay) spoke(party, text string) {
	if at := described(text); at.IsValid() {
		r.mediaOf(party).own = at
	}
}

// heard notes where the exchange says that it listens.
func (r *replay) heard(party string, m *siptest.Message) {
	if at := described(m.Body); at.IsValid() {
		r.mediaOf(party).exchange = at
	}
}

// speak sends ten packets of audio from one party, and tells how many have
// arrived at another.
func (r *replay) speak(from, to string) int {
	r.l.t.Helper()
	synctest.Wait()
	f, t := r.mediaOf(from), r.mediaOf(to)
	before := r.l.Wire.Heard(t.own)
	r.l.speak(f.own, f.exchange, 10)
	return r.l.Wire.Heard(t.own) - before
}

// speak sends packets of audio, 20 ms each.
func (l *Lab) speak(from, to netip.AddrPort, n int) {
	l.t.Helper()
	u, err := l.Net.ListenUDP(from.String())
	l.must(err)
	defer u.Close()
	packet := make([]byte, 12+160)
	packet[0] = 0x80
	binary.BigEndian.PutUint32(packet[8:], uint32(from.Port()))
	first := uint16(time.Now().UnixMilli() / 20)
	for i := range n {
		binary.BigEndian.PutUint16(packet[2:], first+uint16(i))
		binary.BigEndian.PutUint32(packet[4:], uint32(first+uint16(i))*160)
		_, err := u.WriteToUDPAddrPort(packet, to)
		l.must(err)
		time.Sleep(20 * time.Millisecond)
	}
	synctest.Wait()
}

// both is "Both way RTP Established".
func both(a, b string) func(*replay) {
	return func(r *replay) {
		r.l.t.Helper()
		for _, way := range [][2]string{{a, b}, {b, a}} {
			if n := r.speak(way[0], way[1]); n < 8 || n > 12 {
				r.l.t.Errorf("section %s: of 10 packets from %s %d have come to %s", r.section, way[0], n, way[1])
			}
		}
	}
}

// none is "No RTP Sent!": neither hears anything, whatever the other one says.
func none(a, b string) func(*replay) {
	return func(r *replay) {
		r.l.t.Helper()
		synctest.Wait()
		before := [2]int{r.l.Wire.Heard(r.mediaOf(a).own), r.l.Wire.Heard(r.mediaOf(b).own)}
		r.speak(a, b)
		r.speak(b, a)
		time.Sleep(time.Second)
		for i, party := range [2]string{a, b} {
			if n := r.l.Wire.Heard(r.mediaOf(party).own) - before[i]; n != 0 {
				r.l.t.Errorf("section %s: %s was sent %d packets while the call was held", r.section, party, n)
			}
		}
	}
}

// hears: a party is spoken to.
func hears(party string) func(*replay) {
	return func(r *replay) {
		r.l.t.Helper()
		before := r.l.Wire.Heard(r.mediaOf(party).own)
		time.Sleep(time.Second)
		synctest.Wait()
		if n := r.l.Wire.Heard(r.mediaOf(party).own) - before; n < 45 || n > 55 {
			r.l.t.Errorf("section %s: %s was sent %d packets in a second", r.section, party, n)
		}
	}
}
