package dialplan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crosspoint/internal/tomlfile"
)

// officeFile is an office file as these tests read it: the sections of others
// are taken as they are.
type officeFile struct {
	Config

	SIP      map[string]any   `toml:"sip"`
	RTP      map[string]any   `toml:"rtp"`
	Control  map[string]any   `toml:"control"`
	Shutdown map[string]any   `toml:"shutdown"`
	Log      map[string]any   `toml:"log"`
	Music    map[string]any   `toml:"music"`
	Town     map[string]any   `toml:"town"`
	Cards    []map[string]any `toml:"card"`
}

func decode(t testing.TB, name, text string) (Config, []tomlfile.Problem) {
	t.Helper()
	var f officeFile
	problems := tomlfile.Decode(name, []byte(text), &f)
	if domains, ok := f.SIP["domains"].([]any); ok {
		for _, d := range domains {
			f.Domains = append(f.Domains, d.(string))
		}
	}
	return f.Config, problems
}

// plan compiles a text that must be right.
func plan(t testing.TB, text string) *Plan {
	t.Helper()
	config, problems := decode(t, "office.toml", text)
	if problems == nil {
		var p *Plan
		if p, problems = Compile(config); p != nil {
			return p
		}
	}
	t.Fatalf("the plan is wrong:\n%s", tomlfile.Text(problems))
	return nil
}

// caller is a caller of the plan.
func caller(t testing.TB, p *Plan, name string) Caller {
	t.Helper()
	c, ok := p.Caller(name)
	if !ok {
		t.Fatalf("no caller %q", name)
	}
	return c
}

// dials matches a number dialled by a caller, at a Monday's noon.
func dials(t testing.TB, p *Plan, from, number string) (Route, Trail) {
	t.Helper()
	return p.Match(Query{From: caller(t, p, from), Dialed: number, At: monday(t, "12:00")})
}

func monday(t testing.TB, clock string) time.Time {
	t.Helper()
	at, err := time.Parse(TimeLayout, "2026-01-05 "+clock)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestSampleOffices(t *testing.T) {
	files, err := filepath.Glob("../configs/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal("no sample offices:", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := plan(t, string(text))
			if n := len(p.config.Tests); n < 5 {
				t.Errorf("%d self-tests: a sample office shows what it does by 5 at least", n)
			}
			if warnings := p.Lint(); warnings != nil {
				t.Errorf("a sample is without warnings:\n%s", tomlfile.Text(warnings))
			}
			if !strings.HasPrefix(string(text), "# ") {
				t.Error("it begins without saying what it is for")
			}
		})
	}
}

// The TOML pieces of a page, one after another, are a plan that works.
func TestDocumentedPlans(t *testing.T) {
	for _, file := range []string{"dialplan.md", "migrating-from-asterisk.md"} {
		page, err := os.ReadFile("../docs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		pieces := strings.Split(string(page), "```toml\n")[1:]
		for _, piece := range pieces {
			body, _, _ := strings.Cut(piece, "```")
			text.WriteString(body)
		}
		p := plan(t, text.String())
		if len(pieces) < 5 || len(p.config.Tests) == 0 {
			t.Errorf("%s: %d pieces, %d tests", file, len(pieces), len(p.config.Tests))
		}
		if warnings := p.Lint(); warnings != nil {
			t.Errorf("%s:\n%s", file, tomlfile.Text(warnings))
		}
	}
}
