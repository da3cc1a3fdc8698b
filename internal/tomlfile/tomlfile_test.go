package tomlfile

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

type office struct {
	Pos
	Country string        `toml:"country" doc:"the country"`
	Wait    time.Duration `toml:"wait"`
	Gain    float64       `toml:"gain"`
	Loud    bool          `toml:"loud"`
	Phones  []phone       `toml:"phone" doc:"the phones"`
	SIP     struct {
		Pos
		Listen Strings    `toml:"listen"`
		Addr   netip.Addr `toml:"addr"`
	} `toml:"sip"`
	Extra map[string]int `toml:"extra"`
}

type phone struct {
	Pos
	Extension string  `toml:"extension" required:"true" doc:"what others dial for it"`
	Kind      string  `toml:"kind" enum:"sip,analog"`
	Allow     Strings `toml:"allow" enum:"internal,local"`
	Port      int     `toml:"port"`
	Forward   struct {
		Pos
		Always string `toml:"always"`
	} `toml:"forward"`
}

func TestDecode(t *testing.T) {
	var o office
	problems := Decode("office.toml", []byte(`
# An office.
country = "us"
wait = "1m30s"
gain = -2.5

[sip]
listen = "udp:127.0.0.1:5060"
addr = "192.0.2.1"

[[phone]]
extension = "101"
allow = ["internal", "local"]
port = 1_000

[[phone]]
extension = '102'
allow = "local"
forward = { always = "101" }

  [[phone]]
  extension = "103"
  [phone.forward]
  always = "102"

[extra]
a = 1
b = 0x10
`), &o)
	if problems != nil {
		t.Fatal(problems)
	}
	if o.Country != "us" || o.Wait != 90*time.Second || o.Gain != -2.5 || o.Phones[0].Port != 1000 {
		t.Errorf("read %+v", o)
	}
	if got := o.SIP.Addr; got != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("address %v", got)
	}
	if want := (Strings{"udp:127.0.0.1:5060"}); !reflect.DeepEqual(o.SIP.Listen, want) {
		t.Errorf("listen = %q, want %q", o.SIP.Listen, want)
	}
	if o.Phones[1].Forward.Always != "101" || o.Phones[2].Forward.Always != "102" {
		t.Errorf("forwarding %+v", o.Phones)
	}
	if o.Extra["a"] != 1 || o.Extra["b"] != 16 {
		t.Errorf("extra %v", o.Extra)
	}
	for _, place := range []struct {
		what      string
		got, want Pos
	}{
		{"file", o.Pos.At(), Pos{File: "office.toml", Line: 1}},
		{"country", o.Key("country"), Pos{File: "office.toml", Line: 3}},
		{"sip", o.SIP.Pos.At(), Pos{File: "office.toml", Line: 7}},
		{"second phone", o.Phones[1].Pos.At(), Pos{File: "office.toml", Line: 16}},
		{"its forward", o.Phones[1].Key("forward"), Pos{File: "office.toml", Line: 19}},
		{"third phone's always", o.Phones[2].Forward.Key("always"), Pos{File: "office.toml", Line: 24}},
		{"absent key", o.Phones[2].Key("port"), Pos{File: "office.toml", Line: 21}},
	} {
		if place.got != place.want {
			t.Errorf("%s stands at %v, want %v", place.what, place.got, place.want)
		}
	}
	if o.Phones[0].Has("kind") || !o.Phones[0].Has("port") {
		t.Error("Has does not tell absent keys from written ones")
	}
}

func TestProblems(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"unknown key", `contry = "us"`,
			`f:1: unknown key "contry"; did you mean "country"?`},
		{"unknown key in a table", "[[phone]]\nextension = \"1\"\nextention = \"2\"",
			`f:3: unknown key "extention" in [phone]; did you mean "extension"?`},
		{"unknown table", "[[phones]]\nextension = \"1\"",
			`f:1: unknown table [[phones]]; did you mean "phone"?`},
		{"nothing near", `zzz = 1`,
			`f:1: unknown key "zzz"; known are "country", "wait", "gain", "loud", "phone", "sip", "extra"`},
		{"missing", "[[phone]]\nport = 1",
			`f:1: [phone] needs extension: what others dial for it`},
		{"empty", "[[phone]]\nextension = \"\"",
			`f:1: [phone] needs extension: what others dial for it`},
		{"wrong type", "\ncountry = 1",
			`f:2: country is 1, expected text in quotes`},
		{"number in quotes", "[[phone]]\nextension = \"1\"\nport = \"1\"",
			`f:3: phone.port is "1", expected a whole number, without quotes`},
		{"number for text", "[[phone]]\nextension = 101",
			`f:2: phone.extension is 101, expected text in quotes`},
		{"time without unit", `wait = 20`,
			`f:1: wait is 20, expected a time with its unit in quotes, such as "20s", "500ms" or "1h30m"`},
		{"time without unit in quotes", `wait = "20"`,
			`f:1: wait = "20" is not a time: write a number and its unit, such as "20s", "500ms" or "1h30m"`},
		{"negative time", `wait = "-1s"`,
			`f:1: wait = "-1s" is negative: write a time of zero or more, such as "20s"`},
		{"word", "[[phone]]\nextension = \"1\"\nkind = \"anlog\"",
			`f:3: phone.kind = "anlog" is not one of "sip", "analog"; did you mean "analog"?`},
		{"word in a list", "[[phone]]\nextension = \"1\"\nallow = [\n\"internal\",\n\"locla\"]",
			`f:5: phone.allow = "locla" is not one of "internal", "local"; did you mean "local"?`},
		{"one bracket", "[phone]\nextension = \"1\"",
			`f:1: [phone] must be written [[phone]]: there may be several`},
		{"scalar for a table", `sip = 5060`,
			`f:1: sip is 5060, expected a table`},
		{"no quotes", "\ncountry = us",
			`f:2: `},
		{"twice", "country = \"us\"\ncountry = \"de\"",
			`f:2: `},
		{"bad address", "[sip]\naddr = \"nowhere\"",
			`f:2: sip.addr = "nowhere": `},
		{"boolean", `loud = "yes"`, `f:1: loud is "yes", expected true or false, without quotes`},
		{"list", `country = ["us"]`, `f:1: country is a list, expected text in quotes`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var o office
			problems := Decode("f", []byte(test.text), &o)
			if len(problems) != 1 {
				t.Fatalf("%d problems, want 1:\n%s", len(problems), Text(problems))
			}
			got := problems[0].Error()
			if got != test.want && !(strings.HasSuffix(test.want, ": ") && strings.HasPrefix(got, test.want)) {
				t.Errorf("read\n%s\nwant\n%s", got, test.want)
			}
			t.Log(got)
		})
	}
}
