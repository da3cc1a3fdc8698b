package dialplan

import (
	"strings"
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	p := plan(t, strings.ReplaceAll(phones, `allow = ["internal", "local"]`, "class = \"staff\"\nmax_calls = 2")+outside+outwards+`
[[trunk]]
name = "small"
lines = ["fxo1"]
max_calls = 1
[[rule]]
dial = "8."
strip = 1
to = ["small", "sip"]
[[rule]]
dial = "7."
strip = 1
to = "small"
[[class]]
name = "staff"
allow = ["internal", "local", "national"]
toll_per_day = "1h"
`)
	usage := map[string]Usage{}
	match := func(dial string) Route {
		r, _ := p.Match(Query{From: caller(t, p, "101"), Dialed: dial, Usage: func(name string) Usage { return usage[name] }})
		return r
	}
	if r := match("912125551234"); r.Refusal != nil || r.MaxTalk != time.Hour {
		t.Errorf("a fresh day: %s, may talk %v", r, r.MaxTalk)
	}
	usage["101"] = Usage{Calls: 1, Toll: 45 * time.Minute}
	if r := match("912125551234"); r.MaxTalk != 15*time.Minute {
		t.Errorf("a quarter left: %s, may talk %v", r, r.MaxTalk)
	}
	usage["101"] = Usage{Toll: time.Hour}
	if r := match("912125551234"); r.String() != "refused 403" || !strings.Contains(r.Refusal.Reason, "1h0m0s of toll calls") {
		t.Errorf("all used up: %s %+v", r, r.Refusal)
	}
	if r := match("95551234"); r.Refusal != nil || r.MaxTalk != 0 {
		t.Errorf("local calls are free: %s, may talk %v", r, r.MaxTalk)
	}
	usage["small"] = Usage{Calls: 1}
	if r := match("85551234"); r.String() != "sip +12015551234" {
		t.Errorf("a full trunk is passed over: %s", r)
	}
	if r := match("75551234"); r.String() != "refused 503" || r.Refusal.Q850 != 34 {
		t.Errorf("the only trunk is full: %s %+v", r, r.Refusal)
	}
	usage["101"] = Usage{Calls: 2}
	if r := match("102"); r.String() != "refused 503" {
		t.Errorf("a third call: %s", r)
	}
}
