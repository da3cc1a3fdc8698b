package main

import (
	"net/netip"
	"path/filepath"
	"slices"

	"crosspoint/b2bua"
	"crosspoint/dialplan"
	"crosspoint/gateway/linecard"
	"crosspoint/internal/tomlfile"
	"crosspoint/internal/wiring"
)

// check finds what is wrong in the parts of the file that package dialplan does
// not judge.
func (c *Config) check() []tomlfile.Problem {
	problems := c.checkSockets()
	problems = append(problems, c.checkCards()...)
	problems = append(problems, c.checkLines()...)
	problems = append(problems, c.checkParties()...)
	if c.Music.File != "" && filepath.Ext(c.Music.File) != ".wav" {
		problems = append(problems, c.Music.KeyProblem("file", "file = %q is not a WAV file: convert it with: sox %s -r 8000 -c 1 music.wav", c.Music.File, c.Music.File))
	}
	if c.SIP.MinExpires > 0 && c.SIP.MaxExpires > 0 && c.SIP.MinExpires > c.SIP.MaxExpires {
		problems = append(problems, c.SIP.KeyProblem("register_min", "register_min is %v, longer than register_max, which is %v", c.SIP.MinExpires, c.SIP.MaxExpires))
	}
	problems = append(problems, c.checkRecording()...)
	if _, why := c.metricsAddress(); why != "" {
		problems = append(problems, c.Metrics.KeyProblem("listen", "listen = %q %s", c.Metrics.Listen, why))
	}
	if c.RTP.Has("inactive_after") {
		problems = append(problems, c.checkInactive()...)
	}
	return problems
}

// checkRecording finds names in [recording] of that are nobody's: a slip there
// would mean that nothing is recorded.
func (c *Config) checkRecording() []tomlfile.Problem {
	var names []string
	for _, p := range c.Phones {
		names = append(names, p.Extension)
	}
	for _, l := range c.Lines {
		names = append(names, l.Name)
	}
	for _, t := range c.Trunks {
		names = append(names, t.Name)
	}
	for _, p := range c.Peers {
		names = append(names, p.Name)
	}
	var problems []tomlfile.Problem
	for _, name := range c.Recording.Of {
		if !slices.Contains(names, name) {
			problems = append(problems, c.Recording.KeyProblem("of", "of names %q, which is no phone, line, trunk or peer%s", name, tomlfile.Suggest(name, names)))
		}
	}
	if len(c.Recording.Of) > 0 && c.Recording.Directory == "" {
		problems = append(problems, c.Recording.KeyProblem("of", "nothing is recorded without directory: add directory = \"/var/lib/crosspoint/recordings\""))
	}
	return problems
}

func (c *Config) checkInactive() []tomlfile.Problem {
	after := c.RTP.InactiveAfter
	switch {
	case c.RTP.inactivity() == (b2bua.Inactivity{}):
		p := c.RTP.KeyProblem("inactive_after", "inactive_after does nothing: no call is ended for silence unless inactive is \"end\" or \"end-any\"")
		p.Warning = true
		return []tomlfile.Problem{p}
	case after < leastMissing:
		return []tomlfile.Problem{c.RTP.KeyProblem("inactive_after", "inactive_after = %v would end calls of whoever is mute: phones tell by RTCP every 5 s or so that they are there; write at least %v", after, leastMissing)}
	}
	return nil
}

func (c *Config) checkSockets() []tomlfile.Problem {
	var problems []tomlfile.Problem
	seen := map[socket]bool{}
	for _, text := range c.SIP.Listen {
		s, why := parseSocket(text)
		switch {
		case why != "":
			problems = append(problems, c.SIP.KeyProblem("listen", "listen = %q %s", text, why))
		case seen[s] && s.addr.Port() != 0:
			problems = append(problems, c.SIP.KeyProblem("listen", "listen names %s twice", s))
		}
		seen[s] = true
	}
	low, high, why := c.rtpRange()
	if why != "" {
		problems = append(problems, c.RTP.KeyProblem("ports", "ports = %q %s", c.RTP.Ports, why))
	}
	for _, s := range c.sockets() {
		if port := int(s.addr.Port()); s.network == "udp" && port >= low && port <= high && why == "" {
			problems = append(problems, c.RTP.KeyProblem("ports", "ports %d-%d overlap the SIP socket %s: move one of them", low, high, s))
		}
	}
	if c.RTP.Address != "" {
		if ip, err := netip.ParseAddr(c.RTP.Address); err != nil || ip.IsUnspecified() {
			problems = append(problems, c.RTP.KeyProblem("address", "address = %q is not an IP address that phones can send to, such as 192.0.2.1", c.RTP.Address))
		} else if four, six := c.families(); ip.Is4() && six || ip.Is6() && four {
			p := c.RTP.KeyProblem("address", "address = %q is told to phones of IPv4 and of IPv6 alike: leave it out, and each is told the one that it reaches", c.RTP.Address)
			p.Warning = true
			problems = append(problems, p)
		}
	}
	return problems
}

func (c *Config) checkCards() []tomlfile.Problem {
	var problems []tomlfile.Problem
	names, ports := map[string]tomlfile.Pos{}, map[string]tomlfile.Pos{}
	for _, card := range c.Cards {
		if first, ok := names[card.Name]; ok {
			problems = append(problems, card.KeyProblem("name", "card %q is there already, at %s", card.Name, first))
		}
		names[card.Name] = card.Pos.At()
		if first, ok := ports[card.Port]; ok && card.Port != simulated {
			problems = append(problems, card.KeyProblem("port", "port %q belongs to the card at %s", card.Port, first))
		}
		ports[card.Port] = card.Pos.At()
		if card.Port != simulated && !filepath.IsAbs(card.Port) {
			problems = append(problems, card.KeyProblem("port", "port = %q is neither a device, such as /dev/ttyUSB0, nor %q", card.Port, simulated))
		}
		if card.Baud < 0 {
			problems = append(problems, card.KeyProblem("baud", "baud = %d is not a speed: write one such as 460800 or leave it out", card.Baud))
		}
	}
	return problems
}

func (c *Config) checkLines() []tomlfile.Problem {
	var problems []tomlfile.Problem
	var cards []string
	modems := map[string]bool{}
	for _, card := range c.Cards {
		cards = append(cards, card.Name)
		modems[card.Name] = card.Kind == kindModem
	}
	for _, l := range c.Lines {
		switch {
		case l.Card == "":
			problems = append(problems, l.KeyProblem("card", "line %q needs card: the name of the [[card]] that it is on", l.Name))
		case !slices.Contains(cards, l.Card):
			problems = append(problems, l.KeyProblem("card", "line %q is on card %q, which is not there%s", l.Name, l.Card, tomlfile.Suggest(l.Card, cards)))
		case l.Port < 1 || l.Port > linecard.MaxPorts:
			problems = append(problems, l.KeyProblem("port", "line %q is on port %d: a card has ports 1 to %d", l.Name, l.Port, linecard.MaxPorts))
		case modems[l.Card]:
			problems = append(problems, checkModemLine(l)...)
		}
	}
	return problems
}

// checkModemLine finds what the line on a voice modem cannot be.
func checkModemLine(l dialplan.Line) []tomlfile.Problem {
	switch {
	case l.Port != 1:
		return []tomlfile.Problem{l.KeyProblem("port", "line %q is on port %d of a modem: it has port 1 only", l.Name, l.Port)}
	case l.Kind != "fxo":
		return []tomlfile.Problem{l.KeyProblem("kind", "line %q: kind = %q: a modem's line leads to an exchange: write kind = \"fxo\"", l.Name, l.Kind)}
	case l.Signalling != "":
		return []tomlfile.Problem{l.KeyProblem("signalling", "line %q: a modem has no timeslots: leave signalling out", l.Name)}
	case l.Dialing == "pulse":
		return []tomlfile.Problem{l.KeyProblem("dialing", "line %q: a modem does not break its loop fast enough for pulses: use a line card", l.Name)}
	}
	return nil
}

// checkParties judges what the SIP agent needs to know of phones and peers.
func (c *Config) checkParties() []tomlfile.Problem {
	var problems []tomlfile.Problem
	for _, p := range c.Phones {
		for _, uri := range p.Contacts {
			if _, err := wiring.ParseContact(uri); err != nil {
				problems = append(problems, p.KeyProblem("contacts", "phone %s: contacts: %v", p.Extension, err))
			}
		}
	}
	return problems
}
