package dialplan

import (
	"strings"
	"testing"

	"crosspoint/internal/tomlfile"
)

// TestLintForwarding: who forwards to a dear number without a limit is warned of
// that beside the permission.
func TestLintForwarding(t *testing.T) {
	p := plan(t, `
country = "us"
[[phone]]
extension = "101"
secret = "lantern-7-fig"
allow = ["internal", "international"]
forward = { no_answer = "9011442071838750", busy = "102" }
[[phone]]
extension = "102"
secret = "harbour-3-oak"
[[line]]
name = "fxo1"
kind = "fxo"
incoming = "101"
[[trunk]]
name = "pstn"
lines = "fxo1"
[[rule]]
dial = "9 011 z."
strip = 1
to = "pstn"
[emergency]
to = "pstn"
notify = "101"
place = "main house"
`)
	text := tomlfile.Text(p.Lint())
	if want := "office.toml:7: warning: phone 101: its calls are forwarded to 9011442071838750, which is international: whoever calls it from outside"; !strings.Contains(text, want) {
		t.Errorf("got\n%s", text)
	}
	if strings.Contains(text, "forwarded to 102") {
		t.Errorf("forwarding inside is warned of:\n%s", text)
	}
}

// TestLintLineFlash: what is dialled after a flash to the exchange no permission
// holds back.
func TestLintLineFlash(t *testing.T) {
	for allow, warned := range map[string]bool{`["local"]`: true, `["internal", "local", "national", "international", "premium"]`: false} {
		p := plan(t, "country = \"us\"\n[[phone]]\nextension = \"101\"\nsecret = \"lantern-7-fig\"\nline_flash = true\nallow = "+allow+"\n")
		if text := tomlfile.Text(p.Lint()); strings.Contains(text, "office.toml:5: warning: phone 101 may give hook-flashes") != warned {
			t.Errorf("%s: %s", allow, text)
		}
	}
}

func TestLint(t *testing.T) {
	const clean = `
country = "us"
[[phone]]
extension = "101"
secret = "lantern-7-fig"
[[phone]]
extension = "102"
secret = "harbour-3-oak"
[[line]]
name = "fxo1"
kind = "fxo"
incoming = "101"
[[trunk]]
name = "pstn"
lines = "fxo1"
[emergency]
to = "pstn"
notify = "101"
place = "main house"
[[test]]
from = "101"
dial = "102"
expect = "102"
`
	for _, test := range []struct{ name, old, new, want string }{
		{"nothing", "", "", ""},
		{"secret is the extension", "lantern-7-fig", "101", "5: phone 101: its secret is its own name"},
		{"short secret", "lantern-7-fig", "fig7", "5: phone 101: its secret is easily guessed"},
		{"digits only", "lantern-7-fig", "12345678901234", "5: phone 101: its secret is easily guessed"},
		{"same secret", "lantern-7-fig", "harbour-3-oak", "8: phone 102 has the same secret as phone 101 (office.toml:3)"},
		{"international", `secret = "lantern-7-fig"`, "secret = \"lantern-7-fig\"\nallow = [\"internal\", \"international\"]",
			`6: phone 101 may call international numbers without a limit: whoever gets hold of a password calls them at your expense; add toll_per_day = "1h"`},
		{"international by forwarding", `secret = "lantern-7-fig"`, "secret = \"lantern-7-fig\"\nallow = [\"internal\", \"premium\"]\n[features]\nforward_always = \"*72\"",
			`6: phone 101 may call premium numbers without a limit: whoever gets hold of a password calls them at your expense, and can forward other calls there`},
		{"international with a limit", `secret = "lantern-7-fig"`, "secret = \"lantern-7-fig\"\nallow = [\"internal\", \"international\"]\ntoll_per_day = \"1h\"", ""},
		{"forwarded abroad", `secret = "lantern-7-fig"`, "secret = \"lantern-7-fig\"\nallow = [\"internal\", \"international\"]\ntoll_per_day = \"1h\"\nforward = { always = \"9011442071838750\" }\n[[rule]]\ndial = \"9 011 z.\"\nstrip = 1\nto = \"pstn\"", ""},
		{"a class", "[[line]]", "[[class]]\nname = \"staff\"\nallow = \"premium\"\n[[line]]", `9: class "staff" is used by no phone`},
		{"the world as a peer", "[[trunk]]", "[[peer]]\nname = \"all\"\naddresses = \"0.0.0.0/0\"\nincoming = \"101\"\n[[trunk]]", `15: peer "all": 0.0.0.0/0 lets in millions`},
		{"nobody rings", `incoming = "101"`, "", `9: line "fxo1": calls from it ring nobody`},
		{"nobody is told", `notify = "101"`, "", `16: emergency: nobody here is told`},
		{"nobody knows where", `place = "main house"`, "", `16: emergency: nobody knows where phone 101 is`},
		{"empty context", "[[line]]", "[[context]]\nname = \"p1234\"\n[[line]]", `9: context "p1234" has no rules`},
		{"unused schedule", "[[line]]", "[[schedule]]\nname = \"night\"\n[[line]]", `9: schedule "night" is used by nothing`},
		{"unused trunk", "[emergency]", "[[trunk]]\nname = \"other\"\nlines = \"fxo1\"\n[emergency]", `16: trunk "other" is used by no rule`},
		{"covered rule", "[[line]]", "[[rule]]\ndial = \"5(1|2)x\"\nto = \"101\"\n[[rule]]\ndial = \"5[12]x\"\nto = \"102\"\n[[line]]",
			`12: rule "5[12]x" seems never to be reached: its numbers, such as 5`},
		{"rule with conditions before it", "[[line]]", "[[rule]]\ndial = \"5x\"\nfrom = \"101\"\nto = \"101\"\n[[rule]]\ndial = \"5x\"\nto = \"102\"\n[[line]]", ""},
		{"round", "[[line]]", "[[phone]]\nextension = \"A\"\nsecret = \"mountain-5-elm\"\nforward = { no_answer = \"B\" }\n[[phone]]\nextension = \"B\"\nsecret = \"river-9-ash-tree\"\nforward = { no_answer = \"A\" }\n[[line]]",
			`16: phone B: a call that nobody answers goes round: A to B to A`},
		{"no tests", "[[test]]\nfrom = \"101\"\ndial = \"102\"\nexpect = \"102\"", "", "1: the plan has no [[test]]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := clean
			if test.old != "" {
				if text = strings.Replace(clean, test.old, test.new, 1); text == clean {
					t.Fatal("nothing was replaced")
				}
			}
			problems := plan(t, text).Lint()
			if test.want == "" {
				if problems != nil {
					t.Errorf("warnings:\n%s", tomlfile.Text(problems))
				}
				return
			}
			where, what, _ := strings.Cut(test.want, ": ")
			if want := "office.toml:" + where + ": warning: " + what; len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), want) || !problems[0].Warning {
				t.Errorf("got\n%swant\n%s", tomlfile.Text(problems), want)
			}
		})
	}
}
