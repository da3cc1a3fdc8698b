package tomlfile

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestSchema(t *testing.T) {
	text, err := Schema("An office", office{})
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Title                string
		AdditionalProperties bool
		Properties           map[string]struct {
			Type, Description string
			Items             struct {
				Required   []string
				Properties map[string]struct {
					Type, Description string
					Enum              []string
					OneOf             []struct {
						Type string
						Enum []string
					}
				}
			}
		}
	}
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	phone := s.Properties["phone"]
	if s.Title != "An office" || s.AdditionalProperties || phone.Type != "array" || phone.Description != "the phones" {
		t.Errorf("schema %+v", s)
	}
	if !slices.Equal(phone.Items.Required, []string{"extension"}) || !slices.Equal(phone.Items.Properties["kind"].Enum, []string{"sip", "analog"}) {
		t.Errorf("phone %+v", phone)
	}
	if allow := phone.Items.Properties["allow"]; len(allow.OneOf) != 2 || allow.OneOf[0].Type != "string" || len(allow.OneOf[0].Enum) != 2 {
		t.Errorf("allow %+v", allow)
	}
	for key, want := range map[string]string{"country": "string", "wait": "string", "gain": "number", "loud": "boolean", "sip": "object", "extra": "object"} {
		if got := s.Properties[key].Type; got != want {
			t.Errorf("%s is of type %q, want %q", key, got, want)
		}
	}
}

func TestDiff(t *testing.T) {
	type rule struct {
		Context string `toml:"context" key:"true"`
		Dial    string `toml:"dial" key:"true"`
		To      string `toml:"to"`
	}
	type set struct {
		Extension string `toml:"extension" required:"true"`
		Name      string `toml:"name"`
		Secret    string `toml:"secret" secret:"true"`
		Forward   struct {
			Busy string `toml:"busy"`
		} `toml:"forward"`
	}
	type file struct {
		Country string  `toml:"country"`
		Allow   Strings `toml:"allow"`
		SIP     struct {
			Listen Strings `toml:"listen"`
		} `toml:"sip"`
		Phones []set  `toml:"phone"`
		Rules  []rule `toml:"rule"`
	}
	read := func(text string) (f file) {
		if problems := Decode("f", []byte(text), &f); problems != nil {
			t.Fatal(problems)
		}
		return f
	}
	before := read(`
country = "us"
sip.listen = "udp:1"
phone = [{ extension = "101", name = "Alice", secret = "one" }, { extension = "102" }, { extension = "103", forward = { busy = "101" } }]
rule = [{ dial = "9.", to = "a" }, { context = "p", dial = "9.", to = "b" }, { dial = "8.", to = "c" }, { dial = "8.", to = "d" }]
`)
	after := read(`
country = "de"
allow = []
sip.listen = ["udp:1", "tcp:1"]
phone = [{ extension = "101", name = "Alice B.", secret = "two" }, { extension = "104" }, { extension = "103", forward = { busy = "104" } }]
rule = [{ context = "p", dial = "9.", to = "x" }, { dial = "9.", to = "a" }, { dial = "8.", to = "c" }, { dial = "8.", to = "e" }]
`)
	want := []string{
		`country "us" -> "de"`,
		`sip.listen ["udp:1"] -> ["udp:1", "tcp:1"]`,
		`phone 101: name "Alice" -> "Alice B."`,
		`phone 101: secret changed`,
		`+ phone 104`,
		`phone 103: forward.busy "101" -> "104"`,
		`- phone 102`,
		`rule p 9.: to "b" -> "x"`,
		`rule 8. #2: to "d" -> "e"`,
	}
	if got := Diff(before, after); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := Diff(&before, &before); got != nil {
		t.Errorf("the same differs: %q", got)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"country = \"us\"\n[[phone]]\nextension = \"1\"\n[phone.forward]\nalways = \"2\"\n",
		"a.b.c = 1\n[a]\n[[a.b]]\n", "phone = [{ extension = \"1\" }, { }]", "[sip]\naddr = \"::1\"\nlisten = [\n\"a\", # b\n]", "x = 2026-01-01", "[phone", "wait = \"1h\"\n\"\" = 1", "extra = { a = 0x1F, b = inf }",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var o office
		for _, p := range Decode("f", text, &o) {
			if p.Line < 0 || p.Message == "" || p.File != "f" || p.Error() == "" {
				t.Fatalf("problem %+v", p)
			}
		}
		Diff(o, office{})
	})
}

func TestNearest(t *testing.T) {
	known := []string{"extension", "secret", "name", "forward"}
	for word, want := range map[string]string{"extention": "extension", "secrte": "secret", "nmae": "name", "Forward": "forward", "xyz": "", "": "", "forwarding": "forward", "n": ""} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestNoSecretIsShown(t *testing.T) {
	type file struct {
		Secret string `toml:"secret" secret:"true"`
	}
	for _, text := range []string{`secret = 4711471147`, "secret = \"4711471147", "secret = 4711471147x", "secret = \"4711471147\"\nsecret = \"4711471147\"", "secret = [\"4711471147\"]", "secret = 47114.71147"} {
		var f file
		problems := Decode("f", []byte(text), &f)
		if len(problems) == 0 || strings.Contains(Text(problems), "47114") {
			t.Errorf("%s: %q", text, problems)
		}
	}
}
