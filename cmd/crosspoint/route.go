package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"crosspoint/dialplan"
	"crosspoint/internal/tomlfile"
)

// question is what crosspoint route is asked.
type question struct {
	config, from, caller, at string
	alertInfo                string
	busy                     list
	noAnswer, json, brief    bool
}

// list is a flag that may be given several times, or once with commas.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, strings.Split(s, ",")...); return nil }

func routeCommand() command {
	var q question
	return command{name: "route", args: "NUMBER", brief: "Says what a number would do, and why",
		about: `
NUMBER is what a phone dials: 102, 95551234, '7773660;phone-context=p1234' or a
SIP address. '' is a line on which nothing is dialled. The exit code is 1 if the
call would be refused.`,
		flags: func(fs *flag.FlagSet) runner {
			fs.StringVar(&q.config, "config", "", "office `FILE`")
			fs.StringVar(&q.from, "from", "", "`WHO` calls: an extension, a line, a peer, or stranger")
			fs.StringVar(&q.caller, "caller", "", "`NUMBER` that the caller shows, or anonymous")
			fs.StringVar(&q.at, "at", "", "`TIME` of the call, such as \"2026-03-02 10:00\"; now if not given")
			fs.StringVar(&q.alertInfo, "alert-info", "", "`VALUE` by which the caller's side asks how telephones ring, such as \"<Bellcore-dr2>\"")
			fs.Var(&q.busy, "busy", "`EXTENSION` that is in a call; may be repeated")
			fs.BoolVar(&q.noAnswer, "no-answer", false, "nobody answers: show where the call goes then")
			fs.BoolVar(&q.json, "json", false, "print JSON")
			fs.BoolVar(&q.brief, "brief", false, "print the route in a line, as [[test]] expects it")
			return func(_ context.Context, c console, args []string) error {
				if len(args) != 1 {
					return usagef("name one NUMBER")
				}
				return route(c, q, args[0])
			}
		}}
}

func route(c console, q question, number string) error {
	if q.config == "" || q.from == "" {
		return usagef("--config and --from are needed: whose plan, and who calls")
	}
	_, plan, problems := loadConfig(q.config)
	if plan == nil { // warnings are check's matter
		fmt.Fprint(c.err, tomlfile.Text(problems))
		return fmt.Errorf("%s cannot be used until this is corrected", q.config)
	}
	query, err := q.query(plan, number)
	if err != nil {
		return err
	}
	found, trail := plan.Match(query)
	switch {
	case q.json:
		enc := json.NewEncoder(c.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(struct {
			From   dialplan.Caller `json:"from"`
			Dialed string          `json:"dialed"`
			At     time.Time       `json:"at"`
			Brief  string          `json:"brief"`
			Route  dialplan.Route  `json:"route"`
			Trail  dialplan.Trail  `json:"trail"`
			// Unanswered are the stages in the order in which they ring, if
			// --no-answer asks.
			Unanswered []dialplan.Stage `json:"unanswered,omitempty"`
		}{query.From, number, query.At, found.String(), found, trail, q.ringing(found)}); err != nil {
			return err
		}
	case q.brief:
		c.printf("%s\n", found)
	default:
		c.printf("%s dials %q at %s:\n%s", query.From, number, query.At.Format(dialplan.TimeLayout), dialplan.Explain(found, trail))
		if q.noAnswer {
			c.printf("\nwhen nobody answers:\n%s", unanswered(found))
		}
	}
	if found.Refusal != nil {
		return errSaid
	}
	return nil
}

func (q question) query(plan *dialplan.Plan, number string) (dialplan.Query, error) {
	from, ok := plan.Caller(q.from)
	if !ok {
		return dialplan.Query{}, fmt.Errorf("--from %q is no phone, line or peer of %s%s", q.from, q.config, tomlfile.Suggest(q.from, plan.Callers()))
	}
	switch q.caller {
	case "":
	case "anonymous":
		from.Withheld = true
	default:
		from.Number = q.caller
	}
	at := time.Now().In(plan.Location())
	if q.at != "" {
		var err error
		if at, err = plan.ParseTime(q.at); err != nil {
			return dialplan.Query{}, fmt.Errorf("--at %w", err)
		}
	}
	return dialplan.Query{From: from, Dialed: number, At: at, Why: !q.brief, AlertInfo: q.alertInfo, Busy: func(e string) bool { return slices.Contains(q.busy, e) }}, nil
}

// ringing is what rings one after another, if it was asked for.
func (q question) ringing(r dialplan.Route) []dialplan.Stage {
	if !q.noAnswer {
		return nil
	}
	return ringing(r)
}

// ringing follows a route stage by stage when nobody answers.
func ringing(r dialplan.Route) []dialplan.Stage {
	var stages []dialplan.Stage
	for i, ok := 0, len(r.Stages) > 0; ok; i, ok = r.Next(i, dialplan.NoAnswer) {
		stages = append(stages, r.Stages[i])
	}
	return stages
}

// unanswered tells people what rings one after another when nobody answers.
func unanswered(r dialplan.Route) string {
	var b strings.Builder
	stages := ringing(r)
	for i, s := range stages {
		var targets []string
		for _, t := range s.Targets {
			targets = append(targets, t.String())
		}
		fmt.Fprintf(&b, "  %s", strings.Join(targets, " + "))
		if s.RingFor > 0 {
			fmt.Fprintf(&b, " rings for %v", s.RingFor)
		} else {
			b.WriteString(" rings until the caller gives up")
		}
		b.WriteByte('\n')
		if i == len(stages)-1 && s.RingFor > 0 {
			b.WriteString("  then the caller is told that nobody answers\n")
		}
	}
	return b.String()
}
