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

type lineTable struct {
	tomlfile.Pos
	Number        string         `toml:"number"`
	Numbers       []furtherTable `toml:"numbers" doc:"up to 4 further numbers, which ring differently"`
	DialToneAfter time.Duration  `toml:"dial_tone_after" doc:"from off-hook; 0: 250ms"`
	NoDialTone    bool           `toml:"no_dial_tone"`
	Reversal      bool           `toml:"reversal" doc:"polarity is reversed on answer"`
	LoopDrop      time.Duration  `toml:"loop_drop" doc:"when the other side hangs up; 0: 350ms"`
	NoLoopDrop    bool           `toml:"no_loop_drop"`
	AfterHangUp   string         `toml:"after_hangup" enum:"busy,dial,congestion,silence"`
	Flash         time.Duration  `toml:"flash" doc:"longest loop break that is a hook-flash; zero: no such service"`
	ReturnLoss    float64        `toml:"echo_return_loss" doc:"dB by which what is sent comes back weaker; 0: nothing comes back"`
	EchoDelay     time.Duration  `toml:"echo_delay"`
	Noise         float64        `toml:"noise" doc:"level of noise on the line, dBm0; 0: none"`
	CallerID      string         `toml:"caller_id" doc:"standard of caller ID; empty: the country's"`
}

type furtherTable struct {
	tomlfile.Pos
	Number  string          `toml:"number" required:"true"`
	Ring    string          `toml:"ring" doc:"its cadence by name: outside, inside, recall, urgent, dr1 to dr4; empty: the country's"`
	Cadence []time.Duration `toml:"cadence" doc:"or written out: ring, pause, ring, pause"`
}

// further are the further numbers of the line, with what is wrong with them;
// taken holds whose the numbers before them are.
func (l *lineTable) further(country tone.Country, taken map[string]string) (all []FurtherNumber, problems []tomlfile.Problem) {
	for _, t := range l.Numbers {
		f := FurtherNumber{Number: t.Number, Cadence: t.Cadence}
		if t.Ring != "" {
			var err error
			if f.Cadence, err = ParseCadence(country, t.Ring); err != nil {
				problems = append(problems, t.KeyProblem("ring", "%v", err))
				continue
			}
		}
		all = append(all, f)
		if t.Ring != "" && t.Cadence != nil {
			problems = append(problems, t.KeyProblem("cadence", "number %s has ring and cadence: write one of them", t.Number))
		}
		// One number more at a time, so that the message has its place.
		if err := checkFurther(all, func(number string) string { return taken[number] }); err != nil {
			problems, all = append(problems, t.Problem("%v", err)), all[:len(all)-1]
		}
	}
	return all, problems
}

type phoneTable struct {
	tomlfile.Pos
	Answer int           `toml:"answer" doc:"after so many rings; 0: never"`
	Plays  string        `toml:"plays" enum:"signal,announcement"`
	Repeat bool          `toml:"repeat"`
	Echo   bool          `toml:"echo"`
	HangUp time.Duration `toml:"hang_up" doc:"after it was lifted; 0: when the other side has hung up"`
	Shows  bool          `toml:"waiting_display" doc:"shows who calls while it is in use"`
	Plain  bool          `toml:"plain" doc:"without display: in Japan it does not go off-hook for caller ID"`
}

type subscriberFile struct {
	tomlfile.Pos
	Number      string        `toml:"number" required:"true"`
	Name        string        `toml:"name"`
	Answer      time.Duration `toml:"answer" doc:"how long it rings first; 0: 1s"`
	Is          string        `toml:"is" enum:"busy,unanswered,congested,intercepted" doc:"instead of answering"`
	Plays       string        `toml:"plays" enum:"signal,announcement"`
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
		if c.FXO < 0 || c.FXS < 0 || c.TDM < 0 || c.FXO+c.FXS+c.TDM > 32 {
			problems = append(problems, c.Problem("a card has up to 32 ports, not %d FXO, %d FXS and %d TDM", c.FXO, c.FXS, c.TDM))
		}
		slots, wrong := c.timeslots()
		problems = append(problems, wrong...)
		damage := Impairment{BitErrors: c.BitErrors, LostBytes: c.LostBytes}
		problems = append(problems, rates(c.Pos, damage)...)
		cfg.Cards = append(cfg.Cards, CardConfig{Name: c.Name, FXO: c.FXO, FXS: c.FXS, Timeslots: slots, SkewPPM: c.SkewPPM,
			Link: c.Link, SelfPowered: c.SelfPowered, Impairment: damage})
	}
	for _, m := range f.Modems {
		modem, wrong := m.config()
		cfg.Modems, problems = append(cfg.Modems, modem), append(problems, wrong...)
	}
	taken := map[string]string{}
	for i, l := range f.Lines {
		if l.Number != "" {
			taken[l.Number] = fmt.Sprintf("line fxo%d's", i+1)
		}
	}
	for i, l := range f.Lines {
		further, wrong := l.further(country, taken)
		problems = append(problems, wrong...)
		for _, f := range further {
			taken[f.Number] = fmt.Sprintf("line fxo%d's", i+1)
		}
		if l.CallerID != "" {
			if _, err := callerid.Lookup(l.CallerID); err != nil {
				problems = append(problems, l.KeyProblem("caller_id", "%v", err))
			}
		}
		if strings.Trim(l.Number, "0123456789") != "" {
			problems = append(problems, l.KeyProblem("number", "number %q: write digits only", l.Number))
		}
		if l.NoDialTone {
			l.DialToneAfter = -1
		}
		if l.NoLoopDrop {
			l.LoopDrop = -1
		}
		h := Hybrid{ReturnLoss: l.ReturnLoss, Delay: l.EchoDelay, Noise: l.Noise}
		if _, err := newHybrid(h); err != nil {
			problems = append(problems, l.Problem("%v", err))
		}
		cfg.Lines = append(cfg.Lines, LineConfig{Number: l.Number, Further: further, DialToneAfter: l.DialToneAfter, Reversal: l.Reversal,
			LoopDrop: l.LoopDrop, AfterHangUp: afterHangUps[l.AfterHangUp], Flash: l.Flash, CallerID: l.CallerID, Hybrid: h})
	}
	for _, p := range f.Phones {
		cfg.Phones = append(cfg.Phones, PhoneConfig{Answer: p.Answer, Plays: sound(p.Plays, 0), Repeat: p.Repeat, Echo: p.Echo, HangUp: p.HangUp, WaitingDisplay: p.Shows, Plain: p.Plain})
	}
	for _, s := range f.Subscribers {
		if strings.Trim(s.Number, "0123456789*#") != "" {
			problems = append(problems, s.KeyProblem("number", "number %q: write digits only", s.Number))
		}
		cfg.Subscribers = append(cfg.Subscribers, s.subscriber())
	}
	return cfg, tomlfile.Sort(problems)
}

var afterHangUps = map[string]AfterHangUp{"": ThenBusy, "busy": ThenBusy, "dial": ThenDial, "congestion": ThenCongestion, "silence": ThenSilence}

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
	}
	return nil
}
