package linesim

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// commandHelp lists the commands of Sim.Command.
const commandHelp = `status                                  cards, lines and telephones
subscribers                             the town's numbers
calls                                   calls over the lines, oldest first
events [N]                              what happened, newest last
ring LINE from NUMBER [name "TEXT"] [private | outofarea | payphone | service]
     [noid] [badid] [for 20s]           someone calls a line, by its name or a number of it; why without number
     [dial 101]                         the digits that are sent over a trunk
     [ring dr2 | ring 0.8/0.4/0.8/4]    how it rings; else as the called number does
hangup LINE                             the town's side of a line's call hangs up
drop LINE 300ms                         loop current drops for a time
echo LINE 12 [4ms]                      what is sent comes back 12 dB weaker; 0: not
noise LINE -55                          noise on the wire in dBm0; 0: none
cut LINE | mend LINE                    the wire is cut; and mended
phone PHONE offhook | onhook            lifts the receiver; puts it down
phone PHONE dial DIGITS | pulse DIGITS  presses keys; turns the dial
phone PHONE flash [600ms]               presses the hook for a moment
phone PHONE answer N                    answers by itself after N rings; 0: never
phone PHONE display on | off            shows who calls while it is in use
block LINE | unblock LINE               the exchange at a trunk's end takes it out of service; and back
wink LINE on | off                      it winks when it is seized, or not
alarm [CARD] signal|frame|ais|yellow|clear
                                        a card's span is broken; and mended
unplug [CARD] [5s]                      pulls a card's cable, for a time or until plug
plug [CARD]                             and puts it back
errors 1e-4 [CARD|MODEM]                bit error rate of a serial line
loss 1e-5 [CARD|MODEM]                  octets lost on it
reboot [CARD]                           a card starts anew
hang MODEM [5s]                         a modem's firmware crashes, for a time
quirk MODEM [QUIRK …]                   what a modem does against the rules from now on; none: its family's only
help                                    this list`

// Command carries out one line of the control language and returns what it
// has to say. An error says what to write instead.
func (s *Sim) Command(line string) (string, error) {
	words, err := split(line)
	if err != nil || len(words) == 0 {
		return "", err
	}
	args := words[1:]
	switch words[0] {
	case "help":
		return commandHelp, nil
	case "status":
		return s.statusText(), nil
	case "subscribers":
		return s.town.text(), nil
	case "calls":
		return s.town.callsText(), nil
	case "events":
		return s.eventsText(args)
	case "ring":
		return "", s.commandRing(args)
	case "block", "unblock", "wink":
		return "", s.commandTrunk(words[0], args)
	case "hangup", "cut", "mend", "drop", "echo", "noise":
		return "", s.commandLine(words[0], args)
	case "phone":
		return "", s.commandPhone(args)
	case "hang", "quirk":
		return "", s.commandModem(words[0], args)
	case "unplug", "plug", "reboot", "alarm":
		return "", s.commandCard(words[0], args)
	case "errors", "loss":
		return "", s.commandCable(words[0], args)
	}
	return "", fmt.Errorf("no command %q: help lists them", words[0])
}

// split cuts a line into words. A word may stand in double quotes.
func split(line string) (words []string, err error) {
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if line[0] == '"' {
			word, rest, found := strings.Cut(line[1:], `"`)
			if !found {
				return nil, fmt.Errorf("a quotation mark is missing after %s", line)
			}
			words, line = append(words, word), rest
			continue
		}
		end := strings.IndexAny(line, " \t")
		if end < 0 {
			end = len(line)
		}
		words, line = append(words, line[:end]), line[end:]
	}
	return words, nil
}

func (s *Sim) eventsText(args []string) (string, error) {
	events := s.Events()
	n := 20
	if len(args) > 0 {
		var err error
		if n, err = strconv.Atoi(args[0]); err != nil || n < 1 {
			return "", fmt.Errorf("events %s: write how many", args[0])
		}
	}
	var b strings.Builder
	for _, e := range events[max(0, len(events)-n):] {
		fmt.Fprintf(&b, "%s %s\n", e.At.Format("15:04:05.000"), e)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

func (s *Sim) commandPhone(args []string) error {
	var names []string
	for _, p := range s.phones {
		names = append(names, p.name)
	}
	if len(args) < 2 {
		return fmt.Errorf("write: phone NAME offhook, onhook, dial, pulse, flash, answer or display. There are %s", orNone(names))
	}
	p := s.Phone(args[0])
	if p == nil {
		return fmt.Errorf("no telephone %q: there are %s", args[0], orNone(names))
	}
	value := ""
	if len(args) > 2 {
		value = args[2]
	}
	if slices.Contains([]string{"dial", "pulse", "flash"}, args[1]) && !p.Status().OffHook {
		return fmt.Errorf("telephone %s is on-hook: write phone %s offhook before", p.name, p.name)
	}
	switch args[1] {
	case "offhook":
		p.OffHook()
	case "onhook":
		p.OnHook()
	case "dial", "pulse":
		if value == "" {
			return fmt.Errorf("phone %s %s: which digits?", p.name, args[1])
		}
		if args[1] == "dial" {
			return p.Dial(value)
		}
		return p.DialPulse(value)
	case "flash":
		d := time.Duration(0)
		if value != "" {
			var err error
			if d, err = time.ParseDuration(value); err != nil || d <= 0 {
				return fmt.Errorf("flash %s: write a time such as 600ms", value)
			}
		}
		p.Flash(d)
	case "answer":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return fmt.Errorf("phone %s answer: write after how many rings; 0 is never", p.name)
		}
		s.do(func() { p.cfg.Answer = n })
	case "display":
		if value != "on" && value != "off" {
			return fmt.Errorf("phone %s display: write on or off", p.name)
		}
		s.do(func() { p.cfg.WaitingDisplay = value == "on" })
	default:
		return fmt.Errorf("phone %s: %q is not offhook, onhook, dial, pulse, flash, answer or display", p.name, args[1])
	}
	return nil
}

// Serve takes connections and answers each line that comes in with what
// Command says, or "error: …", and an empty line after it. It returns when the
// listener is closed, after its connections are.
func (s *Sim) Serve(listener net.Listener) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	defer wg.Wait()
	defer func() {
		mu.Lock()
		defer mu.Unlock()
		for c := range open {
			c.Close()
		}
	}()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		mu.Lock()
		open[conn] = true
		mu.Unlock()
		wg.Add(1)
		go func() { // ends as its connection does
			defer wg.Done()
			s.converse(conn)
			mu.Lock()
			delete(open, conn)
			mu.Unlock()
		}()
	}
}

func (s *Sim) converse(conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		text, err := s.Command(lines.Text())
		switch {
		case err != nil:
			text = "error: " + err.Error() + "\n"
		case text != "":
			text += "\n"
		}
		if _, err := fmt.Fprintf(conn, "%s\n", text); err != nil {
			return
		}
	}
}
