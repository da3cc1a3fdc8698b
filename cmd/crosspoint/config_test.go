package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua"
	"crosspoint/internal/tomlfile"
)

// smallest is an office in which nothing is wrong.
const smallest = `
[[phone]]
extension = "101"
secret = "alice-Fig7-lantern"
`

func TestSamplesAreGood(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "configs", "*.toml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, f := range files {
		if _, plan, problems := loadConfig(f); plan == nil || len(problems) > 0 {
			t.Errorf("%s:\n%s", f, tomlfile.Text(problems))
		}
	}
	if _, plan, problems := decodeConfig("demo.toml", demoOffice); plan == nil || len(problems) > 0 {
		t.Errorf("the demonstration's office:\n%s", tomlfile.Text(problems))
	}
}

// TestMistakes: each mistake in the parts that this package reads is told with
// its line and what to write instead.
func TestMistakes(t *testing.T) {
	const card = "[[card]]\nname = \"card1\"\nport = \"sim\"\n"
	const modem = card + "kind = \"modem\"\n[[line]]\nname = \"fxo1\"\ncard = \"card1\"\n"
	for name, c := range map[string]struct{ text, want string }{
		"unknown section":   {"[spi]\n", `f.toml:1: unknown table [spi]; did you mean "sip"?`},
		"unknown key":       {"[sip]\nlisten_on = \"udp:127.0.0.1:5060\"\n", `f.toml:2: unknown key "listen_on" in [sip]; did you mean "listen"?`},
		"transport":         {"[sip]\nlisten = \"127.0.0.1:5060\"\n", `f.toml:2: listen = "127.0.0.1:5060" must begin with udp: or tcp:`},
		"host name":         {"[sip]\nlisten = \"udp:office:5060\"\n", `f.toml:2: listen = "udp:office:5060" must name an IP address`},
		"twice":             {"[sip]\nlisten = [\"udp:127.0.0.1:5060\", \"udp:127.0.0.1:5060\"]\n", "f.toml:2: listen names udp:127.0.0.1:5060 twice"},
		"no range":          {"[rtp]\nports = \"16384\"\n", `f.toml:2: ports = "16384" is not a range`},
		"low range":         {"[rtp]\nports = \"80-90\"\n", `f.toml:2: ports = "80-90" must lie between 1024 and 65535`},
		"small range":       {"[rtp]\nports = \"9000-9001\"\n", `f.toml:2: ports = "9000-9001" is too small`},
		"overlap":           {"[sip]\nlisten = \"udp:127.0.0.1:5060\"\n[rtp]\nports = \"5000-6000\"\n", "f.toml:4: ports 5000-6000 overlap the SIP socket udp:127.0.0.1:5060"},
		"audio for nobody":  {"[rtp]\naddress = \"0.0.0.0\"\n", `f.toml:2: address = "0.0.0.0" is not an IP address that phones can send to`},
		"recorded nobody":   {"[recording]\ndirectory = \"/tapes\"\nof = \"110\"\n", `f.toml:3: of names "110", which is no phone, line, trunk or peer; did you mean "101"?`},
		"recorded nowhere":  {"[recording]\nof = \"101\"\n", "f.toml:2: nothing is recorded without directory"},
		"metrics for all":   {"[metrics]\nlisten = \"0.0.0.0:9760\"\n", `f.toml:2: listen = "0.0.0.0:9760" is open to other machines, and there is no password`},
		"metrics nowhere":   {"[metrics]\nlisten = \"localhost\"\n", `f.toml:2: listen = "localhost" must be an IP address and a port`},
		"impatient":         {"[rtp]\ninactive = \"end\"\ninactive_after = \"3s\"\n", "f.toml:3: inactive_after = 3s would end calls of whoever is mute"},
		"inactive":          {"[rtp]\ninactive = \"hang up\"\n", `f.toml:2: rtp.inactive = "hang up" is not one of "flag", "end", "end-any"`},
		"card without port": {"[[card]]\nname = \"card1\"\n", "f.toml:1: [card] needs port: serial device"},
		"relative device":   {"[[card]]\nname = \"card1\"\nport = \"ttyUSB0\"\n", `f.toml:3: port = "ttyUSB0" is neither a device, such as /dev/ttyUSB0, nor "sim"`},
		"same device":       {"[[card]]\nname = \"a\"\nport = \"/dev/ttyUSB0\"\n[[card]]\nname = \"b\"\nport = \"/dev/ttyUSB0\"\n", `f.toml:6: port "/dev/ttyUSB0" belongs to the card at f.toml:1`},
		"same card":         {card + card, `f.toml:5: card "card1" is there already, at f.toml:1`},
		"modem timeslot":    {modem + "port = 1\nkind = \"fxo\"\nsignalling = \"loop-start\"\n", `f.toml:10: line "fxo1": a modem has no timeslots`},
		"no such card":      {card + "[[line]]\nname = \"fxo1\"\ncard = \"card2\"\nport = 1\nkind = \"fxo\"\n", `f.toml:6: line "fxo1" is on card "card2", which is not there; did you mean "card1"?`},
		"line without card": {card + "[[line]]\nname = \"fxo1\"\nport = 1\nkind = \"fxo\"\n", `f.toml:4: line "fxo1" needs card`},
		"port of line":      {card + "[[line]]\nname = \"fxo1\"\ncard = \"card1\"\nport = 99\nkind = \"fxo\"\n", `f.toml:7: line "fxo1" is on port 99: a card has ports 1 to`},
		"modem's port":      {modem + "port = 2\nkind = \"fxo\"\n", `f.toml:8: line "fxo1" is on port 2 of a modem: it has port 1 only`},
		"modem's kind":      {modem + "port = 1\nkind = \"fxs\"\nextension = \"103\"\n[[phone]]\nextension = \"103\"\n", `f.toml:9: line "fxo1": kind = "fxs": a modem's line leads to an exchange`},
		"modem and pulses":  {modem + "port = 1\nkind = \"fxo\"\ndialing = \"pulse\"\n", `f.toml:10: line "fxo1": a modem does not break its loop fast enough for pulses`},
		"kind of card":      {card + "kind = \"mode\"\n", `f.toml:4: card.kind = "mode" is not one of "card", "modem"`},
		"music":             {"[music]\nfile = \"hold.mp3\"\n", `f.toml:2: file = "hold.mp3" is not a WAV file`},
		"log level":         {"[log]\nlevel = \"loud\"\n", `f.toml:2: log.level = "loud" is not one of "debug", "info", "warn", "error"`},
		"expiry":            {"[sip]\nregister_min = \"2h\"\nregister_max = \"1h\"\n", "f.toml:2: register_min is 2h0m0s, longer than register_max"},
		"contact":           {"[[phone]]\nextension = \"105\"\ncontacts = \"sip:105@kitchen\"\n", `f.toml:3: phone 105: contacts: "sip:105@kitchen" does not name an IP address`},
		"wait":              {"[shutdown]\nwait = 30\n", `f.toml:2: shutdown.wait is 30, expected a time with its unit`},
	} {
		_, plan, problems := decodeConfig("f.toml", []byte(c.text+smallest))
		text := tomlfile.Text(problems)
		if plan != nil {
			t.Errorf("%s: accepted", name)
		}
		if !strings.Contains(text, c.want) {
			t.Errorf("%s: told\n%swanted\n%s", name, text, c.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	cfg, plan, problems := decodeConfig("f.toml", []byte(smallest))
	if plan == nil || tomlfile.Fatal(problems) {
		t.Fatal(tomlfile.Text(problems))
	}
	if s := cfg.sockets(); len(s) != 2 || s[0].addr.Port() != 5060 || s[0].network != "udp" || s[1].network != "tcp" {
		t.Errorf("listens on %v, not on UDP and TCP 5060", s)
	}
	if ip := cfg.rtpAddress(); !ip.IsValid() || ip.IsUnspecified() {
		t.Errorf("audio is received at %v", ip)
	}
	if low, high, why := cfg.rtpRange(); low != 16384 || high != 17383 || why != "" {
		t.Errorf("ports %d-%d %s", low, high, why)
	}
	if cfg.wait() != defaultWait {
		t.Errorf("waits %v", cfg.wait())
	}
	t.Setenv("XDG_RUNTIME_DIR", "/nowhere")
	if cfg.controlPath() != "/nowhere/crosspoint.sock" {
		t.Errorf("control socket %s", cfg.controlPath())
	}
	cfg.Control.Socket = "off"
	if cfg.controlPath() != "" {
		t.Errorf("control socket %s though it is off", cfg.controlPath())
	}
}

// TestInactive: no call is ended for silence unless the file says so, and then
// after a minute unless it says when.
func TestInactive(t *testing.T) {
	for text, want := range map[string]b2bua.Inactivity{
		"":                      {},
		"inactive = \"flag\"\n": {},
		"inactive = \"end\"\n":  {After: time.Minute, Origin: "f.toml:2"},
		"inactive_after = \"5m\"\ninactive = \"end-any\"\n": {After: 5 * time.Minute, Any: true, Origin: "f.toml:3"},
	} {
		cfg, plan, problems := decodeConfig("f.toml", []byte("[rtp]\n"+text+smallest))
		if plan == nil || cfg.RTP.inactivity() != want {
			t.Errorf("%q: %+v, not %+v\n%s", text, cfg.RTP.inactivity(), want, tomlfile.Text(problems))
		}
	}
	_, plan, problems := decodeConfig("f.toml", []byte("[rtp]\ninactive_after = \"5m\"\n"+smallest))
	if text := tomlfile.Text(problems); plan == nil || !strings.Contains(text, "f.toml:2: warning: inactive_after does nothing") {
		t.Errorf("a time for nothing: %s", text)
	}
}

// TestAudioAddress: audio is received where SIP is; of both families, by both.
func TestAudioAddress(t *testing.T) {
	for listen, want := range map[string]string{
		`"udp:127.0.0.1:5060"`:                     "127.0.0.1",
		`"udp:[::1]:5060"`:                         "::1",
		`"udp:127.0.0.1:5060", "udp:[::1]:5060"`:   "::",
		`"udp:[::]:5060"`:                          "::",
		`"udp:0.0.0.0:5060", "udp:127.0.0.1:5070"`: "127.0.0.1",
	} {
		cfg, plan, problems := decodeConfig("f.toml", []byte("[sip]\nlisten = ["+listen+"]\n"+smallest))
		if plan == nil || cfg.rtpAddress().String() != want {
			t.Errorf("%s: audio at %v, not %s\n%s", listen, cfg.rtpAddress(), want, tomlfile.Text(problems))
		}
	}
	_, plan, problems := decodeConfig("f.toml", []byte("[sip]\nlisten = \"udp:[::]:5060\"\n[rtp]\naddress = \"192.0.2.1\"\n"+smallest))
	if text := tomlfile.Text(problems); plan == nil || !strings.Contains(text, `f.toml:4: warning: address = "192.0.2.1" is told to phones of IPv4 and of IPv6 alike`) {
		t.Errorf("one address for both families: %s", text)
	}
}

func TestZeroWaitIsNoWait(t *testing.T) {
	cfg, _, _ := decodeConfig("f.toml", []byte("[shutdown]\nwait = \"0s\"\n"+smallest))
	if cfg.wait() != 0 {
		t.Errorf("waits %v", cfg.wait())
	}
}

func TestMusic(t *testing.T) {
	if pcm, err := loadMusic(Music{}); pcm != nil || err != nil {
		t.Errorf("%v %v", pcm, err)
	}
	path := filepath.Join(t.TempDir(), "hold.wav")
	if _, err := loadMusic(Music{File: path}); err == nil || !strings.Contains(err.Error(), "there is no "+path) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := saveWAV(path, []int16{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	if pcm, err := loadMusic(Music{File: path}); err != nil || len(pcm) != 3 || pcm[2] != 3 {
		t.Errorf("%v %v", pcm, err)
	}
	if err := os.WriteFile(path, []byte("song"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadMusic(Music{File: path}); err == nil {
		t.Error("a file that is no WAV was taken")
	}
}

// What only the lines know is told by check too, at the line: no file that is good
// fails as the exchange starts.
func TestWhatLinesRefuse(t *testing.T) {
	const before = `country = "us"
[[distinctive_ring]]
name = "slow"
cadence = ["1s", "1500ms", "1s", "3s"]
[[phone]]
extension = "101"
contacts = "sip:101@192.0.2.1"
[[card]]
name = "c"
port = "sim"
[[line]]
name = "a"
card = "c"
port = 1
`
	for line, want := range map[string]string{
		`kind = "fxo"` + "\nincoming = \"101\"\n" + `numbers = [{ ring = "outside", number = "1" }, { ring = "dr1", number = "2" }]`: `line a: rings "outside" and "dr1" sound alike`,
		`kind = "fxo"` + "\nincoming = \"101\"\n" + `numbers = [{ ring = "slow", number = "1" }]`:                                    `ring "slow": it has a pause of 1.5s before its end`,
		`kind = "fxs"` + "\nextension = \"101\"\n" + `flash_min = "1500ms"`:                                                          "shortest hook-flash, 1.5s, is not shorter",
		`kind = "fxs"` + "\nextension = \"101\"\n" + `country = "za"`:                                                                `no tones are known for country "za"`,
	} {
		_, plan, problems := decodeConfig("office.toml", []byte(before+line))
		if text := tomlfile.Text(problems); plan != nil || !strings.Contains(text, "office.toml:11: ") || !strings.Contains(text, want) {
			t.Errorf("%s: %s\nwant %s", line, text, want)
		}
	}
}
