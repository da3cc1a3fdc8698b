package linesim_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"crosspoint/gateway/linesim"
)

func TestCommands(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{})
		wait(100 * time.Millisecond)
		say := func(line, want string) {
			t.Helper()
			got, err := h.sim.Command(line)
			if err != nil {
				t.Errorf("%s: %v", line, err)
			}
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q, want %q", line, got, want)
			}
			wait(100 * time.Millisecond)
		}
		say("", "")
		say("help", "unplug [CARD] [5s]")
		say("subscribers", "5550101    is busy")
		say(`ring fxo1 from 5551234 name "Joe Doe" for 20s`, "")
		say("status", "ringing")
		wait(5 * time.Second)
		say("events 3", "fxo1 rings: call from 5551234")
		say("hangup fxo1", "")
		say("calls", "fxo1 <- 5551234: talked 0s, subscriber hung up")
		say("ring 5553001 from 5551234", "")
		say("events 1", "fxo1 rings 0.8/0.4/0.8: call from 5551234 to 5553001")
		say("hangup fxo1", "")
		say("ring fxo1 from 7773660 ring dr4", "")
		say("events 1", "fxo1 rings 0.3/0.2/1/0.2/0.3: call from 7773660")
		say("hangup fxo1", "")
		say("ring fxo1 from 5551234 ring 0.8/0.4/0.8/4 for 20s", "")
		say("hangup fxo1", "")
		say("ring fxo2 private", "")
		say("events 1", "fxo2 rings: call from no number")
		say("hangup fxo2", "")
		say("calls", "fxo2 <- no number: talked 0s, subscriber hung up")
		say("ring fxo2 payphone", "")
		say("ring fxo1 from 7773660 badid", "")
		say("phone fxs1 offhook", "")
		say("phone fxs1 dial 12", "")
		say("phone fxs1 flash 500ms", "")
		say("phone fxs1 pulse 3", "")
		say("status", "fxs1   off-hook")
		say("phone fxs1 onhook", "")
		say("phone fxs2 answer 0", "")
		say("cut fxo1", "")
		say("mend fxo1", "")
		say("drop fxo1 200ms", "")
		say("echo fxo1 12 4ms", "")
		say("noise fxo1 -55", "")
		say("errors 1e-4 card1", "")
		say("errors 0", "")
		say("loss 1e-5", "")
		say("loss 0 card1", "")
		say("reboot", "")
		say("unplug card1 1s", "")
		say("status", "unplugged")
		wait(3 * time.Second)
		say("status", "taken up by a host")
		say("unplug", "")
		say("plug", "")
	})
}

func TestWrongCommands(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{})
		h.sim.Phone("fxs1").OffHook()
		for line, want := range map[string]string{
			"dance":                        `no command "dance": help lists them`,
			"ring":                         "which line? There are fxo1, fxo2",
			"ring fxo9 from 1":             `no line "fxo9": there are fxo1, fxo2`,
			"ring fxo1":                    "say who calls",
			"ring fxo1 from":               `what follows "from"?`,
			"ring fxo1 form 1":             `"form" is not from, name`,
			"ring fxo1 from 1 for ever":    "write a time such as 20s",
			`ring fxo1 from 1 name "J`:     "a quotation mark is missing",
			"ring fxo1 from 1 ring":        `what follows "ring"?`,
			"ring fxo1 from 1 ring dr9":    `"dr9" is no ring: write outside`,
			"ring fxo1 from 1 ring 2/4/":   `"2/4/" is no ring`,
			"ring fxo1 from 1 ring 1e99/4": `is no ring`,
			"ring fxo1 from 1 ring 2":      "has 1 times",
			"ring fxo1 from 1 ring 2/1":    "from 2s to 5s",
			"ring 5553009 from 1":          `no line "5553009"`,
			"hangup fxo1":                  "line fxo1 has no call",
			"drop fxo1 soon":               "write a time such as 300ms",
			"noise fxo1 loud":              "write a level in dB",
			"noise fxo1 3":                 "-10 or less",
			"echo fxo1":                    "write a level in dB",
			"echo fxo1 12 late":            "write a time such as 4ms",
			"echo fxo1 12 3s":              "at most 100ms",
			"phone":                        "There are fxs1, fxs2",
			"phone fxs9 offhook":           `no telephone "fxs9"`,
			"phone fxs1 jump":              `"jump" is not offhook`,
			"phone fxs1 dial":              "which digits?",
			"phone fxs1 dial xyz":          "x",
			"phone fxs1 pulse #":           "a dial has no",
			"phone fxs2 dial 101":          "fxs2 is on-hook: write phone fxs2 offhook before",
			"phone fxs1 answer x":          "after how many rings",
			"phone fxs1 flash x":           "write a time such as 600ms",
			"phone fxs1 display":           "write on or off",
			"unplug soon":                  "a time such as 5s",
			"errors many":                  "write a rate from 0 to 0.5",
			"errors 1e-4 card9":            `there is no "card9": there are card1`,
			"plug card9":                   `there is no "card9": there are card1`,
			"unplug card9":                 "write a card (there are card1), a time",
			"reboot now":                   `there is no "now"`,
			"events no":                    "write how many",
		} {
			if got, err := h.sim.Command(line); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q, %v, want %q", line, got, err, want)
			}
		}
	})
}

func TestServe(t *testing.T) {
	sim, err := linesim.New(linesim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	listener, err := net.Listen("unix", t.TempDir()+"/s")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- sim.Serve(listener) }()
	conn, err := net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "status\nnonsense\nphone fxs1 offhook\n")
	var got []string
	for lines := bufio.NewScanner(conn); len(got) < 9 && lines.Scan(); {
		got = append(got, lines.Text())
	}
	text := strings.Join(got, "\n")
	if !strings.Contains(text, "fxs2   on-hook\n\nerror: no command \"nonsense\": help lists them\n\n") {
		t.Errorf("%s", text)
	}
	listener.Close() // with a client still there
	<-ended
}
