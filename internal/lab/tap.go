package lab

import (
	"net/netip"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/internal/memnet"
	"crosspoint/internal/siptest"
)

// A Tap writes down what passes between the exchange and the named parties:
// SIP as a ladder, and from whom to whom audio flows.
type Tap struct {
	mu     sync.Mutex
	names  map[netip.AddrPort]string // of SIP
	ladder *leg.Ladder
	seen   map[string]bool // datagrams drawn already
	audio  map[netip.AddrPort]int
	loud   map[netip.AddrPort]int
	marked map[netip.AddrPort]map[byte]int // packets of one code throughout
	lose   func(from, to string, m *siptest.Message) bool
	delay  func(from, to string, m *siptest.Message) time.Duration
}

func newTap() *Tap {
	return &Tap{
		names: make(map[netip.AddrPort]string), ladder: new(leg.Ladder), seen: make(map[string]bool),
		audio: make(map[netip.AddrPort]int), loud: make(map[netip.AddrPort]int),
		marked: make(map[netip.AddrPort]map[byte]int),
	}
}

// name names the party at an address.
func (w *Tap) name(at netip.AddrPort, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.names[at] = name
}

// Lose loses the messages that the function tells; nil: none.
func (w *Tap) Lose(which func(from, to string, m *siptest.Message) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = which
}

// Delay holds messages up for as long as the function says; nil: none.
func (w *Tap) Delay(which func(from, to string, m *siptest.Message) time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delay = which
}

var exchangeAddr = netip.MustParseAddrPort(siptest.Exchange)

// fate sees each datagram of the network.
func (w *Tap) fate(from, to netip.AddrPort, data []byte) (f memnet.Fate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	sender, receiver := w.partyAt(from), w.partyAt(to)
	if sender == "" || receiver == "" {
		w.audio[to]++
		w.mark(to, data)
		if speech(data) {
			w.loud[to]++
		}
		return f
	}
	m, err := siptest.Parse(tidy(string(data)))
	if err != nil {
		m = &siptest.Message{Text: string(data), Start: strings.SplitN(string(data), "\r\n", 2)[0]}
	}
	if w.lose != nil && w.lose(sender, receiver, m) {
		f.Lose = true
		return f
	}
	if w.delay != nil {
		f.Delay = w.delay(sender, receiver, m)
	}
	if key := from.String() + to.String() + string(data); !w.seen[key] {
		w.seen[key] = true
		w.ladder.Add(sender, receiver, draw(m))
	}
	return f
}

func (w *Tap) partyAt(a netip.AddrPort) string {
	if a == exchangeAddr {
		return leg.Us
	}
	return w.names[a]
}

// draw is a message as the figures name it: "INVITE (c=0)", "BYE (Also UserC)".
func draw(m *siptest.Message) string {
	if m.Status > 0 {
		return strings.TrimSuffix(strings.Split(m.Start, " ")[1], " ")
	}
	text := m.Method
	switch {
	case m.Method == "":
		text = m.Start
	case m.Get("Also") != "":
		text += " (Also " + userOf(m.Address("Also")) + ")"
	case m.Method == "REFER":
		text += " " + userOf(m.Address("Refer-To"))
	case m.Method == "NOTIFY":
		if f := strings.Fields(m.Body); len(f) > 1 {
			text += " " + f[1]
		}
	case m.Method == "INVITE" && m.Get("Requested-By") != "":
		text += " (ReqBy " + userOf(m.Address("Requested-By")) + ")"
	case m.Method == "INVITE" && m.Get("Replaces") != "":
		text += " (Replaces)"
	case m.Method == "INVITE":
		text += held(m.Body)
	}
	return text
}

// held tells an offer that holds in the way that it is written.
func held(body string) string {
	for _, sign := range []string{"c=IN IP4 0.0.0.0", "a=sendonly", "a=inactive", "a=recvonly"} {
		switch {
		case !strings.Contains(body, sign+"\r\n"):
		case strings.HasPrefix(sign, "c="):
			return " (c=0)"
		default:
			return " (" + sign[2:] + ")"
		}
	}
	return ""
}

// tidy takes the blanks out of addresses that some phones put there, and
// unfolds headers.
func tidy(text string) string {
	if !strings.Contains(text, "sip: ") && !strings.Contains(text, "@ ") && !strings.Contains(text, "< sip") &&
		!strings.Contains(text, "; branch") && !strings.Contains(text, "\n    ") {
		return text
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n    ", " "), "\n    ", " ")
	return blanks.Replace(text)
}

var blanks = strings.NewReplacer("sip: ", "sip:", "@ ", "@", "< sip", "<sip", "; branch", ";branch")

// userOf is the user part of an address.
func userOf(uri string) string {
	user, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(uri), "sip:"), "@")
	return strings.TrimSpace(user)
}

// Mark begins a new ladder: what has passed so far was preparation.
func (w *Tap) Mark() {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ladder = new(leg.Ladder)
}

// passed is the ladder so far.
func (w *Tap) passed() *leg.Ladder {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ladder
}

// Figure draws the ladder as the service examples do.
func (w *Tap) Figure() string { return w.passed().Figure(true) }

// Rungs are the arrows so far.
func (w *Tap) Rungs() []leg.Rung { return w.passed().Rungs() }

// Heard is how many datagrams of audio have gone to an address.
func (w *Tap) Heard(at netip.AddrPort) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.audio[at]
}

// Loud is how many of them are RTP packets in which somebody speaks.
func (w *Tap) Loud(at netip.AddrPort) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.loud[at]
}

// mark counts a packet that is filled with the mark of whoever speaks.
func (w *Tap) mark(to netip.AddrPort, packet []byte) {
	if len(packet) != 12+160 || packet[1]&0x7f != 0 {
		return
	}
	if code, ok := marked(packet[12:]); ok {
		if w.marked[to] == nil {
			w.marked[to] = make(map[byte]int)
		}
		w.marked[to][code]++
	}
}

// marks are the codes with which people mark what they say: loud, and like no tone
// when it is held for 20 ms.
const firstMark, lastMark = 0x20, 0x2f

// marked is the mark that fills a frame of audio; false: none does.
func marked(frame []byte) (code byte, ok bool) {
	code = frame[0]
	ok = firstMark <= code && code <= lastMark
	for _, i := range [...]int{1, 37, 80, 159} {
		ok = ok && frame[i] == code
	}
	return code, ok
}

// Marked is how many packets have gone to an address that a mark fills.
func (w *Tap) Marked(at netip.AddrPort, code byte) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.marked[at][code]
}

// speech tells an RTP packet of µ-law audio that is loud, above -30 dBm0 or so in a
// quarter of its samples.
func speech(packet []byte) bool {
	if len(packet) < 12+80 || packet[0]>>6 != 2 || packet[1]&0x7f != 0 {
		return false
	}
	loud := 0
	for _, code := range packet[12:] {
		if code&0x7f < 0x50 {
			loud++
		}
	}
	return loud > len(packet[12:])/4
}
