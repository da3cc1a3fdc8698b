package linesim_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crosspoint/gateway/linesim"
	"crosspoint/internal/tomlfile"
)

func load(t *testing.T, text string) (linesim.Config, []tomlfile.Problem) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "town.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return linesim.Load(path)
}

func TestTownFile(t *testing.T) {
	cfg, problems := load(t, `
country = "de"
[[card]]
name = "upstairs"
fxo = 1
fxs = 1
skew_ppm = 50.0
bit_errors = 1e-5
[[line]]
number = "301"
reversal = true
no_loop_drop = true
after_hangup = "dial"
flash = "100ms"
caller_id = "etsi"
[[phone]]
answer = 3
plays = "announcement"
waiting_display = true
[[subscriber]]
number = "110"
plays = "signal"
for = "5s"
hang_up = "3s"
[[subscriber]]
number = "111"
is = "busy"
`)
	if len(problems) > 0 {
		t.Fatal(tomlfile.Text(problems))
	}
	if cfg.Country != "de" || len(cfg.Cards) != 1 || cfg.Cards[0].Impairment.BitErrors != 1e-5 || cfg.Cards[0].SkewPPM != 50 ||
		cfg.Lines[0].Number != "301" || !cfg.Lines[0].Reversal || cfg.Lines[0].LoopDrop >= 0 ||
		cfg.Lines[0].AfterHangUp != linesim.ThenDial || cfg.Phones[0].Answer != 3 || len(cfg.Phones[0].Plays) == 0 || !cfg.Phones[0].WaitingDisplay ||
		len(cfg.Subscribers[0].Plays) != 5*8000 || cfg.Subscribers[0].HangUp != 3*time.Second || !cfg.Subscribers[1].Busy {
		t.Errorf("%+v", cfg)
	}
	sim, err := linesim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	if l := sim.Town().Line("301"); l == nil || l.Name() != "fxo1" || sim.Card(1).Name() != "upstairs" {
		t.Error("the line is not there")
	}
}

// TestTownFileRings: further numbers of a line, by name and written out.
func TestTownFileRings(t *testing.T) {
	cfg, problems := load(t, `
country = "uk"
[[line]]
number = "301"
numbers = [
  { number = "302", ring = "dr2" },
  { number = "303", cadence = ["1s", "500ms", "1s", "3s"] },
  { number = "304" },
]
[[line]]
number = "401"
[[line.numbers]]
number = "402"
ring = "0.5/0.25/0.5/4"
`)
	if len(problems) > 0 {
		t.Fatal(tomlfile.Text(problems))
	}
	sim, err := linesim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	for number, want := range map[string]string{"302": "fxo1", "304": "fxo1", "402": "fxo2"} {
		if l := sim.Town().Line(number); l == nil || l.Name() != want {
			t.Errorf("number %s is not one of line %s", number, want)
		}
	}
	directory := sim.Town().Directory()
	for _, want := range []string{"302        line fxo1, rings 0.8/0.4/0.8\n", "303        line fxo1, rings 1/0.5/1\n", "304        line fxo1\n", "402        line fxo2, rings 0.5/0.25/0.5"} {
		if !strings.Contains(directory, want) {
			t.Errorf("no %q in\n%s", want, directory)
		}
	}
}

// TestWrongTownFileRings: each mistake is told at its line.
func TestWrongTownFileRings(t *testing.T) {
	for text, want := range map[string]string{
		`{ number = "31", ring = "dr9" }`:                                  `"dr9" is no ring: write outside, inside, recall, urgent, dr1 to dr4, or times`,
		`{ number = "31", ring = "1/2/3" }`:                                "has 3 times: write 1 to 8 rings",
		`{ number = "31", cadence = ["1s"] }`:                              "has 1 times",
		`{ number = "31", cadence = [] }`:                                  "has 0 times",
		`{ number = "31", cadence = ["20ms", "4s"] }`:                      "20ms is too short",
		`{ number = "31", cadence = ["1s", "1s"] }`:                        "from 2s to 5s",
		`{ number = "31", cadence = ["1s", "8s"] }`:                        "from 2s to 5s",
		`{ number = "31", cadence = ["1s", "3s", "1s", "2s"] }`:            "the last pause is the longest",
		`{ number = "31", ring = "dr2", cadence = ["1s", "4s"] }`:          "has ring and cadence: write one",
		`{ number = "31", rang = "dr2" }`:                                  "rang",
		`{ ring = "dr2" }`:                                                 "number",
		`{ number = "3a" }`:                                                "write digits only",
		`{ number = "301" }`:                                               "number 301 is line fxo1's already",
		`{ number = "401" }`:                                               "number 401 is line fxo2's already",
		`{ number = "31" }, { number = "31" }`:                             "this line's already",
		`{number="1"},{number="2"},{number="3"},{number="4"},{number="5"}`: "a line has up to 4",
	} {
		_, problems := load(t, "[[line]]\nnumber = \"301\"\nnumbers = [\n  "+text+"\n]\n[[line]]\nnumber = \"401\"\n")
		if got := tomlfile.Text(problems); !tomlfile.Fatal(problems) || !strings.Contains(got, want) || !strings.Contains(got, "town.toml:4") {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestWrongTownFile(t *testing.T) {
	for text, want := range map[string]string{
		"country = \"zz\"":                                     "zz",
		"[[card]]\nfxo = 40":                                   "up to 32 ports",
		"[[card]]\nbit_errors = 2.0":                           "between 0 and 0.5",
		"[[line]]\nnumber = \"12a\"":                           "write digits only",
		"[[line]]\nnumber = \"12\"\n[[line]]\nnumber = \"12\"": "number 12 is line fxo1's already",
		"[[line]]\nnumbers = [{ number = \"12\" }]\n[[subscriber]]\nnumber = \"12\"": "town.toml:4: number 12 is line fxo1's already",
		"[[line]]\ncaller_id = \"morse\"":                                            "morse",
		"[[line]]\nnoise = 5.0":                                                      "-10 or less",
		"[[line]]\nafter_hangup = \"music\"":                                         "busy",
		"[[subscriber]]\nname = \"Joe\"":                                             "number",
		"[[subscriber]]\nnumber = \"1 2\"":                                           "write digits only",
		"[[subscriber]]\nnumber = \"1\"\nansver = \"1s\"":                            "answer",
	} {
		_, problems := load(t, text)
		if got := tomlfile.Text(problems); !tomlfile.Fatal(problems) || !strings.Contains(got, want) || !strings.Contains(got, "town.toml") {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestWrongConfig(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  linesim.Config
		want string
	}{
		"country":    {linesim.Config{Country: "zz"}, "zz"},
		"ports":      {linesim.Config{Cards: []linesim.CardConfig{{FXO: 33}}}, "1 to 32"},
		"skew":       {linesim.Config{Cards: []linesim.CardConfig{{SkewPPM: 1e9}}}, "no crystal"},
		"subscriber": {linesim.Config{Subscribers: []linesim.Subscriber{{Number: "x"}}}, "digits only"},
		"line":       {linesim.Config{Lines: []linesim.LineConfig{{Number: "x"}}}, "digits only"},
		"cadence":    {linesim.Config{Lines: []linesim.LineConfig{{Further: []linesim.FurtherNumber{{Number: "1", Cadence: times(1000)}}}}}, "line fxo1: number 1: cadence 1 has 1 times"},
		"further":    {linesim.Config{Lines: []linesim.LineConfig{{Further: []linesim.FurtherNumber{{Number: "5552002"}}}}}, "line fxo2: number 5552002 is line fxo1's already"},
		"caller ID":  {linesim.Config{Lines: []linesim.LineConfig{{CallerID: "x"}}}, "fxo1"},
	} {
		sim, err := linesim.New(c.cfg)
		if err == nil {
			sim.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
