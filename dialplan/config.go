package dialplan

import (
	"time"

	"crosspoint/internal/tomlfile"
)

// A Config is what the office file says about numbers. It is embedded in the
// struct of the whole file. The doc tags are what an editor shows; the enum
// tags are checked as the file is read.
type Config struct {
	tomlfile.Pos
	Country   string            `toml:"country" doc:"ISO 3166 code of the country whose numbers are dialled here, such as us or de"`
	Area      string            `toml:"area" doc:"area code that a number dialled without one belongs to, without trunk prefix"`
	TimeZone  string            `toml:"timezone" doc:"IANA time zone of schedules and tests, such as America/New_York; absent: the machine's"`
	Ring      time.Duration     `toml:"ring" doc:"how long a phone rings before a call goes on to the next place, and each of a list of places; absent: 20s, the last of a list until the caller gives up"`
	Phones    []Phone           `toml:"phone" doc:"extensions: SIP phones, telephones on FXS lines, and numbers that only forward"`
	Classes   []Class           `toml:"class" doc:"classes of service: which calls their phones may make"`
	Groups    []Group           `toml:"group" doc:"ring groups: one number that rings several phones"`
	Lines     []Line            `toml:"line" doc:"ports of line cards"`
	Peers     []Peer            `toml:"peer" doc:"SIP providers and exchanges, known by address or credentials"`
	Trunks    []Trunk           `toml:"trunk" doc:"ways out: groups of FXO lines, or a SIP peer"`
	Contexts  []Context         `toml:"context" doc:"numbering plans beside the office's own, such as a private one"`
	Rules     []Rule            `toml:"rule" doc:"what a dialled number does"`
	Incoming  []Incoming        `toml:"incoming" doc:"where calls from lines, peers and strangers go"`
	Schedules []Schedule        `toml:"schedule" doc:"named times, such as office hours"`
	Rings     []DistinctiveRing `toml:"distinctive_ring" doc:"ways in which telephones ring, so that whoever hears them knows what kind of call it is"`
	Features  Features          `toml:"features" doc:"codes that phones dial for services"`
	Emergency Emergency         `toml:"emergency" doc:"emergency numbers, and who is told of a call to one"`
	Screening Screening         `toml:"screening" doc:"callers that nobody here wants to hear from"`
	Tests     []Test            `toml:"test" doc:"what this plan must do; checked before it is used"`

	// Domains are the SIP domains and addresses that are this office's own. They
	// are written elsewhere in the file; whoever reads it fills them in.
	Domains []string `toml:"-"`
}

// A Phone is an extension. Without secret, contacts and line it has no set of
// its own and lives by its Forward, Sets or FindMe.
type Phone struct {
	tomlfile.Pos
	Extension string           `toml:"extension" doc:"what others dial for it: digits, or a name for SIP addresses" required:"true"`
	Name      string           `toml:"name" doc:"name shown to those it calls"`
	Secret    string           `toml:"secret" secret:"true" doc:"password with which the phone registers and calls"`
	User      string           `toml:"user" doc:"user name with which the phone registers; absent: its extension"`
	Contacts  tomlfile.Strings `toml:"contacts" doc:"fixed SIP addresses of a phone that does not register, such as sip:101@192.0.2.7:5060"`
	Context   string           `toml:"context" doc:"numbering plan of what it dials; absent: the office's"`
	Class     string           `toml:"class" doc:"class of service; absent: what allow says"`
	Allow     tomlfile.Strings `toml:"allow" doc:"calls it may make; absent: internal only" enum:"internal,local,national,international,premium,sip"`
	CallerID  string           `toml:"caller_id" doc:"number shown to the outside; absent: the trunk's"`
	Withhold  bool             `toml:"withhold" doc:"true: do not show its number to the outside"`
	Place     string           `toml:"place" doc:"where it stands, for whoever takes an emergency call"`
	MaxCalls  int              `toml:"max_calls" doc:"calls it may have at once; 0: any number"`
	CallsRing string           `toml:"calls_ring" doc:"distinctive ring of those that it calls, such as door; absent: inside"`
	Toll      time.Duration    `toml:"toll_per_day" doc:"talk time per day on national, international and premium calls; absent: unlimited"`

	Ring      time.Duration    `toml:"ring" doc:"how long it rings before the call goes on; absent: the office's"`
	Sets      tomlfile.Strings `toml:"sets" doc:"further extensions that are sets of this line"`
	RingSets  string           `toml:"ring_sets" doc:"how the sets ring; absent: together" enum:"together,in-turn"`
	FindMe    tomlfile.Strings `toml:"find_me" doc:"places to try one after another when the phone itself did not get the call"`
	Forward   Forward          `toml:"forward" doc:"where its calls go instead"`
	Waiting   bool             `toml:"call_waiting" doc:"true: a phone in a call is offered a second one, before it forwards as busy; false: it is busy; absent: offered unless it forwards when busy"`
	Refuse    tomlfile.Strings `toml:"refuse" doc:"callers that it does not accept: number patterns, extensions, or anonymous"`
	Accept    tomlfile.Strings `toml:"accept" doc:"if given, the only callers that it accepts"`
	NeverDial tomlfile.Strings `toml:"never_dial" doc:"numbers that it may not call: patterns or extensions"`

	LineFlash    bool          `toml:"line_flash" doc:"true: it may give hook-flashes to the exchange of a telephone line, and so dial there what this file does not see"`
	Hotline      string        `toml:"hotline" doc:"number that is dialled as the handset is lifted (analog phones)"`
	HotlineAfter time.Duration `toml:"hotline_after" doc:"how long the handset waits for digits before the hotline number is dialled; absent: not at all"`
}

// Forward says where the calls of a phone go instead. A destination is what the
// phone itself would dial, or a SIP address; its permissions are the phone's.
type Forward struct {
	tomlfile.Pos
	Always      string        `toml:"always" doc:"where every call goes, without ringing the phone"`
	Busy        string        `toml:"busy" doc:"where a call goes when the phone is busy"`
	NoAnswer    string        `toml:"no_answer" doc:"where a call goes when nobody answers"`
	Unreachable string        `toml:"unreachable" doc:"where a call goes when the phone is not there; absent: as no_answer"`
	After       time.Duration `toml:"after" doc:"how long the phone rings before no_answer; absent: its ring time"`
	When        string        `toml:"when" doc:"schedule during which always holds; not NAME for outside of it"`
}

// A Class is a class of service.
type Class struct {
	tomlfile.Pos
	Name  string           `toml:"name" required:"true" doc:"name that phones refer to"`
	Allow tomlfile.Strings `toml:"allow" doc:"calls that its phones may make" enum:"internal,local,national,international,premium,sip"`
	Toll  time.Duration    `toml:"toll_per_day" doc:"talk time per day and phone on toll calls; absent: unlimited"`
}

// A Group is a number that rings several places.
type Group struct {
	tomlfile.Pos
	Extension string           `toml:"extension" required:"true" doc:"what others dial for it"`
	Name      string           `toml:"name" doc:"name of the group"`
	Members   tomlfile.Strings `toml:"members" required:"true" doc:"extensions, or numbers as a phone dials them"`
	Strategy  string           `toml:"strategy" doc:"how they ring; absent: together" enum:"together,in-turn,rotate"`
	Ring      time.Duration    `toml:"ring" doc:"how long each turn rings; absent: the office's"`
	On        tomlfile.Strings `toml:"on" doc:"what leads on to the next; absent: everything" enum:"busy,no-answer,unreachable,failure"`
	Then      string           `toml:"then" doc:"where the call goes when nobody took it"`
	CallsRing string           `toml:"calls_ring" doc:"distinctive ring of calls to the group; absent: by who calls"`
	Allow     tomlfile.Strings `toml:"allow" doc:"calls that the group may make to its members; absent: internal only" enum:"internal,local,national,international,premium,sip"`
}

// A Line is a port of a line card. What is not about numbers is plain data for
// the gateway.
type Line struct {
	tomlfile.Pos
	Name        string           `toml:"name" required:"true" doc:"name for rules, trunks and logs"`
	Card        string           `toml:"card" doc:"card that the port is on"`
	Port        int              `toml:"port" doc:"port number on the card, from 1"`
	Kind        string           `toml:"kind" required:"true" doc:"fxo: to the public network; fxs: to a telephone; tdm: a trunk over a timeslot of a T1 or E1, with E&M signalling" enum:"fxo,fxs,tdm"`
	Incoming    tomlfile.Strings `toml:"incoming" doc:"what rings when a call comes in on it; several ring together"`
	Allow       tomlfile.Strings `toml:"allow" doc:"calls that may be made from it; absent: internal only" enum:"internal,local,national,international,premium,sip"`
	Extension   string           `toml:"extension" doc:"extension of the telephone on an fxs line"`
	Number      string           `toml:"number" doc:"the line's own number in the public network"`
	Numbers     []RungNumber     `toml:"numbers" doc:"fxo: further numbers on the line, which the telephone company lets ring differently, such as { ring = \"dr2\", number = \"+12015550102\" }"`
	CallsRing   string           `toml:"calls_ring" doc:"distinctive ring of calls that come in on it; absent: outside"`
	Distinctive bool             `toml:"distinctive_rings" doc:"fxs: false: its telephone rings alike for all calls, as an answering machine needs it; absent: distinctive rings"`

	Signalling string        `toml:"signalling" doc:"of a tdm line: wink-start (absent) or immediate-start; of an fxo or fxs line on a channel bank: loop-start (absent) or ground-start" enum:"wink-start,immediate-start,loop-start,ground-start"`
	Digits     int           `toml:"digits" doc:"digits that the far end of a tdm line sends for a call in; absent: as many as the [[incoming]] rules need, or none with incoming"`
	WinkWait   time.Duration `toml:"wink_wait" doc:"how long a tdm line waits for the wink; absent: 5s"`
	Glare      string        `toml:"glare" doc:"both ends seize a tdm line at once; yield (absent): our call goes elsewhere, keep: the far end yields" enum:"yield,keep"`

	Country          string        `toml:"country" doc:"country whose tones, ringing and timing the line has; absent: the office's"`
	Answer           string        `toml:"answer" doc:"how an fxo line knows that its call was answered: polarity, voice, ringback-end, or after 5s"`
	DialTone         string        `toml:"dial_tone" doc:"required: no dialling without dial tone; blind: dial after the wait" enum:"required,blind"`
	DialToneWait     time.Duration `toml:"dial_tone_wait" doc:"how long to wait for dial tone; absent: 3s"`
	Dialing          string        `toml:"dialing" doc:"how digits are sent; absent: dtmf" enum:"dtmf,pulse"`
	CallerIDKind     string        `toml:"caller_id" doc:"how the number of a caller is sent on the line; absent: the country's way" enum:"bell202,v23,dtmf,uk,japan,none"`
	CallerIDWait     time.Duration `toml:"caller_id_wait" doc:"how long an incoming call waits for caller ID before it rings inside; absent: 4s"`
	Guard            time.Duration `toml:"guard" doc:"rest of an fxo or tdm line after a call; absent: 4s, tdm 1s"`
	Silence          time.Duration `toml:"silence" doc:"silence of both sides after which a call is taken as ended; absent: 30m"`
	PolarityReversal bool          `toml:"polarity_reversal" doc:"true: the line reverses polarity on answer and hang-up"`
	HookFlash        bool          `toml:"hook_flash" doc:"fxs: false: a hook-flash asks for nothing, and hanging up is known at once; absent: it asks for another line, or takes a waiting call"`
	LoopDrop         time.Duration `toml:"loop_drop" doc:"fxo: shortest loss of loop current that is a hang-up; absent: 80ms. Longer for a line that hangs up by itself"`
	Flash            time.Duration `toml:"flash" doc:"fxo: how long a hook-flash opens the loop towards the exchange; absent: as the country's exchanges expect"`
	FlashMin         time.Duration `toml:"flash_min" doc:"fxs: shortest hook-flash of its telephone; absent: the country's"`
	FlashMax         time.Duration `toml:"flash_max" doc:"fxs: longest hook-flash of its telephone, what is longer is a hang-up; absent: the country's"`
	BusiedOut        bool          `toml:"busied_out" doc:"true: it takes no calls from the start, until crosspoint lines return NAME"`
	GainIn           float64       `toml:"gain_in" doc:"gain of what is heard from the line, in dB"`
	GainOut          float64       `toml:"gain_out" doc:"gain of what is sent to the line, in dB"`
	Echo             string        `toml:"echo" doc:"echo canceller: on, off, or how late an echo may come, such as 64ms; absent: on, for 32ms; tdm: off"`
}

// A Peer is a SIP provider or another exchange.
type Peer struct {
	tomlfile.Pos
	Name      string           `toml:"name" required:"true" doc:"name for trunks, rules and logs"`
	Addresses tomlfile.Strings `toml:"addresses" doc:"addresses or prefixes that its calls come from, such as 192.0.2.0/24"`
	Proxy     string           `toml:"proxy" doc:"where calls to it are sent, such as sip:itsp.example:5060"`
	User      string           `toml:"user" doc:"user name that we give to it"`
	Secret    string           `toml:"secret" secret:"true" doc:"password that we give to it"`
	Register  bool             `toml:"register" doc:"true: register there so that its calls find us"`
	Incoming  tomlfile.Strings `toml:"incoming" doc:"what rings for all its calls, whatever was dialled; several ring together"`
	Context   string           `toml:"context" doc:"numbering plan in which what it dials is looked up; absent: incoming"`
	Allow     tomlfile.Strings `toml:"allow" doc:"calls that it may make through us; absent: internal only" enum:"internal,local,national,international,premium,sip"`
	CallsRing string           `toml:"calls_ring" doc:"distinctive ring of its calls; absent: outside"`
	AlertInfo bool             `toml:"alert_info" doc:"true: its calls ring as their Alert-Info says, and ours to it have one: for another exchange of the same office"`
	VoiceMail bool             `toml:"voice_mail" doc:"true: it is a voice-mail system: phones show what it says of waiting messages (RFC 3842)"`
	Mailbox   string           `toml:"mailbox" doc:"extension that is shown what waits in our own mailbox at this provider, of user and secret"`
	Trust     bool             `toml:"trust" doc:"true: believe the caller identity that it asserts (RFC 3325)"`
	MaxCalls  int              `toml:"max_calls" doc:"calls with it at once; 0: any number"`
}

// A Trunk is a way out: FXO and TDM lines, or a SIP peer.
type Trunk struct {
	tomlfile.Pos
	Name     string           `toml:"name" required:"true" doc:"name for rules"`
	Lines    tomlfile.Strings `toml:"lines" doc:"its lines, in order"`
	Access   string           `toml:"access" doc:"what is dialled on its lines before each number: digits, , for a pause of 2s, w to wait for another dial tone, such as 9w"`
	Hunt     string           `toml:"hunt" doc:"which idle line is taken; absent: ascending" enum:"ascending,descending,round-robin,round-robin-down"`
	Peer     string           `toml:"peer" doc:"the SIP peer that it leads to, instead of lines"`
	Format   string           `toml:"format" doc:"how numbers are dialled on it; absent: as the rule leaves them" enum:"as-dialed,e164,e164-no-plus,national"`
	CallerID string           `toml:"caller_id" doc:"number shown by calls on it, if the phone has none"`
	Withhold bool             `toml:"withhold" doc:"true: no number is shown by calls on it"`
	MaxCalls int              `toml:"max_calls" doc:"calls on it at once; 0: any number"`
}

// A Context is a numbering plan beside the office's own. It is named in numbers
// by phone-context (RFC 3966 §5.1.5).
type Context struct {
	tomlfile.Pos
	Name    string           `toml:"name" required:"true" doc:"the phone-context: a name, a domain, or + and digits"`
	Include tomlfile.Strings `toml:"include" doc:"contexts that are searched after its own rules, in order"`
}

// A Rule says what a dialled number does.
type Rule struct {
	tomlfile.Pos
	Name      string           `toml:"name" doc:"name in trails and logs; absent: its pattern"`
	Context   string           `toml:"context" key:"true" doc:"numbering plan that it belongs to; absent: the office's"`
	Dial      string           `toml:"dial" key:"true" required:"true" doc:"pattern: digits, x 0-9, z 1-9, n 2-9, [2-57] a set, (12|13) alternatives, . any more digits, 'name' as written"`
	Strip     int              `toml:"strip" doc:"digits taken from the front"`
	Prepend   string           `toml:"prepend" doc:"digits put in front, after strip"`
	Replace   string           `toml:"replace" doc:"number dialled instead"`
	To        tomlfile.Strings `toml:"to" doc:"where it leads: trunks in order, or an extension, group, number or SIP address"`
	Weights   []int            `toml:"weights" doc:"shares of the trunks in to; absent: always in order"`
	Class     string           `toml:"class" doc:"permission that the call takes; absent: what the number means in the country" enum:"internal,local,national,international,premium"`
	From      tomlfile.Strings `toml:"from" doc:"phones, groups' phones, classes, lines or peers that it is for; absent: all"`
	Caller    tomlfile.Strings `toml:"caller" doc:"callers' numbers that it is for: patterns, or anonymous; absent: all"`
	When      string           `toml:"when" key:"true" doc:"schedule during which it holds; not NAME for outside of it"`
	CallerID  string           `toml:"caller_id" doc:"number shown by these calls"`
	Withhold  bool             `toml:"withhold" doc:"true: these calls show no number"`
	Ring      time.Duration    `toml:"ring" doc:"how long each place rings before the next; absent: until the caller gives up"`
	CallsRing string           `toml:"calls_ring" doc:"distinctive ring of these calls; absent: by who calls"`
	Refuse    string           `toml:"refuse" doc:"refuse the call with these words"`
	Status    int              `toml:"status" doc:"SIP status of the refusal; absent: 403"`
}

// An Incoming says where calls from outside go.
type Incoming struct {
	tomlfile.Pos
	Name      string           `toml:"name" doc:"name in trails and logs; absent: its pattern"`
	From      tomlfile.Strings `toml:"from" doc:"lines, peers and trunks that it is for, or strangers; absent: all but strangers"`
	Dialed    string           `toml:"dialed" key:"true" doc:"pattern of the number that was dialled, + and digits for one of the public network; absent: any or none"`
	Caller    tomlfile.Strings `toml:"caller" doc:"callers' numbers that it is for: patterns, or anonymous; absent: all"`
	When      string           `toml:"when" key:"true" doc:"schedule during which it holds; not NAME for outside of it"`
	To        tomlfile.Strings `toml:"to" doc:"what rings; several ring together"`
	Ring      time.Duration    `toml:"ring" doc:"how long; absent: until the caller gives up"`
	CallsRing string           `toml:"calls_ring" doc:"distinctive ring of these calls; absent: by who calls"`
	Refuse    string           `toml:"refuse" doc:"refuse the call with these words"`
	Status    int              `toml:"status" doc:"SIP status of the refusal; absent: 403"`
}

// A Schedule is a named time of the week, less its holidays.
type Schedule struct {
	tomlfile.Pos
	Name     string           `toml:"name" required:"true" doc:"name that when refers to"`
	Days     tomlfile.Strings `toml:"days" doc:"mon, tue … sun, or a range such as mon-fri; absent: every day"`
	Hours    tomlfile.Strings `toml:"hours" doc:"such as 09:00-12:30, several for a break; past midnight is 22:00-06:00; absent: all day"`
	Holidays tomlfile.Strings `toml:"holidays" doc:"days on which it does not hold: 2026-12-24, 2026-12-24/2027-01-01, or 12-25 for every year"`
	TimeZone string           `toml:"timezone" doc:"IANA time zone; absent: the office's"`
}

// A DistinctiveRing is a way in which telephones ring. Without a definition there are
// inside, outside, recall, urgent, and dr1 to dr4 (Telcordia GR-506 §14); these
// may be defined anew.
type DistinctiveRing struct {
	tomlfile.Pos
	Name      string          `toml:"name" required:"true" doc:"name that calls_ring refers to; inside, outside, recall, urgent and dr1 to dr4 are there without it"`
	Cadence   []time.Duration `toml:"cadence" doc:"how an analog telephone rings: ring, pause, ring, pause, such as [\"300ms\", \"200ms\", \"300ms\", \"4s\"]; absent: as the country does, outside for a name of your own"`
	AlertInfo string          `toml:"alert_info" doc:"what SIP phones are told (Alert-Info), such as <http://office.example>;info=door; empty: nothing; absent: what the name has, nothing for one of your own"`
}

// A RungNumber is one of several numbers of a line.
type RungNumber struct {
	tomlfile.Pos
	Ring   string `toml:"ring" required:"true" doc:"distinctive ring by which the line rings for it"`
	Number string `toml:"number" required:"true" doc:"the number, with which [[incoming]] dialed is compared"`
}

// Features are the codes that phones dial for services. An absent code is a
// service that cannot be dialled.
type Features struct {
	tomlfile.Pos
	ForwardAlways   string `toml:"forward_always" doc:"forward all calls: the code and a number"`
	ForwardBusy     string `toml:"forward_busy" doc:"forward when busy: the code and a number"`
	ForwardNoAnswer string `toml:"forward_no_answer" doc:"forward when nobody answers: the code and a number"`
	ForwardOff      string `toml:"forward_off" doc:"end all forwarding"`
	DoNotDisturb    string `toml:"do_not_disturb" doc:"refuse calls"`
	DisturbAgain    string `toml:"do_not_disturb_off" doc:"accept calls again"`
	PickupGroup     string `toml:"pickup" doc:"take a call that rings elsewhere"`
	PickupDirected  string `toml:"pickup_directed" doc:"take the call that rings at an extension: the code and the extension"`
	Park            string `toml:"park" doc:"park a call: the code and a slot"`
	Retrieve        string `toml:"retrieve" doc:"take a parked call: the code and the slot"`
	Redial          string `toml:"redial" doc:"call the last number again"`
	CallBack        string `toml:"call_back" doc:"call when the busy party becomes free"`
	CallWaiting     string `toml:"call_waiting" doc:"have a second call offered during a call"`
	CallWaitingOff  string `toml:"call_waiting_off" doc:"be busy during a call"`
	NoCallWaiting   string `toml:"no_call_waiting" doc:"one call without being offered another: the code and the number"`
	Withhold        string `toml:"withhold" doc:"one call without showing a number: the code and the number"`
	ThreeWay        string `toml:"three_way" doc:"join two calls"`
	Echo            string `toml:"echo" doc:"hear yourself, to test a phone"`
	LineFlash       string `toml:"line_flash" doc:"pressed while talking on a telephone line: a hook-flash to the exchange there; for phones with line_flash = true"`
}

// Emergency says what an emergency number is and what a call to it does.
type Emergency struct {
	tomlfile.Pos
	Numbers tomlfile.Strings `toml:"numbers" doc:"emergency numbers; absent: the country's"`
	To      tomlfile.Strings `toml:"to" doc:"trunks that take the call, in order"`
	Notify  tomlfile.Strings `toml:"notify" doc:"extensions that ring and are told who calls from where"`
	Place   string           `toml:"place" doc:"where the office is, if a phone has no place of its own"`
	None    string           `toml:"none" doc:"why this plan has trunks and no way to an emergency number"`
}

// Screening is for the whole office.
type Screening struct {
	tomlfile.Pos
	Refuse tomlfile.Strings `toml:"refuse" doc:"callers from outside who are refused: number patterns, or anonymous"`
}

// A Test is a call that the plan must route as expected.
type Test struct {
	tomlfile.Pos
	From   string           `toml:"from" key:"true" required:"true" doc:"extension, line, peer, or stranger"`
	Caller string           `toml:"caller" doc:"number of the caller, or anonymous"`
	Dial   string           `toml:"dial" key:"true" doc:"what is dialled; empty on a line without digits"`
	At     string           `toml:"at" key:"true" doc:"local time, such as 2026-03-02 10:00; absent: Monday 2026-01-05 12:00"`
	Busy   tomlfile.Strings `toml:"busy" doc:"extensions that are in a call"`
	Ring   string           `toml:"ring" doc:"distinctive ring that the first phones must have; absent: any"`
	Expect string           `toml:"expect" required:"true" doc:"the route as crosspoint route prints it: 101, pstn 5551234, 101 + 102, 101 then 102, or refused"`
}
