package wiring

import (
	"strings"
	"testing"
	"time"

	"crosspoint/dialplan"
	"crosspoint/gateway"
	"crosspoint/gateway/jack"
	"crosspoint/internal/tomlfile"
)

// noPort is a jack of which nothing ever comes.
type noPort struct{ jack.Timeslot }

func (noPort) Name() string                  { return "card1:1" }
func (noPort) Kind() jack.Kind               { return jack.Unknown }
func (noPort) Attach(jack.Handler)           {}
func (noPort) SetSignalling(jack.Signalling) {}

// read is the plan of a file and the gateway's configuration of its first line.
func read(t *testing.T, line string) (gateway.LineConfig, []tomlfile.Problem) {
	t.Helper()
	var c struct{ dialplan.Config }
	leads := "incoming"
	if strings.Contains(line, `kind = "fxs"`) {
		leads = "extension"
	}
	text := "country = \"us\"\n[[phone]]\nextension = \"101\"\ncontacts = \"sip:101@192.0.2.1\"\n[[line]]\nname = \"l\"\ncard = \"c\"\nport = 1\n" + leads + " = \"101\"\n" + line
	problems := tomlfile.Decode("f.toml", []byte(text), &c)
	plan, more := dialplan.Compile(c.Config)
	if problems = append(problems, more...); tomlfile.Fatal(problems) {
		return gateway.LineConfig{}, problems
	}
	o := &Office{cfg: Config{Port: func(string, int) jack.Port { return noPort{} }}}
	return o.line(newBook(c.Config, plan), c.Lines[0]), problems
}

// TestGainsAreTheGateways: what the plan lets pass the gateway takes, and no more.
func TestGainsAreTheGateways(t *testing.T) {
	for gain, ok := range map[string]bool{"-24": true, "24": true, "24.5": false, "-30": false} {
		l, problems := read(t, "kind = \"fxo\"\ngain_out = "+gain)
		if tomlfile.Fatal(problems) == ok {
			t.Errorf("gain %s: %s", gain, tomlfile.Text(problems))
		}
		if !ok {
			l, _ = read(t, "kind = \"fxo\"")
			l.SendGain = map[string]float64{"24.5": 24.5, "-30": -30}[gain]
		}
		err := newGateway(l)
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "a gain is from -24 to 24 dB") {
			t.Errorf("gain %s: %v", gain, err)
		}
	}
}

// newGateway tells whether the gateway takes a line. It has no card, and is not
// started: a trunk of a line that is not there fails after the lines are checked.
func newGateway(l gateway.LineConfig) error {
	_, err := gateway.New(gateway.Config{Lines: []gateway.LineConfig{l}, Trunks: []gateway.TrunkConfig{{Name: "t", Lines: []string{"none"}}}})
	if err != nil && strings.Contains(err.Error(), `there is no line "none"`) {
		return nil
	}
	return err
}

// What the file says of breaks of the loop is what the gateway gets.
func TestHookTimesOfFile(t *testing.T) {
	l, problems := read(t, "kind = \"fxs\"\nflash_min = \"50ms\"\nflash_max = \"1s\"\nbusied_out = true")
	if tomlfile.Fatal(problems) || l.FXS.FlashMin != 50*time.Millisecond || l.FXS.FlashMax != time.Second || !l.BusiedOut {
		t.Errorf("%+v %s", l, tomlfile.Text(problems))
	}
	l, problems = read(t, "kind = \"fxo\"\nloop_drop = \"250ms\"\nflash = \"100ms\"")
	if tomlfile.Fatal(problems) || l.FXO.MinLoopDrop != 250*time.Millisecond || l.FXO.FlashTime != 100*time.Millisecond || l.BusiedOut {
		t.Errorf("%+v %s", l, tomlfile.Text(problems))
	}
}

func TestTimeslotOfFile(t *testing.T) {
	for text, want := range map[string]gateway.LineConfig{
		`kind = "tdm"`: {Kind: jack.TDM, TDM: gateway.TDM{Digits: -1}},
		"kind = \"tdm\"\nsignalling = \"immediate-start\"\ndialing = \"pulse\"\ndigits = 4\nguard = \"2s\"": {Kind: jack.TDM,
			TDM: gateway.TDM{Immediate: true, Pulse: true, Digits: 4, Guard: 2 * time.Second}},
		"kind = \"tdm\"\nwink_wait = \"8s\"\nglare = \"keep\"\necho = \"on\"": {Kind: jack.TDM, EchoTail: 32 * time.Millisecond,
			TDM: gateway.TDM{Digits: -1, WinkWait: 8 * time.Second, KeepGlare: true}},
		"kind = \"fxo\"\nsignalling = \"ground-start\"": {Kind: jack.FXO, GroundStart: true},
		"kind = \"fxo\"\nsignalling = \"loop-start\"":   {Kind: jack.FXO},
	} {
		got, problems := read(t, text)
		if tomlfile.Fatal(problems) || got.Kind != want.Kind || got.TDM != want.TDM || got.GroundStart != want.GroundStart || got.EchoTail != want.EchoTail {
			t.Errorf("%s: %+v\n%s", text, got, tomlfile.Text(problems))
		}
	}
}
