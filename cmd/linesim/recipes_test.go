package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua"
	"crosspoint/internal/lab"
)

// A recipe is a chapter below "Making it go wrong": towns, commands in them, and
// what crosspoint lines, calls and ladder say then.
type recipe struct {
	*chapter
	keys   string // the chapter puts them into the office file's line fxo1
	healed string // and with these, what it claims is no longer so
}

// recipes are those chapters, each with the keys that it names.
func recipes(t *testing.T) (office string, all []recipe) {
	t.Helper()
	keys := map[string]recipe{
		"A line that never hangs up":     {keys: `silence = "20s"`},
		"A line that hangs up by itself": {healed: `loop_drop = "300ms"`},
		"A distinctive ring":             {keys: `numbers = [{ ring = "dr2", number = "5553001" }]`},
	}
	for _, c := range page(t) {
		for _, p := range c.pieces {
			if p.language == "toml" {
				office += p.text
			}
		}
		if c.over != "Making it go wrong" || c.title == c.over {
			continue
		}
		r := keys[c.title]
		r.chapter = c
		if !strings.Contains(c.text, "`"+r.keys+"`") && r.keys != "" || !strings.Contains(c.text, "`"+r.healed+"`") && r.healed != "" {
			t.Errorf("%s: the page does not say %s%s", c.title, r.keys, r.healed)
		}
		delete(keys, c.title)
		all = append(all, r)
	}
	if len(keys) > 0 || len(all) < 7 {
		t.Errorf("%d recipes, missing %v", len(all), keys)
	}
	return strings.Replace(office, `"/tmp/card1"`, `"sim"`, 1), all
}

// patience is how long after a command the next one follows: a call is answered
// after two rings of the town and two of the telephone.
func patience(command string) time.Duration {
	switch word := strings.Fields(command); {
	case word[0] == "ring":
		return 12500 * time.Millisecond
	case word[0] == "phone" && word[2] == "dial", word[0] == "errors":
		return 5500 * time.Millisecond
	}
	return 2 * time.Second
}

// TestPageRecipes follows the recipes, and sees that the exchange says what the page
// claims.
func TestPageRecipes(t *testing.T) {
	office, all := recipes(t)
	for _, r := range all {
		t.Run(r.title, func(t *testing.T) {
			if missing := r.follow(t, office, r.keys, 30*time.Second); missing != "" {
				t.Error(missing)
			}
			if r.healed != "" && r.follow(t, office, r.healed, time.Second) == "" {
				t.Errorf("it is the same with %s", r.healed)
			}
		})
	}
}

// follow does what the chapter says in an office with these keys. It returns
// what of its claims is not true within a time.
func (r recipe) follow(t *testing.T, office, keys string, within time.Duration) (missing string) {
	const fxo1 = "name     = \"fxo1\"\n"
	cfg := lab.Config{Text: strings.Replace(office, fxo1, fxo1+keys+"\n", 1), Town: r.town(t), Quiet: true}
	lab.Play(t, cfg, func(l *lab.Lab) {
		for _, p := range r.pieces {
			for line := range strings.Lines(p.text) {
				line = strings.TrimSpace(line)
				switch p.language {
				case "town":
					if _, err := l.Town.Command(line); err != nil {
						t.Errorf("line %d: %s: %v", p.line, line, err)
					}
					time.Sleep(patience(line))
				case "text":
					if !says(l, line, within) {
						missing += fmt.Sprintf("line %d: nobody says %q:\n%s", p.line, line, whole(l))
					}
				}
			}
		}
		for _, line := range l.Town.Town().Lines() {
			line.Cut(false)
			line.HangUp()
		}
		for _, phone := range l.Town.Phones() {
			phone.OnHook()
		}
		time.Sleep(2 * time.Second)
		l.Town.Card(1).Unplug(0) // the minute that follows costs nothing then
	})
	return missing
}

// says waits for a line of what the exchange says; in it … stands for anything.
func says(l *lab.Lab, line string, within time.Duration) bool {
	var parts []string
	for part := range strings.SplitSeq(strings.ReplaceAll(line, "/tmp/card1", "sim"), "…") {
		parts = append(parts, strings.ReplaceAll(regexp.QuoteMeta(strings.Join(strings.Fields(" "+part+" "), " ")), " ", `\s+`))
	}
	claim := regexp.MustCompile(strings.Join(parts, ".*"))
	for until := time.Now().Add(within); time.Now().Before(until); time.Sleep(time.Second) {
		if claim.MatchString(whole(l)) {
			return true
		}
	}
	return false
}

// whole is what crosspoint lines, calls and ladder print, and the town's calls and
// events.
func whole(l *lab.Lab) string {
	var b strings.Builder
	for _, s := range l.Office.Gateway.Lines() {
		fmt.Fprintf(&b, "%s %v %s %s\n", s.Line, s.Kind, s.Port, s.State)
		if s.ReturnLoss != 0 {
			fmt.Fprintf(&b, "%s: echo return loss %.0f dB, cancelled by %.0f dB more\n", s.Line, s.ReturnLoss, s.Enhancement)
		}
		if s.Fault != "" {
			fmt.Fprintf(&b, "%s: last fault %v ago: %s\n", s.Line, time.Since(s.FaultAt), s.Fault)
		}
		for _, c := range s.Last {
			fmt.Fprintf(&b, "%s: %v ago a call %s %s, talked %.0f s: %s\n", s.Line, time.Since(c.At),
				map[bool]string{true: "from", false: "to"}[c.Incoming], c.Number, c.Talked.Seconds(), c.Ended)
		}
	}
	for _, r := range append(l.Office.Exchange.Calls(), l.Office.Exchange.Ended()...) {
		call(&b, r)
	}
	for _, command := range []string{"calls", "events 100"} {
		text, _ := l.Town.Command(command)
		b.WriteString(text + "\n")
	}
	return b.String()
}

// call is what is said of one call.
func call(b *strings.Builder, r b2bua.Record) {
	from, dialed, answerer, state := r.From.String(), r.Dialed, r.Answerer, r.State
	if strings.HasPrefix(r.Source.Name, "fxo") {
		from += " on " + r.Source.Name
	}
	if dialed == "" {
		dialed = "-"
	}
	if answerer == "" {
		answerer = "-"
	}
	if !r.Ended.IsZero() {
		state = "ended: " + r.Why
	}
	fmt.Fprintf(b, "%s %s %s %s %s %v %s\n", r.ID, r.Began.Format(time.TimeOnly), from, dialed, answerer, r.Talked(), state)
	fmt.Fprintf(b, "call %s: %s dialed %s at %s, %s\n", r.ID, from, dialed, r.Began.Format(time.TimeOnly), r.Why)
	for _, a := range r.Audio {
		fmt.Fprintf(b, "audio of %s: %d packets received, %d lost, %d refused; %d sent; hears with MOS %.1f of 4.4\n",
			a.Leg, a.Stats.Received, a.Stats.Lost, a.Stats.Dropped, a.Stats.Sent, a.Hears.MOS)
	}
}
