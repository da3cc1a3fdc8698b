package linesim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"crosspoint/gateway/callerid"
	"crosspoint/internal/tomlfile"
	"crosspoint/media/tone"
)

// townFile is a town as a TOML file describes it.
type townFile struct {
	Country     string           `toml:"country" doc:"tones and bells: us, uk, de …"`
	Cards       []cardTable      `toml:"card"`
	Modems      []modemTable     `toml:"modem" doc:"voice modems, each with a line of its own after those of the cards"`
	Lines       []lineTable      `toml:"line" doc:"fxo1, fxo2 … in order"`
	Phones      []phoneTable     `toml:"phone" doc:"fxs1, fxs2 … in order"`
	Subscribers []subscriberFile `toml:"subscriber"`
}

type cardTable struct {
	tomlfile.Pos
	Name        string           `toml:"name"`
	FXO         int              `toml:"fxo" doc:"ports that face the town"`
	FXS         int              `toml:"fxs" doc:"ports that face telephones"`
	TDM         int              `toml:"tdm" doc:"timeslots of a T1 or E1, ports after those"`
	Signalling  tomlfile.Strings `toml:"signalling" doc:"what is at the far end of each timeslot: wink-start, immediate-start (another exchange), fxo-loop-start, fxo-ground-start (a line of the town), fxs-loop-start, fxs-ground-start (a telephone); the last is for all that follow; absent: wink-start"`
	SkewPPM     float64          `toml:"skew_ppm" doc:"by how much its crystal is fast, parts per million"`
	Link        string           `toml:"link" doc:"where the link to its terminal is put"`
	SelfPowered bool             `toml:"self_powered" doc:"keeps its state while unplugged"`
	BitErrors   float64          `toml:"bit_errors" doc:"bit error rate of its serial line"`
	LostBytes   float64          `toml:"lost_bytes" doc:"rate of octets lost on it"`
}

// config is the card, with what is wrong with it.
func (c *cardTable) config() (CardConfig, []tomlfile.Problem) {
	slots, problems := c.timeslots()
	if c.FXO < 0 || c.FXS < 0 || c.TDM < 0 || c.FXO+c.FXS+c.TDM > 32 {
		problems = append(problems, c.Problem("a card has up to 32 ports, not %d FXO, %d FXS and %d TDM", c.FXO, c.FXS, c.TDM))
	}
	damage := Impairment{BitErrors: c.BitErrors, LostBytes: c.LostBytes}
	problems = append(problems, rates(c.Pos, damage)...)
	return CardConfig{Name: c.Name, FXO: c.FXO, FXS: c.FXS, Timeslots: slots, SkewPPM: c.SkewPPM,
		Link: c.Link, SelfPowered: c.SelfPowered, Impairment: damage}, problems
}

// timeslots are those of the card, with what is wrong with them.
func (c *cardTable) timeslots() (slots []TimeslotConfig, problems []tomlfile.Problem) {
	if len(c.Signalling) > max(c.TDM, 0) {
		problems = append(problems, c.KeyProblem("signalling", "signalling names %d timeslots: tdm says that there are %d", len(c.Signalling), c.TDM))
	}
	sig := WinkStart
	for i := range min(max(c.TDM, len(c.Signalling)), 32) {
		if i < len(c.Signalling) {
			var err error
			if sig, err = ParseSignalling(c.Signalling[i]); err != nil {
				problems = append(problems, c.KeyProblem("signalling", "%v", err))
			}
		}
		slots = append(slots, TimeslotConfig{Signalling: sig})
	}
	return slots, problems
}

// rates tells what is wrong with the damage of a serial line.
func rates(at tomlfile.Pos, damage Impairment) (problems []tomlfile.Problem) {
	for key, rate := range map[string]float64{"bit_errors": damage.BitErrors, "lost_bytes": damage.LostBytes} {
		if rate < 0 || rate > 0.5 {
			problems = append(problems, at.KeyProblem(key, "a rate is between 0 and 0.5, not %v", rate))
		}
	}
	return problems
}

type modemTable struct {
	tomlfile.Pos
	Name      string           `toml:"name"`
	Family    string           `toml:"family" doc:"whose dialect it speaks; absent: v253" enum:"v253,conexant,usr,lucent"`
	Quirks    tomlfile.Strings `toml:"quirks" doc:"faults that real modems have: triple-stop, no-loop-events, false-dial-tone, forgetful, garbled-echo, stray-u, late-off-hook, silent-end, deaf-after-beep, half-duplex, no-voice, no-companding, refuses-offhook, no-cadence, mute-cadence"`
	SkewPPM   float64          `toml:"skew_ppm" doc:"by how much its crystal is fast, parts per million"`
	Link      string           `toml:"link" doc:"where the link to its terminal is put"`
	BitErrors float64          `toml:"bit_errors" doc:"bit error rate of its serial line"`
	LostBytes float64          `toml:"lost_bytes" doc:"rate of octets lost on it"`
}

// config is the modem, with what is wrong with it.
func (m *modemTable) config() (cfg ModemConfig, problems []tomlfile.Problem) {
	cfg = ModemConfig{Name: m.Name, Family: m.Family, SkewPPM: m.SkewPPM, Link: m.Link,
		Impairment: Impairment{BitErrors: m.BitErrors, LostBytes: m.LostBytes}}
	problems = rates(m.Pos, cfg.Impairment)
	for _, q := range m.Quirks {
		if !slices.Contains(modemQuirks, ModemQuirk(q)) {
			problems = append(problems, m.KeyProblem("quirks", "no quirk %q: there are %v", q, modemQuirks))
		}
		cfg.Quirks = append(cfg.Quirks, ModemQuirk(q))
	}
	return cfg, problems
}

type phoneTable struct {
	tomlfile.Pos
	Answer int           `toml:"answer" doc:"after so many rings; 0: never"`
	Plays  string        `toml:"plays" enum:"signal,announcement,fax-answer,fax-calling" doc:"signal: a noise like speech; announcement: a melody; fax-answer, fax-calling: the tone of a fax machine that is called, or calls"`
	Repeat bool          `toml:"repeat"`
	Echo   bool          `toml:"echo"`
	HangUp time.Duration `toml:"hang_up" doc:"after it was lifted; 0: when the other side has hung up"`
	Shows  bool          `toml:"waiting_display" doc:"shows who calls while it is in use"`
	Plain  bool          `toml:"plain" doc:"without display and message lamp: in Japan it does not go off-hook for caller ID"`
}

type subscriberFile struct {
	tomlfile.Pos
	Number      string        `toml:"number" required:"true"`
	Name        string        `toml:"name"`
	Answer      time.Duration `toml:"answer" doc:"how long it rings first; 0: 1s"`
	Is          string        `toml:"is" enum:"busy,unanswered,congested,intercepted" doc:"instead of answering"`
	Plays       string        `toml:"plays" enum:"signal,announcement,fax-answer,fax-calling" doc:"signal: a noise like speech; announcement: a melody; fax-answer, fax-calling: the tone of a fax machine that is called, or calls"`
	For         time.Duration `toml:"for" doc:"length of what it plays; 0: 20s"`
	Repeat      bool          `toml:"repeat"`
	Echo        bool          `toml:"echo"`
	HangUp      time.Duration `toml:"hang_up" doc:"after answering; 0: waits for the other"`
	CallBack    time.Duration `toml:"call_back" doc:"this long after its caller has hung up, it rings that line"`
	GiveUp      time.Duration `toml:"give_up" doc:"how long it rings as a caller; 0: 60s"`
	Withheld    bool          `toml:"withheld"`
	Absent      string        `toml:"absent" enum:"unavailable,private,payphone,service" doc:"why its number is not told"`
	NoCallerID  bool          `toml:"no_caller_id"`
	BadCallerID bool          `toml:"bad_caller_id"`
}

// Load reads a town from a TOML file. What the file leaves out is as in the
// zero Config. A Config is usable if no problem is fatal.
func Load(path string) (Config, []tomlfile.Problem) {
	var f townFile
	problems := tomlfile.Load(path, &f)
	if tomlfile.Fatal(problems) {
		return Config{}, problems
	}
	cfg := Config{Country: f.Country}
	country, err := tone.Lookup(f.Country)
	if err != nil {
		problems = append(problems, tomlfile.Problem{File: path, Message: err.Error()})
	}
	for _, c := range f.Cards {
		card, wrong := c.config()
		cfg.Cards, problems = append(cfg.Cards, card), append(problems, wrong...)
	}
	for _, m := range f.Modems {
		modem, wrong := m.config()
		cfg.Modems, problems = append(cfg.Modems, modem), append(problems, wrong...)
	}
	taken := map[string]string{}
	for i, l := range f.Lines {
		if whose := taken[l.Number]; whose != "" {
			problems = append(problems, l.KeyProblem("number", "number %s is %s already", l.Number, whose))
		}
		if l.Number != "" {
			taken[l.Number] = fmt.Sprintf("line fxo%d's", i+1)
		}
	}
	for i, l := range f.Lines {
		line, wrong := l.config(country, fmt.Sprintf("line fxo%d's", i+1), taken)
		cfg.Lines, problems = append(cfg.Lines, line), append(problems, wrong...)
	}
	for _, p := range f.Phones {
		cfg.Phones = append(cfg.Phones, PhoneConfig{Answer: p.Answer, Plays: sound(p.Plays, 0), Repeat: p.Repeat, Echo: p.Echo, HangUp: p.HangUp, WaitingDisplay: p.Shows, Plain: p.Plain})
	}
	for _, s := range f.Subscribers {
		if strings.Trim(s.Number, "0123456789*#") != "" {
			problems = append(problems, s.KeyProblem("number", "number %q: write digits only", s.Number))
		}
		if whose := taken[s.Number]; whose != "" {
			problems = append(problems, s.KeyProblem("number", "number %s is %s already", s.Number, whose))
		}
		cfg.Subscribers = append(cfg.Subscribers, s.subscriber())
	}
	return cfg, tomlfile.Sort(problems)
}

var absences = map[string]callerid.Absence{"unavailable": callerid.Unavailable, "private": callerid.Private,
	"payphone": callerid.Payphone, "service": callerid.ServiceConflict}

func (s *subscriberFile) subscriber() Subscriber {
	return Subscriber{
		Number: s.Number, Name: s.Name, Answer: s.Answer,
		Busy: s.Is == "busy", NoAnswer: s.Is == "unanswered", Congested: s.Is == "congested", Intercepted: s.Is == "intercepted",
		Plays: sound(s.Plays, s.For), Repeat: s.Repeat, Echo: s.Echo,
		HangUp: s.HangUp, CallBack: s.CallBack, GiveUp: s.GiveUp,
		Withheld: s.Withheld, Absent: absences[s.Absent], NoCallerID: s.NoCallerID, BadCallerID: s.BadCallerID,
	}
}

// sound is what a name in a file stands for.
func sound(name string, d time.Duration) []int16 {
	if d <= 0 {
		d = 20 * time.Second
	}
	switch name {
	case "signal":
		return Signal(d)
	case "announcement":
		return Announcement(d)
	case "fax-answer":
		return FaxAnswer()
	case "fax-calling":
		return FaxCalling(d)
	}
	return nil
}
