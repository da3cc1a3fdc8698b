package dialplan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"crosspoint/internal/tomlfile"
)

// declare takes down lines, peers and trunks by name.
func (c *compiler) declare() {
	p := c.plan
	for i := range p.config.Lines {
		if l := &p.config.Lines[i]; c.unique(l.Pos, "name", "line", l.Name, p.lines[l.Name] != nil) {
			p.lines[l.Name] = l
		}
	}
	for i := range p.config.Peers {
		peer := &p.config.Peers[i]
		if !c.unique(peer.Pos, "name", "peer", peer.Name, p.peers[peer.Name] != nil) {
			continue
		}
		if p.lines[peer.Name] != nil {
			c.wrong(peer.Pos, "name", "peer %q has the name of a line: give one of them another", peer.Name)
		}
		p.peers[peer.Name] = peer
	}
	for i := range p.config.Trunks {
		if t := &p.config.Trunks[i]; c.unique(t.Pos, "name", "trunk", t.Name, p.trunks[t.Name] != nil) {
			p.trunks[t.Name] = t
		}
	}
}

// hardware checks lines, peers and trunks.
func (c *compiler) hardware() {
	ports := map[string]*Line{}
	for i := range c.plan.config.Lines {
		l := &c.plan.config.Lines[i]
		c.line(l)
		if l.Card == "" && l.Port == 0 {
			continue
		}
		port := fmt.Sprintf("port %d of card %q", l.Port, l.Card)
		if other := ports[port]; other != nil {
			c.wrong(l.Pos, "port", "line %q is on %s, and so is line %q (%s): a port is one line", l.Name, port, other.Name, other.Pos)
		}
		ports[port] = l
	}
	for i := range c.plan.config.Peers {
		c.peer(&c.plan.config.Peers[i])
	}
	for i := range c.plan.config.Trunks {
		c.trunk(&c.plan.config.Trunks[i])
	}
}

// article is a kind of line as a sentence has it.
var article = map[string]string{"fxo": "an fxo", "fxs": "an fxs", "tdm": "a tdm"}

func (c *compiler) line(l *Line) {
	if l.Port < 0 {
		c.wrong(l.Pos, "port", "line %q: port = %d: ports count from 1", l.Name, l.Port)
	}
	if l.Country != "" && !knownCountry(l.Country) {
		c.wrong(l.Pos, "country", "line %q: country = %q is no country: write its two letters of ISO 3166, such as us, gb or de", l.Name, l.Country)
	}
	switch {
	case l.Kind == "fxs" && l.Extension == "":
		c.wrong(l.Pos, "kind", "line %q is an fxs line and needs extension: the number of the telephone on it", l.Name)
	case l.Kind == "fxs" && len(l.Incoming) > 0:
		c.wrong(l.Pos, "incoming", "line %q is an fxs line: what its telephone dials goes by the rules; incoming is for fxo lines", l.Name)
	case l.Kind != "fxs" && l.Extension != "":
		c.wrong(l.Pos, "extension", "line %q is %s line and has no telephone: write incoming = %q for what rings", l.Name, article[l.Kind], l.Extension)
	}
	if l.Kind != "fxs" && l.Has("hook_flash") {
		c.wrong(l.Pos, "hook_flash", "line %q is an %s line: hook_flash is for fxs lines, it is about their telephone", l.Name, l.Kind)
	}
	if l.Kind != "fxs" && l.Has("distinctive_rings") {
		c.wrong(l.Pos, "distinctive_rings", "line %q is %s line: distinctive_rings is for fxs lines, it is about their telephone", l.Name, article[l.Kind])
	}
	if l.Kind == "fxs" && l.CallsRing != "" {
		c.wrong(l.Pos, "calls_ring", "line %q is an fxs line: write calls_ring at its [[phone]] %s", l.Name, l.Extension)
	} else {
		c.callsRing(l.Pos, "calls_ring", fmt.Sprintf("line %q", l.Name), l.CallsRing)
	}
	c.numbers(l)
	c.hookTimes(l)
	c.timeslot(l)
	if l.Answer != "" && !answerRule(l.Answer) {
		c.wrong(l.Pos, "answer", "line %q: answer = %q: write \"polarity\", \"voice\", \"ringback-end\" or \"after 5s\"%s", l.Name, l.Answer, tomlfile.Meant(l.Answer, []string{"polarity", "voice", "ringback-end"}))
	}
	if _, err := l.EchoTail(); err != nil {
		c.wrong(l.Pos, "echo", "line %q: echo = %q: write \"on\", \"off\" or how late an echo may come, from 4ms to 128ms%s", l.Name, l.Echo, tomlfile.Meant(l.Echo, []string{"on", "off"}))
	}
	for key, gain := range map[string]float64{"gain_in": l.GainIn, "gain_out": l.GainOut} {
		if gain < -maxGain || gain > maxGain {
			c.wrong(l.Pos, key, "line %q: %s = %g is not within -%d and %d dB", l.Name, key, gain, maxGain, maxGain)
		}
	}
}

// hookTimes checks what is said of breaks of the loop: a hook-flash is shorter
// than any hang-up, and longer than the 20 ms in which a contact bounces.
func (c *compiler) hookTimes(l *Line) {
	for _, t := range []struct {
		key, kind string
		d         time.Duration
	}{{"loop_drop", "fxo", l.LoopDrop}, {"flash", "fxo", l.Flash}, {"flash_min", "fxs", l.FlashMin}, {"flash_max", "fxs", l.FlashMax}} {
		switch {
		case !l.Has(t.key) && t.d == 0:
		case l.Kind != t.kind:
			c.wrong(l.Pos, t.key, "line %q is %s line: %s is for %s lines", l.Name, article[l.Kind], t.key, t.kind)
		case t.d < minBreak || t.d > maxBreak:
			c.wrong(l.Pos, t.key, "line %q: %s = %v is not from %v to %v", l.Name, t.key, t.d, minBreak, maxBreak)
		}
	}
	if l.FlashMin > 0 && l.FlashMax > 0 && l.FlashMin >= l.FlashMax {
		c.wrong(l.Pos, "flash_max", "line %q: flash_max = %v is not longer than flash_min = %v", l.Name, l.FlashMax, l.FlashMin)
	}
}

const (
	minBreak = 40 * time.Millisecond
	maxBreak = 2 * time.Second
)

// maxGain bounds a line's gains, in dB; the gateway takes no more.
const maxGain = 24

// onlyAnalog are the keys of a line that a trunk over a timeslot has no use for.
var onlyAnalog = []string{"answer", "dial_tone", "dial_tone_wait", "caller_id", "caller_id_wait", "silence", "polarity_reversal"}

// timeslot checks what is said of signalling bits.
func (c *compiler) timeslot(l *Line) {
	if l.Kind != "tdm" {
		if l.Signalling == "wink-start" || l.Signalling == "immediate-start" {
			c.wrong(l.Pos, "signalling", "line %q: signalling = %q is for tdm lines; an %s line on a channel bank has loop-start or ground-start", l.Name, l.Signalling, l.Kind)
		}
		for _, key := range []string{"digits", "wink_wait", "glare"} {
			if l.Has(key) {
				c.wrong(l.Pos, key, "line %q is an %s line: %s is for tdm lines", l.Name, l.Kind, key)
			}
		}
		return
	}
	if l.Signalling == "loop-start" || l.Signalling == "ground-start" {
		c.wrong(l.Pos, "signalling", "line %q: signalling = %q: a tdm line has wink-start or immediate-start; if its timeslot leads to a channel bank, write kind = \"fxo\" for an exchange's line there, \"fxs\" for a telephone", l.Name, l.Signalling)
	}
	for _, key := range onlyAnalog {
		if l.Has(key) {
			c.wrong(l.Pos, key, "line %q is a tdm line: %s means nothing there, its signalling bits tell answer and hang-up", l.Name, key)
		}
	}
	switch {
	case l.Has("digits") && (l.Digits < 1 || l.Digits > maxTrunkDigits):
		c.wrong(l.Pos, "digits", "line %q: digits = %d: a call in is sent with 1 to %d; for none write incoming = \"…\"", l.Name, l.Digits, maxTrunkDigits)
	case l.Has("wink_wait") && (l.WinkWait < minWinkWait || l.WinkWait > maxWinkWait):
		c.wrong(l.Pos, "wink_wait", "line %q: wink_wait = %v is not from %v to %v", l.Name, l.WinkWait, minWinkWait, maxWinkWait)
	case l.Has("wink_wait") && l.Signalling == "immediate-start":
		c.wrong(l.Pos, "wink_wait", "line %q: with immediate-start there is no wink to wait for", l.Name)
	case l.Glare == "keep" && l.Signalling == "immediate-start":
		c.wrong(l.Pos, "glare", "line %q: glare = \"keep\" needs wink-start: with immediate-start our digits would be lost", l.Name)
	}
}

// What a trunk's timings and digits may be: E.164 has 15 digits, and whoever has
// called hears nothing while the wink is waited for.
const (
	maxTrunkDigits = 15
	minWinkWait    = 500 * time.Millisecond
	maxWinkWait    = 30 * time.Second
)

// EchoTail is how long after something was sent its echo may come back and is
// cancelled: zero is the default, less than zero switches the canceller off.
func (l *Line) EchoTail() (time.Duration, error) {
	switch l.Echo {
	case "", "on":
		return 0, nil
	case "off":
		return -1, nil
	}
	d, err := time.ParseDuration(l.Echo)
	if err != nil || d < 4*time.Millisecond || d > 128*time.Millisecond {
		return 0, fmt.Errorf("echo = %q is no time from 4ms to 128ms", l.Echo)
	}
	return d, nil
}

func answerRule(s string) bool {
	if after, ok := strings.CutPrefix(s, "after "); ok {
		d, err := time.ParseDuration(after)
		return err == nil && d >= 0
	}
	return s == "polarity" || s == "voice" || s == "ringback-end"
}

func (c *compiler) peer(peer *Peer) {
	c.callsRing(peer.Pos, "calls_ring", fmt.Sprintf("peer %q", peer.Name), peer.CallsRing)
	if len(peer.Addresses) == 0 && peer.Proxy == "" {
		c.wrong(peer.Pos, "", "peer %q needs addresses, from which its calls come, or proxy, where ours are sent", peer.Name)
	}
	for _, a := range peer.Addresses {
		if _, err := netip.ParsePrefix(a); err == nil {
			continue
		}
		if _, err := netip.ParseAddr(a); err == nil {
			continue
		}
		if _, err := netip.ParseAddrPort(a); err != nil {
			c.wrong(peer.Pos, "addresses", "peer %q: %q is no address: write 192.0.2.1, 192.0.2.1:5060, 192.0.2.0/24 or an IPv6 one", peer.Name, a)
		}
	}
	if peer.Secret != "" && peer.User == "" {
		c.wrong(peer.Pos, "secret", "peer %q has a secret and no user: add the user name that goes with it", peer.Name)
	}
	if peer.Register && (peer.Proxy == "" || peer.User == "") {
		c.wrong(peer.Pos, "register", "peer %q: to register, it needs proxy and user", peer.Name)
	}
	if peer.Mailbox != "" && (peer.Proxy == "" || peer.User == "") {
		c.wrong(peer.Pos, "mailbox", "peer %q: to ask for its messages, it needs proxy and user", peer.Name)
	}
	if peer.Context != "" {
		if l := c.plan.contexts[strings.ToLower(peer.Context)]; l == nil {
			c.wrong(peer.Pos, "context", "peer %q: context = %q is no context%s", peer.Name, peer.Context, tomlfile.Suggest(peer.Context, c.contextNames()))
		} else {
			l.used = true
		}
		if len(peer.Incoming) > 0 {
			c.wrong(peer.Pos, "incoming", "peer %q has both incoming, by which everything rings one place, and context, by which the dialled number decides: keep one", peer.Name)
		}
	}
}

// maxAccess bounds what is dialled before a number: an access number and a PIN. A
// line takes 64 digits in all.
const maxAccess = 40

// mailboxes checks whose phones show what waits at peers.
func (c *compiler) mailboxes() {
	for i := range c.plan.config.Peers {
		peer := &c.plan.config.Peers[i]
		if e := c.plan.extensions[peer.Mailbox]; peer.Mailbox != "" && (e == nil || e.phone == nil) {
			c.wrong(peer.Pos, "mailbox", "peer %q: mailbox = %q: there is no such phone%s", peer.Name, peer.Mailbox, tomlfile.Suggest(peer.Mailbox, c.phoneNames()))
		}
	}
}

func (c *compiler) trunk(t *Trunk) {
	p := c.plan
	switch {
	case len(t.Lines) == 0 && t.Peer == "":
		c.wrong(t.Pos, "name", "trunk %q leads nowhere: give it lines = [\"…\"] or peer = \"…\"", t.Name)
	case len(t.Lines) > 0 && t.Peer != "":
		c.wrong(t.Pos, "peer", "trunk %q has both lines and a peer: make two trunks of it, and name both in the rule's to", t.Name)
	case t.Peer != "" && p.peers[t.Peer] == nil:
		c.wrong(t.Pos, "peer", "trunk %q: there is no peer %q%s", t.Name, t.Peer, tomlfile.Suggest(t.Peer, names(p.config.Peers, func(x Peer) string { return x.Name })))
	case t.Peer != "" && p.peers[t.Peer].Proxy == "" && len(p.peers[t.Peer].Addresses) != 1:
		c.wrong(t.Pos, "peer", "trunk %q: peer %q needs proxy: it is not clear where calls to it are sent", t.Name, t.Peer)
	}
	if bad := strings.Trim(strings.ToLower(t.Access), "0123456789*#abcd,w"); bad != "" || len(t.Access) > maxAccess {
		c.wrong(t.Pos, "access", "trunk %q: access = %q: write up to %d digits, a comma for a pause of 2s, w to wait for another dial tone, such as \"9w\"", t.Name, t.Access, maxAccess)
	}
	if t.Access != "" && t.Peer != "" {
		c.wrong(t.Pos, "access", "trunk %q: access is dialled on lines; for a peer write prepend in the rule", t.Name)
	}
	if t.Hunt != "" && t.Peer != "" {
		c.wrong(t.Pos, "hunt", "trunk %q: hunt is for lines; a peer has none", t.Name)
	}
	for i, name := range t.Lines {
		l := p.lines[name]
		switch {
		case l == nil:
			c.wrong(t.Pos, "lines", "trunk %q: there is no line %q%s", t.Name, name, tomlfile.Suggest(name, names(p.config.Lines, func(x Line) string { return x.Name })))
		case l.Kind == "fxs":
			c.wrong(t.Pos, "lines", "trunk %q: line %q is an fxs line, with a telephone on it: a trunk needs fxo or tdm lines", t.Name, name)
		case slices.Contains(t.Lines[:i], name):
			c.wrong(t.Pos, "lines", "trunk %q names line %q twice", t.Name, name)
		}
	}
	if p.country.region == "" && t.Format != "" && t.Format != "as-dialed" {
		c.wrong(t.Pos, "format", "trunk %q: format = %q needs to know the country: add country = \"us\" or another at the top of the file", t.Name, t.Format)
	}
}
