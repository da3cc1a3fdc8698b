package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"slices"

	"crosspoint/internal/tomlfile"
	"crosspoint/internal/wiring"
)

func reloadCommand() command {
	var t target
	return command{name: "reload", brief: "Has a running exchange read its office file again; calls go on",
		about: `
The file is checked with all its tests first: one that is wrong changes nothing,
and what is wrong with it is printed. What has changed is printed and logged, and
apart from it what takes effect only after a restart. SIGHUP does the same.`,
		flags: func(fs *flag.FlagSet) runner {
			t.flags(fs)
			return func(ctx context.Context, c console, args []string) error {
				if err := none(args); err != nil {
					return err
				}
				a, err := t.asker()
				if err != nil {
					return err
				}
				var v reloadView
				if err := a.order(ctx, "/reload", url.Values{}, &v); err != nil {
					return err
				}
				return showReload(c, t.json, v)
			}
		}}
}

// reloadView is what came of a reload.
type reloadView struct {
	File     string             `json:"file"`
	Reloaded bool               `json:"reloaded"`           // false: nothing has changed
	Changed  []string           `json:"changed,omitempty"`  // what is in force now, and was not before
	Restart  []string           `json:"restart,omitempty"`  // what the file says, and takes a restart
	Problems []tomlfile.Problem `json:"problems,omitempty"` // of the file; some may be warnings
	Why      string             `json:"why,omitempty"`      // it was refused though the file is right
}

func showReload(c console, asJSON bool, v reloadView) error {
	if asJSON {
		enc := json.NewEncoder(c.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(v); err != nil {
			return err
		}
	} else {
		fmt.Fprint(c.err, tomlfile.Text(v.Problems))
	}
	if !v.Reloaded {
		if !asJSON {
			fmt.Fprintf(c.err, "%s: not reloaded, nothing has changed%s\n", v.File, because(v.Why))
		}
		return errSaid
	}
	if asJSON {
		return nil
	}
	for _, line := range v.Changed {
		c.printf("%s\n", line)
	}
	for _, line := range v.Restart {
		c.printf("%s   (after a restart)\n", line)
	}
	c.printf("%s: reloaded, %d changes in force\n", v.File, len(v.Changed))
	return nil
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// reload implements informant: it reads the office file again and puts it in
// force as one step, or changes nothing.
func (o *office) reload() reloadView {
	<-o.ready
	o.reloading.Lock()
	defer o.reloading.Unlock()
	v := reloadView{File: o.cfg.File}
	read, plan, problems := loadConfig(o.cfg.File)
	v.Problems = problems
	if plan == nil {
		return o.notReloaded(v)
	}
	running := o.inForce.Load()
	next := pinned(read, running)
	if _, plan, problems = compile(next, nil); plan == nil {
		v.Problems = problems
		v.Why = "with what takes a restart left as it is, the file is wrong: restart instead"
		return o.notReloaded(v)
	}
	if err := o.cards.add(next, o.log); err != nil {
		v.Why = err.Error()
		return o.notReloaded(v)
	}
	err := o.joined.Reload(wiring.Reload{
		Parties: next.Config, Plan: plan, Strangers: next.SIP.Strangers, RefuseForeignIdentity: next.SIP.StrictIdentity,
	})
	if err != nil {
		v.Why = err.Error()
		return o.notReloaded(v)
	}
	o.memory.keepCalls(next.keepCalls())
	o.inForce.Store(next)
	v.Reloaded, v.Changed, v.Restart = true, tomlfile.Diff(running, next), tomlfile.Diff(next, read)
	for _, line := range v.Changed {
		o.log.Info("reload: changed", "what", line)
	}
	for _, line := range v.Restart {
		o.log.Warn("reload: takes effect after a restart", "what", line)
	}
	o.log.Info("reloaded", "file", v.File, "changes", len(v.Changed), "calls", len(o.exchange.Calls()))
	return v
}

func (o *office) notReloaded(v reloadView) reloadView {
	for _, p := range v.Problems {
		if !p.Warning {
			o.log.Error("reload: " + p.Error())
		}
	}
	o.log.Error("not reloaded, nothing has changed", "file", v.File, "why", orElse(v.Why, "the file is wrong"))
	return v
}

// pinned is a file as far as it can be put in force over a running one: sockets,
// ports, open devices and what calls are begun with stay as they are.
func pinned(read, running *Config) *Config {
	next := *read
	next.SIP = running.SIP
	next.SIP.Domains, next.SIP.Strangers, next.SIP.StrictIdentity = read.SIP.Domains, read.SIP.Strangers, read.SIP.StrictIdentity
	next.RTP, next.Music, next.Recording, next.Services = running.RTP, running.Music, running.Recording, running.Services
	next.Metrics, next.Control, next.Log = running.Metrics, running.Control, running.Log
	next.Store.File = running.Store.File
	next.Cards = slices.Clone(running.Cards)
	for _, card := range read.Cards {
		if !slices.ContainsFunc(running.Cards, func(c Card) bool { return c.Name == card.Name }) {
			next.Cards = append(next.Cards, card)
		}
	}
	return &next
}
