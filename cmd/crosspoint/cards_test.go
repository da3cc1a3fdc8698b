package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"crosspoint/gateway/linesim"
)

// TestSimulatedSpan: a simulated card has the far ends that its lines expect,
// and is a span if one of them says so.
func TestSimulatedSpan(t *testing.T) {
	line := func(n int, rest string) string {
		return fmt.Sprintf("[[line]]\nname = \"l%d\"\ncard = \"c\"\nport = %d\n%s\n", n, n, rest)
	}
	const card = "[[card]]\nname = \"c\"\nport = \"sim\"\n"
	for text, want := range map[string][]linesim.Signalling{
		line(1, `kind = "fxo"`) + line(2, "kind = \"fxs\"\nextension = \"101\""): nil,
		line(1, `kind = "tdm"`) + line(3, "kind = \"fxs\"\nextension = \"101\""): {linesim.WinkStart, "", linesim.FXSLoopStart},
		line(1, "kind = \"fxo\"\nsignalling = \"ground-start\"") + line(2, `kind = "fxo"`) + line(4, "kind = \"tdm\"\nsignalling = \"immediate-start\""): {
			linesim.FXOGroundStart, linesim.FXOLoopStart, "", linesim.ImmediateStart},
	} {
		cfg, plan, problems := decodeConfig("f.toml", []byte(smallest+card+text))
		if plan == nil {
			t.Errorf("%s: %v", text, problems)
			continue
		}
		var got []linesim.Signalling
		for _, s := range timeslots(cfg, cfg.Cards[0]) {
			got = append(got, s.Signalling)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", strings.ReplaceAll(text, "\n", " "), got, want)
		}
	}
}
