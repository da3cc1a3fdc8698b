package main

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"crosspoint/b2bua"
	"crosspoint/dialplan"
	"crosspoint/internal/tomlfile"
	"crosspoint/internal/wiring"
)

// Config is the office file: what package dialplan reads of numbers, and beside
// it what the machine needs to know. Its zero value, with one phone, is an
// office that works on the local network.
type Config struct {
	dialplan.Config

	SIP       SIP       `toml:"sip" doc:"where phones and peers reach us"`
	RTP       RTP       `toml:"rtp" doc:"where audio is received"`
	Cards     []Card    `toml:"card" doc:"line cards and voice modems: hardware with telephone lines on a serial port"`
	Music     Music     `toml:"music" doc:"what a held party hears"`
	Recording Recording `toml:"recording" doc:"which calls are recorded; the law may ask that callers are told"`
	Services  Services  `toml:"services" doc:"how services of the exchange behave"`
	Store     Store     `toml:"store" doc:"what survives a restart: registrations, settings made from phones, records of calls"`
	Metrics   Metrics   `toml:"metrics" doc:"what monitoring is told by HTTP, in the text format of Prometheus"`
	Control   Control   `toml:"control" doc:"the socket by which crosspoint lines, calls, ladder and status ask"`
	Shutdown  Shutdown  `toml:"shutdown" doc:"what happens on SIGTERM"`
	Log       Log       `toml:"log" doc:"what is logged, and how"`
}

// SIP is the [sip] section.
type SIP struct {
	tomlfile.Pos
	Listen         tomlfile.Strings `toml:"listen" doc:"sockets, such as udp:192.0.2.1:5060 and tcp:192.0.2.1:5060; absent: UDP and TCP 5060 on this machine's address"`
	Domains        tomlfile.Strings `toml:"domains" doc:"SIP domains that are ours, beside the addresses that we listen on"`
	Realm          string           `toml:"realm" doc:"realm that phones authenticate for; absent: crosspoint. Changing it makes phones ask for their password"`
	Strangers      bool             `toml:"strangers" doc:"true: callers without credentials may call what [[incoming]] gives to strangers"`
	StrictIdentity bool             `toml:"strict_identity" doc:"true: refuse a phone that calls under another's number; false: show its own"`
	SessionExpires time.Duration    `toml:"session_expires" doc:"after how long without refresh a call is taken as dead; absent: 30m"`
	MinExpires     time.Duration    `toml:"register_min" doc:"shortest registration accepted; absent: 60s"`
	MaxExpires     time.Duration    `toml:"register_max" doc:"longest registration granted; absent: 1h"`
}

// RTP is the [rtp] section.
type RTP struct {
	tomlfile.Pos
	Address string `toml:"address" doc:"our address for audio; absent: the one that SIP listens on, or, if it listens on IPv4 and IPv6, for each phone the one that it reaches"`
	Ports   string `toml:"ports" doc:"range of UDP ports, two a call and party; absent: 16384-17383, enough for 250 calls"`

	Inactive      string        `toml:"inactive" doc:"when parties that talk are not heard, neither by audio nor by RTCP: flag logs it after 3 s; end also ends the call when none of them is heard for inactive_after, end-any when one is not. A call on hold and an emergency call are never ended; absent: flag" enum:"flag,end,end-any"`
	InactiveAfter time.Duration `toml:"inactive_after" doc:"after what time inactive ends a call, at least 15s, ten times that after comfort noise; absent: 60s"`
}

// Card is a [[card]].
type Card struct {
	tomlfile.Pos
	Name   string `toml:"name" required:"true" doc:"name that lines refer to"`
	Port   string `toml:"port" required:"true" doc:"serial device, such as /dev/ttyUSB0 or /dev/serial/by-id/…; sim: a simulated card with a small town behind it"`
	Kind   string `toml:"kind" doc:"card: a line card of up to 32 ports; modem: a voice modem (V.253), whose only port is an fxo line; absent: card" enum:"card,modem"`
	Baud   int    `toml:"baud" doc:"speed in bit/s; absent: 460800, 230400 for a modem. USB devices ignore it"`
	RTSCTS bool   `toml:"rtscts" doc:"true: hardware flow control, where card and cable have it"`
}

// Music is the [music] section.
type Music struct {
	tomlfile.Pos
	File string `toml:"file" doc:"WAV file, 8 kHz mono, played again and again; absent: silence"`
}

// Services is the [services] section.
type Services struct {
	tomlfile.Pos
	HostEndsConference bool          `toml:"host_ends_conference" doc:"true: a three-way call ends when the one who joined it leaves; false: the two others talk on"`
	FlashSwaps         bool          `toml:"flash_swaps" doc:"true: a second hook-flash swaps the two parties of a telephone; false: it joins all three"`
	ParkFor            time.Duration `toml:"park_for" doc:"how long a parked party waits before the one who parked it is called; absent: 3m"`
}

// Store is the [store] section.
type Store struct {
	tomlfile.Pos
	File      string        `toml:"file" doc:"SQLite file; absent: named after the office file in the state directory; off: nothing survives a restart"`
	KeepCalls time.Duration `toml:"keep_calls" doc:"how long records of calls are kept; absent: 2160h, which is 90 days"`
}

// Recording is the [recording] section.
type Recording struct {
	tomlfile.Pos
	Directory string           `toml:"directory" doc:"where each call's WAV file goes, the caller on the left; absent: no call is recorded"`
	Of        tomlfile.Strings `toml:"of" doc:"extensions, lines, trunks and peers that are recorded while they talk; absent: all calls are"`
}

// Metrics is the [metrics] section.
type Metrics struct {
	tomlfile.Pos
	Listen string `toml:"listen" doc:"address and port at which /metrics is served, such as 127.0.0.1:9760; absent: nowhere, only crosspoint metrics tells it"`
	Remote bool   `toml:"remote" doc:"true: listen may be an address that other machines reach. Whoever reaches it reads the names of phones, lines and trunks and how much they are used; there is no password"`
}

// Control is the [control] section.
type Control struct {
	tomlfile.Pos
	Socket string `toml:"socket" doc:"path of the unix socket, which only its owner may use; absent: crosspoint.sock in the runtime directory; off: none"`
}

// Shutdown is the [shutdown] section.
type Shutdown struct {
	tomlfile.Pos
	Wait time.Duration `toml:"wait" doc:"how long calls may go on after SIGTERM before they are hung up; absent: 30s"`
}

// Log is the [log] section.
type Log struct {
	tomlfile.Pos
	Level  string `toml:"level" doc:"least of what is logged; absent: info. debug draws the ladder of each call" enum:"debug,info,warn,error"`
	Format string `toml:"format" doc:"text or json; absent: text" enum:"text,json"`
}

// Defaults of what the file leaves out.
const (
	defaultSIPPort = 5060
	defaultRTPLow  = 16384
	defaultRTPHigh = 17383
	defaultWait    = 30 * time.Second
	defaultMissing = time.Minute      // inactive_after
	leastMissing   = 15 * time.Second // three reports of who sends only RTCP (RFC 3550 §6.2)
	defaultRealm   = "crosspoint"
	defaultKeep    = 90 * 24 * time.Hour // records of calls
	simulated      = "sim"               // the port of a card that is simulated
)

// loadConfig reads an office file and compiles its plan. With any fatal problem
// there is no plan.
func loadConfig(path string) (*Config, *dialplan.Plan, []tomlfile.Problem) {
	cfg := new(Config)
	return compile(cfg, tomlfile.Load(path, cfg))
}

// decodeConfig is loadConfig of a text.
func decodeConfig(name string, text []byte) (*Config, *dialplan.Plan, []tomlfile.Problem) {
	cfg := new(Config)
	return compile(cfg, tomlfile.Decode(name, text, cfg))
}

func compile(cfg *Config, problems []tomlfile.Problem) (*Config, *dialplan.Plan, []tomlfile.Problem) {
	if tomlfile.Fatal(problems) {
		return cfg, nil, problems
	}
	problems = append(problems, cfg.check()...)
	cfg.Config.Domains = cfg.domains()
	plan, more := dialplan.Compile(cfg.Config)
	problems = tomlfile.Sort(append(problems, more...))
	if !tomlfile.Fatal(problems) {
		problems = append(problems, wiring.CheckLines(cfg.Config, plan)...)
	}
	if tomlfile.Fatal(problems) {
		return cfg, nil, problems
	}
	return cfg, plan, tomlfile.Sort(append(problems, plan.Lint()...))
}

// domains are the names under which the office is called.
func (c *Config) domains() []string {
	all := append([]string(nil), c.SIP.Domains...)
	for _, l := range c.sockets() {
		if !l.addr.Addr().IsUnspecified() {
			all = append(all, l.addr.Addr().String())
		}
	}
	return all
}

// A socket is one entry of listen.
type socket struct {
	network string // "udp" or "tcp"
	addr    netip.AddrPort
}

func (s socket) String() string { return s.network + ":" + s.addr.String() }

// sockets are the sockets to listen on. Entries that are wrong are left out:
// check reports them.
func (c *Config) sockets() []socket {
	if len(c.SIP.Listen) == 0 {
		own := netip.AddrPortFrom(ownAddress(), defaultSIPPort)
		return []socket{{"udp", own}, {"tcp", own}}
	}
	var all []socket
	for _, text := range c.SIP.Listen {
		if s, why := parseSocket(text); why == "" {
			all = append(all, s)
		}
	}
	return all
}

// parseSocket reads "udp:192.0.2.1:5060"; why is empty or says what is wrong.
func parseSocket(text string) (s socket, why string) {
	network, rest, ok := strings.Cut(text, ":")
	if !ok || (network != "udp" && network != "tcp") {
		return s, "must begin with udp: or tcp:, such as udp:192.0.2.1:5060"
	}
	addr, err := netip.ParseAddrPort(rest)
	if err != nil {
		if ip, err := netip.ParseAddr(rest); err == nil {
			addr = netip.AddrPortFrom(ip, defaultSIPPort)
		} else {
			return s, "must name an IP address and a port, such as udp:192.0.2.1:5060"
		}
	}
	return socket{network, addr}, ""
}

// metricsAddress is where metrics are served; invalid: nowhere. Why is empty or
// says what is wrong.
func (c *Config) metricsAddress() (at netip.AddrPort, why string) {
	if c.Metrics.Listen == "" {
		return at, ""
	}
	at, err := netip.ParseAddrPort(c.Metrics.Listen)
	switch {
	case err != nil:
		return netip.AddrPort{}, "must be an IP address and a port, such as 127.0.0.1:9760"
	case !at.Addr().IsLoopback() && !c.Metrics.Remote:
		return netip.AddrPort{}, "is open to other machines, and there is no password: listen on 127.0.0.1; or protect the port by a firewall and say remote = true"
	}
	return at, ""
}

// rtpRange is the range of ports for audio; why is empty or says what is wrong.
func (c *Config) rtpRange() (low, high int, why string) {
	if c.RTP.Ports == "" {
		return defaultRTPLow, defaultRTPHigh, ""
	}
	first, last, ok := strings.Cut(c.RTP.Ports, "-")
	low, err1 := strconv.Atoi(strings.TrimSpace(first))
	high, err2 := strconv.Atoi(strings.TrimSpace(last))
	switch {
	case !ok || err1 != nil || err2 != nil:
		return 0, 0, "is not a range: write two numbers, such as 16384-17383"
	case low < 1024 || high > 65535:
		return 0, 0, "must lie between 1024 and 65535"
	case high-low < 3:
		return 0, 0, "is too small: a call takes four ports"
	}
	return low, high, ""
}

// rtpAddress is our address for audio; invalid if none can be told. It is :: if
// phones reach us by IPv4 and by IPv6: then each is told the address that it
// reaches.
func (c *Config) rtpAddress() netip.Addr {
	if c.RTP.Address != "" {
		ip, _ := netip.ParseAddr(c.RTP.Address)
		return ip
	}
	if four, six := c.families(); four && six {
		return netip.IPv6Unspecified()
	}
	for _, s := range c.sockets() {
		if ip := s.addr.Addr(); !ip.IsUnspecified() {
			return ip
		}
	}
	return ownAddress()
}

// families tells by which of IPv4 and IPv6 phones reach us.
func (c *Config) families() (four, six bool) {
	for _, s := range c.sockets() {
		ip := s.addr.Addr()
		both := ip == netip.IPv6Unspecified()
		four, six = four || both || ip.Is4(), six || ip.Is6()
	}
	return four, six
}

// inactivity is what becomes of a call whose parties are not heard.
func (r RTP) inactivity() b2bua.Inactivity {
	if r.Inactive == "" || r.Inactive == "flag" {
		return b2bua.Inactivity{}
	}
	in := b2bua.Inactivity{After: r.InactiveAfter, Any: r.Inactive == "end-any", Origin: r.Key("inactive").String()}
	if !r.Has("inactive_after") {
		in.After = defaultMissing
	}
	return in
}

func (c *Config) wait() time.Duration {
	if c.Shutdown.Has("wait") {
		return c.Shutdown.Wait
	}
	return defaultWait
}

func (c *Config) realm() string {
	if c.SIP.Realm != "" {
		return c.SIP.Realm
	}
	return defaultRealm
}
