package linesim

import (
	"strings"
	"time"

	"crosspoint/gateway/callerid"
	"crosspoint/internal/tomlfile"
	"crosspoint/media/tone"
)

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

// config is the line, with what is wrong with it. name is whose its numbers are;
// taken holds whose others are, and is told of them.
func (l *lineTable) config(country tone.Country, name string, taken map[string]string) (LineConfig, []tomlfile.Problem) {
	further, problems := l.further(country, taken)
	for _, f := range further {
		taken[f.Number] = name
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
	return LineConfig{Number: l.Number, Further: further, DialToneAfter: l.DialToneAfter, Reversal: l.Reversal,
		LoopDrop: l.LoopDrop, AfterHangUp: afterHangUps[l.AfterHangUp], Flash: l.Flash, CallerID: l.CallerID, Hybrid: h}, problems
}

var afterHangUps = map[string]AfterHangUp{"": ThenBusy, "busy": ThenBusy, "dial": ThenDial, "congestion": ThenCongestion, "silence": ThenSilence}

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
