package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"crosspoint/dialplan"
	"crosspoint/gateway/linesim"
)

// announce tells a newcomer what listens where, how to register a phone, and
// what to dial. It shows no password, only where it stands.
func (o *office) announce(c console) {
	cfg := o.cfg
	c.printf("Crosspoint serves %s.\n\n", cfg.File)
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	var listen []string
	for _, s := range o.bound {
		listen = append(listen, strings.ToUpper(s.network)+" "+s.addr.String())
	}
	low, high, _ := cfg.rtpRange()
	fmt.Fprintf(w, "SIP\t%s\n", strings.Join(listen, ", "))
	fmt.Fprintf(w, "Audio\tUDP %s, ports %d to %d\n", cfg.rtpAddress(), low, high)
	for _, card := range o.cards.view() {
		fmt.Fprintf(w, "Card\t%s on %s: %s\n", card.Name, card.Device, strings.Join(linesOn(cfg, card.Name), ", "))
	}
	if path := cfg.controlPath(); path != "" {
		fmt.Fprintf(w, "Ask it\tcrosspoint status, lines, calls or ladder --config %s\n", cfg.File)
	}
	if o.monitored != nil {
		fmt.Fprintf(w, "Metrics\thttp://%s/metrics\n", o.monitored.at)
	}
	w.Flush()
	o.announcePhones(c)
	o.announceNumbers(c)
	c.printf("\nStop it with Ctrl-C or SIGTERM.\n")
}

// linesOn lists a card's lines: "fxo1 (exchange)", "fxs1 (telephone 103)".
func linesOn(cfg *Config, card string) []string {
	var lines []string
	for _, l := range cfg.Lines {
		switch {
		case l.Card != card:
		case l.Kind == "fxs":
			lines = append(lines, fmt.Sprintf("%s (telephone %s)", l.Name, l.Extension))
		case l.Kind == "tdm":
			lines = append(lines, l.Name+" (timeslot)")
		default:
			lines = append(lines, l.Name+" (exchange line)")
		}
	}
	if len(lines) == 0 {
		return []string{"no [[line]] is on it"}
	}
	return lines
}

func (o *office) announcePhones(c console) {
	var phones []dialplan.Phone
	for _, p := range o.cfg.Phones {
		if p.Secret != "" {
			phones = append(phones, p)
		}
	}
	if len(phones) == 0 || len(o.bound) == 0 {
		return
	}
	c.printf("\nRegister a SIP phone at %s:\n", o.bound[0].addr)
	w := tabwriter.NewWriter(c.out, 2, 0, 2, ' ', 0)
	for _, p := range phones {
		fmt.Fprintf(w, "  user %s\tpassword: the secret at %s\t%s\n", orElse(p.User, p.Extension), p.Key("secret"), p.Name)
	}
	w.Flush()
}

func (o *office) announceNumbers(c console) {
	c.printf("\nWhat to dial:\n")
	w := tabwriter.NewWriter(c.out, 2, 0, 2, ' ', 0)
	for _, p := range o.cfg.Phones {
		what := p.Name
		if lines := o.joined.Plan().LinesOf(p.Extension); len(lines) > 0 {
			what += ", the telephone on " + strings.Join(lines, " and ")
		}
		fmt.Fprintf(w, "  %s\t%s\n", p.Extension, what)
	}
	for _, g := range o.cfg.Groups {
		fmt.Fprintf(w, "  %s\t%s: %s\n", g.Extension, g.Name, strings.Join(g.Members, ", "))
	}
	for _, r := range o.cfg.Rules {
		if r.Refuse == "" {
			dial := r.Dial
			if r.Context != "" {
				dial += ";phone-context=" + r.Context
			}
			fmt.Fprintf(w, "  %s\tto %s (%s)\n", dial, strings.Join(r.To, ", "), r.Pos)
		}
	}
	w.Flush()
	for _, card := range o.cfg.Cards {
		if sim := o.cards.sim[card.Name]; sim != nil {
			o.announceTown(c, card.Name, sim)
		}
	}
}

func (o *office) announceTown(c console, card string, sim *linesim.Sim) {
	c.printf("\nIn the simulated town behind %s:\n", card)
	w := tabwriter.NewWriter(c.out, 2, 0, 2, ' ', 0)
	for _, s := range sim.Town().Subscribers() {
		fmt.Fprintf(w, "  %s\t%s\n", orElse(o.dialFor(s.Number), s.Number), habits(s))
	}
	w.Flush()
}

// dialFor finds what the first phone dials so that a number is dialled on a
// telephone line: the plan is asked for the number itself, in each numbering plan,
// and after the prefix of each rule. Empty: it cannot reach the number.
func (o *office) dialFor(number string) string {
	if len(o.cfg.Phones) == 0 {
		return ""
	}
	plan := o.joined.Plan()
	from, _ := plan.Caller(o.cfg.Phones[0].Extension)
	tries := []string{number}
	for _, context := range o.cfg.Contexts {
		tries = append(tries, number+";phone-context="+context.Name)
	}
	for _, r := range o.cfg.Rules {
		if digits := strings.ReplaceAll(r.Dial, " ", ""); r.Strip > 0 && r.Strip <= len(digits) && r.Context == "" {
			tries = append(tries, digits[:r.Strip]+number)
		}
	}
	for _, dialed := range tries {
		route, _ := plan.Match(dialplan.Query{From: from, Dialed: dialed, At: time.Now()})
		if len(route.Stages) == 0 {
			continue
		}
		if t := route.Stages[0].Targets[0]; t.Kind == dialplan.ToTrunk && t.Number == number {
			return dialed
		}
	}
	return ""
}

// habits says what a subscriber of the town does when called.
func habits(s linesim.Subscriber) string {
	var does []string
	switch {
	case s.Busy:
		does = append(does, "is busy")
	case s.Congested:
		does = append(does, "cannot be reached: all paths are busy")
	case s.Intercepted:
		does = append(does, "is out of service")
	case s.NoAnswer:
		does = append(does, "never answers")
	default:
		does = append(does, fmt.Sprintf("answers after %v", max(s.Answer, time.Second)))
		if s.Echo {
			does = append(does, "says back what it hears")
		} else if len(s.Plays) > 0 {
			does = append(does, "speaks")
		}
		if s.HangUp > 0 {
			does = append(does, fmt.Sprintf("hangs up after %v", s.HangUp))
		}
		if s.CallBack > 0 {
			does = append(does, fmt.Sprintf("calls back %v after you have hung up", s.CallBack))
		}
	}
	return strings.Join(does, ", ")
}
