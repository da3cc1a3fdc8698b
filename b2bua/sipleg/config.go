package sipleg

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/mwi"
	"crosspoint/b2bua/registrar"
	"crosspoint/b2bua/sipleg/txn"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/media/rtp"
)

// Config is what an Agent works with. Wire, Accept and RTP are needed; all
// else may be zero.
type Config struct {
	// Wire has the sockets and their limits. Its Handle and Failed are the Agent's.
	Wire wire.Config
	// Accept takes incoming calls.
	Accept leg.Acceptor
	// RTP gives each call its ports.
	RTP *rtp.Ports
	// Registrar knows where phones are. Nil: REGISTER is refused with 405.
	Registrar *registrar.Registrar
	// Digest verifies credentials. Nil: nobody can prove who they are, and
	// whoever would be challenged is refused with 403.
	Digest *registrar.Digest

	// Account finds a phone by the user name of its credentials. Nil: there is none.
	Account func(user string) (Account, bool)
	// Contacts are the addresses of a phone that does not register. Nil: none.
	Contacts func(extension string) []Contact
	// Emergency tells whether what a phone dials is an emergency number. A phone
	// that is known by its address, registered or fixed, calls it without
	// credentials. Nil: nothing is.
	Emergency func(extension, dialed string) bool
	// Messages is the board of the messages that wait: phones are shown what it says
	// of their extension, and peers with VoiceMail or a Mailbox say what it should say
	// (RFC 3842). Nil: there is no message waiting, and SUBSCRIBE is refused with 489.
	Messages *mwi.Board
	// Extension tells whether there is an extension of that name. Nil: there is none.
	Extension func(name string) bool
	// Peers are known by address; what they send needs no credentials.
	Peers []Peer
	// Strangers lets callers in who are neither phones nor peers, as
	// leg.Stranger, unless they claim an address of ours. False: they are
	// challenged like phones.
	Strangers bool
	// RefuseForeignIdentity answers 403 to a phone whose From is not its own.
	// False: the From is replaced by the phone's own.
	RefuseForeignIdentity bool

	// Domains are ours beside the addresses of our sockets: users in them are
	// our phones and numbers. The first is shown in From and To of what we
	// send; empty: the local address is.
	Domains []string
	// Resolve finds the addresses of a host name, best first (RFC 3263). It may
	// block until the context ends. Nil: by SRV and address records of the
	// operating system's resolver.
	Resolve func(ctx context.Context, host string, port int, transport string) ([]Destination, error)

	// SessionExpires is after what time without refresh a call ends, RFC 4028
	// §4. Zero is 1800 s; negative: we ask for no session timer.
	SessionExpires time.Duration
	// MinSE is the least that a caller may ask for (RFC 4028 §5). Zero is 90 s.
	MinSE time.Duration
	// Timing are the base timers of RFC 3261.
	Timing txn.Timing
	// Silence is after what time of nothing heard a leg reports leg.Silent.
	// Zero is 3 s.
	Silence time.Duration
	// MaxLegs bounds calls in progress, counted by leg; further INVITEs are
	// answered 503. Zero is 10000.
	MaxLegs int

	// Product names us in Server and User-Agent; empty is "Crosspoint".
	Product string
	Log     *slog.Logger // nil: slog.Default()
}

// An Account is a phone that proves itself by a secret.
type Account struct {
	User      string // in its credentials
	Secret    string
	Extension string // its number; empty: User
	Name      string // shown to those it calls; empty: what it says itself
}

// A Contact is where a phone is reached that does not register.
type Contact struct {
	URI       string // of the request: sip:UserB@there.com
	Transport wire.Transport
	Address   netip.AddrPort // where requests go, whatever the URI's host
}

// A Destination is one address of a host.
type Destination struct {
	Transport wire.Transport
	Address   netip.AddrPort
}

// A Peer is another exchange, a provider's proxy or a gateway.
type Peer struct {
	Name string
	// Addresses are where it calls from. Empty: it can only be called.
	Addresses []netip.Prefix
	// Host is where it is called: "sip.example.net", "192.0.2.1:5070".
	Host string
	// Transport to use for it: "udp", "tcp"; empty: as Resolve says.
	Transport string
	// User and Secret answer its challenges. FromUser and FromDomain are what it
	// wants to see in From; empty: the caller's number, our domain.
	User, Secret         string
	FromUser, FromDomain string
	// Register asks that we register there as User, so that its calls find us;
	// what calls from where we are registered is the peer. RegisterFor is for how
	// long each time; zero is an hour.
	Register    bool
	RegisterFor time.Duration
	// Origin is where user and secret stand, for whoever has to mend them:
	// "office.toml:12". It may be empty.
	Origin string
	// Trusted tells that it may be told who calls though the caller withholds
	// it (P-Asserted-Identity with Privacy, RFC 3325), and is believed when it
	// asserts an identity.
	Trusted bool
	// AlertInfo tells that it may say how our telephones ring for its calls, and
	// is told how its own may for ours (Alert-Info, RFC 3261 §20.4).
	AlertInfo bool
	// VoiceMail tells that it is a voice-mail system: it is believed for which
	// extensions messages wait (RFC 3842), subscribed to or not.
	VoiceMail bool
	// Mailbox is the extension that is shown the messages that wait for User at this
	// peer: we subscribe there to hear of them. Empty: we don't.
	Mailbox string
}

func (c Config) filled() Config {
	def := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	def(&c.SessionExpires, 1800*time.Second)
	def(&c.MinSE, 90*time.Second)
	def(&c.Silence, 3*time.Second)
	c.Timing = c.Timing.Filled()
	if c.SessionExpires > 0 && c.SessionExpires < c.MinSE {
		c.SessionExpires = c.MinSE
	}
	if c.MaxLegs <= 0 {
		c.MaxLegs = 10000
	}
	if c.Product == "" {
		c.Product = "Crosspoint"
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Account == nil {
		c.Account = func(string) (Account, bool) { return Account{}, false }
	}
	if c.Contacts == nil {
		c.Contacts = func(string) []Contact { return nil }
	}
	if c.Extension == nil {
		c.Extension = func(string) bool { return false }
	}
	return c
}

// number is what the account's phone is called by.
func (a Account) number() string {
	if a.Extension != "" {
		return a.Extension
	}
	return a.User
}
