package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"

	"crosspoint/dialplan"
	"crosspoint/internal/tomlfile"
)

func dialCommand() command {
	var t target
	var from string
	return command{name: "dial", args: "NUMBER", brief: "Calls a phone and, when it answers, the number (click to dial)",
		about: `
The number is dialled as the phone of --from would dial it, with its permissions.
Programs do the same by an HTTP POST of from and number to /dial on the control
socket; the answer is {"call": "ID"}.`,
		flags: func(fs *flag.FlagSet) runner {
			t.flags(fs)
			fs.StringVar(&from, "from", "", "`EXTENSION` to be called first")
			return func(ctx context.Context, c console, args []string) error {
				if len(args) != 1 || from == "" {
					return usagef("--from and one NUMBER are needed: whom to call first, and whom to connect it with")
				}
				return dial(ctx, c, t, url.Values{"from": {from}, "number": args})
			}
		}}
}

func dial(ctx context.Context, c console, t target, form url.Values) error {
	a, err := t.asker()
	if err != nil {
		return err
	}
	var v dialView
	if err := a.order(ctx, "/dial", form, &v); err != nil {
		return err
	}
	if t.json {
		return json.NewEncoder(c.out).Encode(v)
	}
	c.printf("call %s: %s rings; what comes of it: crosspoint calls %[1]s\n", v.Call, form.Get("from"))
	return nil
}

// dial implements informant. What the plan would refuse is refused before
// anything rings.
func (o *office) dial(from, number string) (string, error) {
	<-o.ready
	plan := o.joined.Plan()
	who, ok := plan.Caller(from)
	if !ok || who.Kind != dialplan.FromPhone {
		return "", fmt.Errorf("%q is no phone of this office%s", from, tomlfile.Suggest(from, plan.Callers()))
	}
	if number == "" {
		return "", fmt.Errorf("no number: name whom %s is to be connected with", from)
	}
	if r := o.exchange.Route(who, number); r.Refusal != nil {
		return "", fmt.Errorf("%s may not be connected with %s: %s", from, number, r.Refusal)
	}
	return o.exchange.Originate(from, number)
}
