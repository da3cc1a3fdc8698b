package modem

import (
	"regexp"
	"strings"
)

// A family is a kind of modem with its dialect. V.253 leaves much open, and
// makers differ in what it fixes.
type family struct {
	name string
	// answers is what the modem says of itself (ATI, AT+GMI, AT+GMM) by which
	// it is known; nil fits all.
	answers *regexp.Regexp
	// silenceOff switches the silence detector off, which would else end a
	// stream: level and time of +VSD differ per family.
	silenceOff string
	// callerID are commands that set the standard of caller ID, by the names
	// that configurations use; nil: the modem knows its own.
	callerID map[string]string
	// liesDialTone: the modem tells of dial tone while somebody speaks.
	liesDialTone bool
	// noLoopEvents: the modem does not tell of an interruption of the loop, so
	// that the end of a call shows in tones and silence only.
	noLoopEvents bool
}

// families lists what is known, the last fits any modem.
var families = []family{
	{
		name:       "Conexant",
		answers:    regexp.MustCompile(`(?i)conexant|cx\d{4}|rockwell|HSFi?\b`),
		silenceOff: "AT+VSD=0,0",
		callerID: map[string]string{
			"bell202": "AT!4886=00", "japan": "AT!4886=01", "v23": "AT!4886=02", "uk": "AT!4886=03", "dtmf": "AT!4886=05",
		},
	},
	{
		name:         "USRobotics",
		answers:      regexp.MustCompile(`(?i)u\.?s\.? ?robotics|\bUSR|3com|\b56(05|10|37|68)\b`),
		silenceOff:   "AT+VSD=128,0",
		liesDialTone: true,
		noLoopEvents: true,
	},
	{
		name:       "Lucent",
		answers:    regexp.MustCompile(`(?i)lucent|agere|multitech|MT5634`),
		silenceOff: "AT+VSD=128,0",
	},
	{name: "V.253", silenceOff: "AT+VSD=128,0"},
}

// recognise finds the family of a modem by all that it said of itself.
func recognise(answers []string) *family {
	all := strings.Join(answers, "\n")
	for i := range families {
		if f := &families[i]; f.answers == nil || f.answers.MatchString(all) {
			return f
		}
	}
	panic("modem: the last family fits all")
}
