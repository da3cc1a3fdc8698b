package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crosspoint/internal/tomlfile"
)

// risky is an office that starts, and of which each line below is to be warned.
const risky = `country = "us"
[[phone]]
extension = "101"
secret = "101"
allow = ["internal", "premium"]
[[schedule]]
name = "never used"
`

// TestCheckWarns: check tells of what is risky, with line and remedy, and an
// editor gets the same as JSON. Warnings are no failure.
func TestCheckWarns(t *testing.T) {
	file := write(t, "office.toml", risky)
	code, out, complaints := cli("check", file)
	if code != exitOK {
		t.Errorf("code %d: %s", code, complaints)
	}
	for _, want := range []string{
		":1: warning: the plan has no [[test]]", ":4: warning: phone 101: its secret is its own name",
		":5: warning: phone 101 may call premium numbers without a limit", "add toll_per_day",
		`:6: warning: schedule "never used" is used by nothing`, "good, 0 of its tests passed",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	code, out, _ = cli("check", "--format", "json", file)
	var problems []tomlfile.Problem
	if err := json.Unmarshal([]byte(out), &problems); err != nil || code != exitOK {
		t.Fatalf("code %d, %v: %s", code, err, out)
	}
	if len(problems) != 4 || problems[1].Line != 4 || !problems[1].Warning || problems[1].File != file {
		t.Errorf("as JSON: %+v", problems)
	}
	code, out, _ = cli("check", "--format", "json", write(t, "wrong.toml", strings.Replace(risky, "secret", "secrit", 1)))
	problems = nil
	if err := json.Unmarshal([]byte(out), &problems); err != nil || code != exitFailed || problems[0].Warning || problems[0].Line != 4 || problems[0].Column == 0 {
		t.Errorf("code %d, %v: %s", code, err, out)
	}
	if _, _, complaints := cli("route", "--config", file, "--from", "101", "101"); strings.Contains(complaints, "warning") {
		t.Errorf("route warns of what was not asked: %s", complaints)
	}
}

// TestSchema: every key of every sample is in the schema, with its explanation.
func TestSchema(t *testing.T) {
	_, out, _ := cli("schema")
	var schema map[string]any
	if err := json.Unmarshal([]byte(out), &schema); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(top, "configs", "*.toml"))
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var whole struct {
			Any map[string]any `toml:"any"`
		}
		// As a table of its own, so that any key is taken.
		if problems := tomlfile.Decode(f, []byte(nested(string(text))), &whole); tomlfile.Fatal(problems) {
			t.Fatal(tomlfile.Text(problems))
		}
		if len(whole.Any) < 3 {
			t.Errorf("%s: only %d keys were read", f, len(whole.Any))
		}
		described(t, filepath.Base(f), whole.Any, schema)
	}
}

// nested puts a file's keys into the table [any].
func nested(text string) string {
	var b strings.Builder
	b.WriteString("[any]\n")
	for _, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "[["):
			line = "[[any." + line[2:]
		case strings.HasPrefix(line, "["):
			line = "[any." + line[1:]
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// described holds a value against its schema as far as keys are concerned.
func described(t *testing.T, where string, value any, schema map[string]any) {
	switch value := value.(type) {
	case map[string]any:
		properties, _ := schema["properties"].(map[string]any)
		for key, v := range value {
			s, ok := properties[key].(map[string]any)
			if !ok {
				t.Errorf("%s: %q is not in the schema", where, key)
				continue
			}
			if s["description"] == nil {
				t.Errorf("%s: %q is not explained", where, key)
			}
			described(t, where+" "+key, v, s)
		}
	case []any:
		items, ok := schema["items"].(map[string]any)
		for _, v := range value {
			if m, table := v.(map[string]any); table {
				if !ok {
					t.Errorf("%s: the schema has no items", where)
					return
				}
				described(t, where, m, items)
			}
		}
	}
}
