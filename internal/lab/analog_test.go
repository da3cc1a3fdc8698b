package lab

import (
	"encoding/binary"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua"
	"crosspoint/dialplan"
	"crosspoint/gateway/linesim"
	"crosspoint/internal/memnet"
	"crosspoint/internal/siptest"
	"crosspoint/media/g711"
	"crosspoint/media/measure"
)

// An analogOffice is the office with telephones on FXS lines and two lines to
// the town. Who takes part in a test's calls has a name: "kitchen", "hall",
// "attic" and "lobby" are the telephones, "fxo1" and "fxo2" whoever is at the
// town's end of these lines, "102" the SIP phone that the test has put down
// with is.
type analogOffice struct {
	*office
	users *userSettings
	sip   map[string]*call
}

// analogText are the analog telephones, the lines, and extensions that send
// their calls about. INCOMING stands for where calls from the town go.
const analogText = `
[[phone]]
extension = "131"
name = "Kitchen"
allow = ["internal", "local"]
[[phone]]
extension = "132"
name = "Hall"
[[phone]]
extension = "133"
name = "Attic"
refuse = ["132", "7770666"]
never_dial = ["131"]
[[phone]]
extension = "134"
name = "Lobby"
hotline = "131"
[[phone]]
extension = "141"
allow = ["internal", "local"]
forward = { always = "7773660" }
[[phone]]
extension = "142"
sets = ["132"]
allow = ["internal", "local"]
forward = { busy = "7773660" }
[[phone]]
extension = "143"
sets = ["132"]
allow = ["internal", "local"]
forward = { no_answer = "7773660", after = "10s" }
[[phone]]
extension = "144"
ring = "8s"
allow = ["internal", "local"]
find_me = ["104", "102", "7770101", "7770104", "7770102", "132", "7773660"]
[[phone]]
extension = "145"
sets = ["132", "133", "103"]
[[phone]]
extension = "146"
sets = ["132", "133"]
ring_sets = "in-turn"
ring = "8s"
[[card]]
name = "card1"
port = "sim"
[[line]]
name = "fxo1"
card = "card1"
port = 1
kind = "fxo"
incoming = "INCOMING"
[[line]]
name = "fxo2"
card = "card1"
port = 2
kind = "fxo"
incoming = "132"
[[line]]
name = "kitchen"
card = "card1"
port = 3
kind = "fxs"
extension = "131"
[[line]]
name = "hall"
card = "card1"
port = 4
kind = "fxs"
extension = "132"
[[line]]
name = "attic"
card = "card1"
port = 5
kind = "fxs"
extension = "133"
[[line]]
name = "lobby"
card = "card1"
port = 6
kind = "fxs"
extension = "134"
[[trunk]]
name = "pstn"
lines = ["fxo1", "fxo2"]
hunt = "descending"
[[rule]]
dial = "777xxxx"
to = "pstn"
class = "local"
[emergency]
to = "pstn"
place = "here"
`

// analogFeatures are codes beside those of the office.
const analogFeatures = `[features]
forward_always = "*72"
forward_off = "*73"
forward_busy = "*90"
forward_no_answer = "*92"
do_not_disturb = "*78"
do_not_disturb_off = "*79"
withhold = "*67"
call_waiting = "*43#"
call_waiting_off = "#43#"
no_call_waiting = "*68"
line_flash = "*0"
`

// An analogCase is what differs from test to test.
type analogCase struct {
	incoming string // where calls on fxo1 go; empty: 131
	calls    b2bua.Config
	more     string               // TOML
	lines    []linesim.LineConfig // of the town; nil: two that reverse polarity on answer
	keys     map[string]string    // TOML, put into the table of that name
}

// townspeople are who can be called; none speaks unless a test lets it.
var townspeople = []linesim.Subscriber{
	{Number: "7773660", Name: "Zoe"},
	{Number: "7773661", Name: "Yan"},
	{Number: "7770101", Busy: true},
	{Number: "7770102", NoAnswer: true},
	{Number: "7770104", Congested: true},
	{Number: "911"},
}

// analog runs a script in the office. At its end the telephones are put down.
func analog(t *testing.T, c analogCase, script func(o *analogOffice)) {
	t.Helper()
	if c.incoming == "" {
		c.incoming = "131"
	}
	text := strings.Replace(officeText, "[features]\n", analogFeatures, 1) + strings.Replace(analogText, "INCOMING", c.incoming, 1) + c.more
	users := &userSettings{set: map[string]dialplan.Settings{}}
	c.calls.Users = users
	if c.lines == nil {
		c.lines = []linesim.LineConfig{{Reversal: true}, {Reversal: true}}
	}
	for name, keys := range c.keys {
		at := `name = "` + name + "\"\n"
		text = strings.Replace(text, at, at+keys+"\n", 1)
	}
	town := linesim.Config{Subscribers: townspeople, Lines: c.lines}
	Play(t, Config{Text: text, Calls: c.calls, Town: town}, func(l *Lab) {
		o := &analogOffice{office: &office{Lab: l, phones: map[string]*siptest.Peer{}}, users: users, sip: map[string]*call{}}
		for _, p := range o.Town.Phones() {
			p.Set(linesim.PhoneConfig{}) // nobody lifts it but the test
		}
		script(o)
		for _, p := range o.Town.Phones() {
			p.OnHook()
		}
	})
}

// userSettings keeps what is set from the phones.
type userSettings struct {
	mu  sync.Mutex
	set map[string]dialplan.Settings
}

func (u *userSettings) Settings(extension string) dialplan.Settings {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.set[extension]
}

func (u *userSettings) Change(extension string, to func(*dialplan.Settings)) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.set[extension]
	to(&s)
	u.set[extension] = s
	return nil
}

// telephones are the ports of the card by the names of the lines.
var telephones = map[string]string{"kitchen": "fxs1", "hall": "fxs2", "attic": "fxs3", "lobby": "fxs4"}

func (o *analogOffice) set(name string) *linesim.Phone { return o.Town.Phone(telephones[name]) }

func (o *analogOffice) line(name string) *linesim.Line { return o.Town.Town().Line(name) }

// is names a SIP phone's part in a call, for talk.
func (o *analogOffice) is(c *call) *call { o.sip[c.Peer.User] = c; return c }

// lifts lifts a telephone, and dials on it once there is dial tone.
func (o *analogOffice) lifts(name, digits string) {
	o.t.Helper()
	o.set(name).OffHook()
	if digits != "" {
		o.eventually(name+" hears dial tone", func() bool { return o.set(name).Status().Hears == "dial tone" })
		o.dialsOn(name, digits)
	}
}

// dialsOn presses keys on a telephone that is lifted.
func (o *analogOffice) dialsOn(name, digits string) {
	o.t.Helper()
	o.must(o.set(name).Dial(digits))
	time.Sleep(time.Duration(len(digits)) * 250 * time.Millisecond)
}

// flashes is a hook-flash, and the dial tone that answers it.
func (o *analogOffice) flashes(name string) {
	o.t.Helper()
	o.set(name).Flash(0)
	time.Sleep(1500 * time.Millisecond)
}

// eventually waits for something for a while.
func (o *analogOffice) eventually(what string, true func() bool) {
	o.t.Helper()
	o.eventuallyIn(40*time.Second, what, true)
}

func (o *analogOffice) eventuallyIn(d time.Duration, what string, true func() bool) {
	o.t.Helper()
	for until := time.Now().Add(d); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		if synctest.Wait(); true() {
			return
		}
	}
	o.t.Fatalf("after %s still not: %s; the log:\n%s", d, what, o.Log())
}

// ringing waits until a telephone rings.
func (o *analogOffice) ringing(name string) {
	o.t.Helper()
	o.eventually(name+" rings", func() bool { return o.set(name).Status().Rings > 0 && o.set(name).Status().Ringing })
	time.Sleep(3200 * time.Millisecond) // caller ID comes between the first two rings
}

// answers lifts a telephone that rings.
func (o *analogOffice) answers(name string) {
	o.t.Helper()
	o.ringing(name)
	o.set(name).OffHook()
	time.Sleep(500 * time.Millisecond)
}

// hearsTone waits until a telephone hears a tone.
func (o *analogOffice) hearsTone(name, tone string) {
	o.t.Helper()
	o.eventually(name+" hears "+tone, func() bool { return o.set(name).Status().Hears == tone })
}

// down puts a telephone down, and lets the exchange notice.
func (o *analogOffice) down(name string) {
	o.set(name).OnHook()
	time.Sleep(2 * time.Second)
}

// townCalls has somebody in the town call a line.
func (o *analogOffice) townCalls(line, number string) {
	o.t.Helper()
	o.must(o.Town.Town().Ring(line, linesim.Subscriber{Number: number, Name: "Will"}))
}

// townTalks waits until whoever is at the town's end of a line has been answered
// or has answered.
func (o *analogOffice) townTalks(line string) {
	o.t.Helper()
	o.eventually(line+" talks", func() bool { return o.line(line).Status().State == "talking" })
	time.Sleep(500 * time.Millisecond)
}

// free waits until a line is on-hook and idle.
func (o *analogOffice) free(line string) {
	o.t.Helper()
	o.eventually(line+" is free", func() bool { s := o.line(line).Status(); return s.State == "idle" && !s.OffHook })
}

// takesCall answers an INVITE at a SIP phone, which may take a while to come.
func (o *analogOffice) takesCall(extension string) *call {
	o.t.Helper()
	c := o.alerted(extension)
	o.answer(c)
	return o.is(c)
}

// alerted takes an INVITE at a SIP phone, and rings.
func (o *analogOffice) alerted(extension string) *call {
	o.t.Helper()
	p := o.phone(extension)
	p.Wait = 40 * time.Second
	defer func() { p.Wait = 2 * time.Second }()
	return o.rings(extension)
}

// callsUp is a SIP phone's call that is answered; what comes before the 200 is
// passed over.
func (o *analogOffice) callsUp(c *call) *call {
	o.t.Helper()
	c.Peer.Wait = 40 * time.Second
	defer func() { c.Peer.Wait = 2 * time.Second }()
	for {
		m := c.Peer.Any()
		if m == nil || m.Status >= 300 {
			o.t.Fatalf("%s is not answered: %v", c.Peer.User, m)
		}
		if m.Is("200 INVITE") {
			c.to = described(m.Body)
			c.Ack(m)
			return o.is(c)
		}
	}
}

// hangsUpAt ends a call from a SIP phone.
func (o *analogOffice) hangsUpAt(c *call) {
	o.t.Helper()
	c.Request("BYE")
	c.Peer.Expect("200 BYE")
	time.Sleep(2 * time.Second)
}

// holdsBy holds the other party as a phone does that says so in this way; empty
// takes it back.
func (o *analogOffice) holdsBy(c *call, how string) {
	o.t.Helper()
	offer := sdp(c.Peer)
	switch {
	case strings.HasPrefix(how, "c="):
		offer = strings.Replace(offer, "c=IN IP4 127.0.0.1", how, 1)
	case how != "":
		offer = sdp(c.Peer, how)
	}
	c.Request("INVITE", offer)
	c.Ack(c.Peer.Expect("200 INVITE"))
}

// A voice says something, and hears what has come since it was
// made.
type voice interface {
	say(signal []int16)
	heard() []int16
}

// talk has each of the named speak in turn, and measures who hears it: those of
// a group hear one another, those of different groups do not. Groups are parted
// by a bar: "kitchen 102 | fxo1".
func (o *analogOffice) talk(groups string) {
	o.t.Helper()
	const loud, quiet = -25, -40 // dBm0; the signal is at about -15
	group, order := map[string]int{}, []string(nil)
	for i, names := range strings.Split(groups, "|") {
		for _, name := range strings.Fields(names) {
			group[name] = i
			order = append(order, name)
		}
	}
	synctest.Wait()
	for _, speaker := range order {
		voices := map[string]voice{}
		for _, name := range order {
			voices[name] = o.voice(name)
		}
		voices[speaker].say(linesim.Signal(time.Second))
		time.Sleep(300 * time.Millisecond)
		for _, name := range order {
			level := measure.Level(voices[name].heard())
			switch {
			case name == speaker && level > quiet:
				o.t.Errorf("%s hears itself at %.0f dBm0 (%s)", name, level, groups)
			case name != speaker && group[name] == group[speaker] && level < loud:
				o.t.Errorf("%s hears %s at %.0f dBm0 only (%s)", name, speaker, level, groups)
			case group[name] != group[speaker] && level > quiet:
				o.t.Errorf("%s hears %s at %.0f dBm0 (%s)", name, speaker, level, groups)
			}
		}
	}
}

// hearing is the level of what somebody hears in a second.
func (o *analogOffice) hearing(name string) float64 {
	synctest.Wait()
	v := o.voice(name)
	time.Sleep(time.Second)
	synctest.Wait()
	return measure.Level(v.heard())
}

// quiet fails if somebody hears something.
func (o *analogOffice) quiet(name string) {
	o.t.Helper()
	if level := o.hearing(name); level > -50 {
		o.t.Errorf("%s hears something at %.0f dBm0", name, level)
	}
}

// hums fails unless somebody hears what held parties hear in these tests.
func (o *analogOffice) hums(name string) {
	o.t.Helper()
	if level := o.hearing(name); level < -20 {
		o.t.Errorf("%s hears no music: %.0f dBm0", name, level)
	}
}

func (o *analogOffice) voice(name string) voice {
	o.t.Helper()
	if telephones[name] != "" {
		p := o.set(name)
		return &pairVoice{from: len(p.Heard()), all: p.Heard, play: func(s []int16) { p.Play(s, false) }}
	}
	if l := o.line(name); l != nil {
		return &pairVoice{from: len(l.Heard()), all: l.Heard, play: func(s []int16) {
			if !l.Say(s, false) {
				o.t.Errorf("nobody is at the town's end of %s", name)
			}
		}}
	}
	c := o.sip[name]
	if c == nil {
		o.t.Fatalf("%s has no call", name)
	}
	u, err := o.Net.ListenUDP(rtpOf(c.Peer).String())
	o.must(err)
	return &packetVoice{o: o, c: c, udp: u}
}

// A pairVoice is at the end of a pair of wires.
type pairVoice struct {
	from int
	all  func() []int16
	play func([]int16)
}

func (v *pairVoice) say(s []int16) {
	v.play(s)
	time.Sleep(time.Duration(len(s))*time.Second/8000 + 50*time.Millisecond)
	v.play(nil) // or it would be said again when the receiver is lifted
}

func (v *pairVoice) heard() []int16 { return v.all()[v.from:] }

// A packetVoice is a SIP phone's.
type packetVoice struct {
	o   *analogOffice
	c   *call
	udp *memnet.UDP
}

func (v *packetVoice) say(s []int16) {
	packet := make([]byte, 12+g711.FrameSize)
	packet[0] = 0x80
	at := rtpOf(v.c.Peer)
	binary.BigEndian.PutUint32(packet[8:], uint32(at.Port()))
	seq := uint16(time.Now().UnixMilli() / 20)
	for ; len(s) >= g711.FrameSize; s = s[g711.FrameSize:] {
		binary.BigEndian.PutUint16(packet[2:], seq)
		binary.BigEndian.PutUint32(packet[4:], uint32(seq)*g711.FrameSize)
		g711.MuLaw.Encode(packet[12:], s[:g711.FrameSize])
		_, err := v.udp.WriteToUDPAddrPort(packet, v.c.to)
		v.o.must(err)
		seq++
		time.Sleep(20 * time.Millisecond)
	}
}

func (v *packetVoice) heard() (pcm []int16) {
	defer v.udp.Close()
	synctest.Wait()
	v.o.must(v.udp.SetReadDeadline(time.Now().Add(time.Millisecond)))
	packet := make([]byte, 1500)
	frame := make([]int16, g711.FrameSize)
	for {
		n, _, err := v.udp.ReadFromUDPAddrPort(packet)
		if err != nil {
			return pcm
		}
		if n == 12+g711.FrameSize && packet[1]&0x7f == 0 {
			g711.MuLaw.Decode(frame, packet[12:n])
			pcm = append(pcm, frame...)
		}
	}
}

// steps compares the ladder of the call that ended last, in which lines and
// telephones are drawn too, with what is expected; see
// Lab.Ladder. Each two of names are a word of it and what that stands for.
func (o *analogOffice) steps(want string, names ...string) {
	o.t.Helper()
	want = strings.NewReplacer(names...).Replace(want)
	ladder := o.Last().Ladder
	wrong, got, expected := false, map[string][]string{}, map[string][]string{}
	for _, r := range ladder.Rungs() {
		lines := got[r.From] // keys that are pressed one after the other are one arrow
		if n := len(lines); n > 0 && strings.HasPrefix(lines[n-1], "-> DTMF ") && strings.HasPrefix(r.Text, "DTMF ") {
			lines[n-1] += strings.TrimPrefix(r.Text, "DTMF ")
			continue
		}
		arrow(got, r.From, r.To, r.Text)
	}
	for line := range strings.Lines(want) {
		if f := strings.Fields(line); len(f) > 3 {
			arrow(expected, f[0], f[2], strings.Join(f[3:], " "))
		}
	}
	for party := range expected {
		got[party] = append([]string(nil), got[party]...)
	}
	for party, lines := range got {
		w := expected[party]
		for i := range max(len(lines), len(w)) {
			if at(lines, i) != at(w, i) {
				o.t.Errorf("%s, arrow %d: %q, want %q", party, i+1, at(lines, i), at(w, i))
				wrong = true
				break
			}
		}
	}
	if wrong {
		o.t.Logf("all of it:\n%s", ladder)
	}
}

// logged fails unless one line of the log has all these words.
func (o *analogOffice) logged(words ...string) {
	o.t.Helper()
	synctest.Wait()
lines:
	for line := range strings.Lines(o.Log()) {
		for _, w := range words {
			if !strings.Contains(line, w) {
				continue lines
			}
		}
		return
	}
	o.t.Errorf("no line of the log has all of %q", words)
}
