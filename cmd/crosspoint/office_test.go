package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"crosspoint/internal/softphone"
	"crosspoint/internal/tomlfile"
)

// The tests of this file run a whole office on real sockets and a real pseudo
// terminal, in real time: it is the wiring that they show.

const testOffice = `
country = "us"
[sip]
listen = ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]
[rtp]
ports = "20000-24999"
[control]
socket = "off"
[store]
file = "off"
[[class]]
name  = "staff"
allow = ["internal", "local"]
[[phone]]
extension = "101"
name   = "Alice"
secret = "alice-Fig7-lantern"
class  = "staff"
[[phone]]
extension = "102"
name   = "Bob"
secret = "bob-Oak3-harbour"
class  = "staff"
`

const testLines = `
[[phone]]
extension = "103"
name = "Kitchen"
[[card]]
name = "card1"
port = "sim"
[[line]]
name = "fxo1"
card = "card1"
port = 1
kind = "fxo"
incoming = "101"
[[line]]
name = "fxs1"
card = "card1"
port = 2
kind = "fxs"
extension = "103"
[[trunk]]
name  = "pstn"
lines = ["fxo1"]
[[rule]]
dial = "777xxxx"
to = "pstn"
class = "local"
[[rule]]
dial = "888"
refuse = "not for us"
[emergency]
to = "pstn"
place = "here"
`

// said is a log that a test reads.
type said struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// serveTest runs an office until the test ends.
func serveTest(t *testing.T, text string) (*office, *said) {
	t.Helper()
	cfg, plan, problems := decodeConfig("office.toml", []byte(text))
	if plan == nil {
		t.Fatal(tomlfile.Text(problems))
	}
	out := new(said)
	log, err := newLog(out, Log{Level: "debug"})
	if err != nil {
		t.Fatal(err)
	}
	o, err := openOffice(cfg, plan, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		o.close(ctx)
		if n := o.rtp.InUse(); n != 0 {
			t.Errorf("%d RTP ports are left in use", n)
		}
		if t.Failed() {
			t.Logf("the office said:\n%s", out)
		}
	})
	return o, out
}

// phoneOf starts and registers a phone of the office.
func phoneOf(t *testing.T, o *office, extension string) *softphone.Phone {
	t.Helper()
	return phoneAt(t, o, extension, o.bound[0].addr)
}

// phoneAt is phoneOf at one of the office's sockets.
func phoneAt(t *testing.T, o *office, extension string, server netip.AddrPort) *softphone.Phone {
	t.Helper()
	own := netip.MustParseAddr("127.0.0.1")
	if server.Addr().Is6() {
		own = netip.IPv6Loopback()
	}
	for _, p := range o.cfg.Phones {
		if p.Extension != extension {
			continue
		}
		phone, err := softphone.New(softphone.Config{User: extension, Name: p.Name, Secret: p.Secret, Server: server, Listen: own})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := phone.Close(); err != nil {
				t.Error(err)
			}
		})
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := phone.Register(ctx); err != nil {
			t.Fatal(err)
		}
		return phone
	}
	t.Fatalf("there is no phone %s", extension)
	return nil
}

func soon(t *testing.T, what string, true func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !true(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after 10 s still not: %s", what)
		}
	}
}

func closed(c <-chan struct{}) func() bool {
	return func() bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
}

// connect has one phone call another, which answers.
func connect(t *testing.T, from, to *softphone.Phone, number string) (out, in *softphone.Call) {
	t.Helper()
	out, err := from.Call(context.Background(), number)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case in = <-to.Incoming():
	case <-out.Done():
		t.Fatalf("the call failed: %v", out.Err())
	case <-time.After(10 * time.Second):
		t.Fatal("nobody rings")
	}
	in.Answer()
	soon(t, "the answer arrives", closed(out.Answered()))
	return out, in
}

func TestOfficeIsShown(t *testing.T) {
	o, out := serveTest(t, testOffice)
	alice, bob := phoneOf(t, o, "101"), phoneOf(t, o, "102")
	call, in := connect(t, alice, bob, "102")
	if v := o.status(); v.Calls != 1 || v.Legs != 2 || v.RTPPorts != 2 || len(v.Registrations) != 2 || len(v.Listen) != 2 {
		t.Errorf("status %+v", v)
	}
	if v := o.calls(); len(v) != 1 || v[0].State == "ended" || v[0].From != `101 "Alice"` || v[0].Answerer != "102" {
		t.Errorf("calls %+v", v)
	}
	call.Hangup()
	soon(t, "the hang-up arrives", closed(in.Done()))
	soon(t, "the call has ended", func() bool { return len(o.exchange.Ended()) == 1 })
	v, ok := o.call("", false)
	if !ok || v.Why != "101 hung up" || v.Status != 200 || !strings.Contains(v.Figure, "-BYE-") || !strings.Contains(v.Trail, "102") {
		t.Errorf("call %+v", v)
	}
	if again, ok := o.call(v.ID, true); !ok || again.ID != v.ID {
		t.Errorf("call %s is not found", v.ID)
	}
	if _, ok := o.call("nobody", false); ok {
		t.Error("a call that was never made is found")
	}
	if n := strings.Count(out.String(), "call ended"); n != 1 {
		t.Errorf("%d lines say that a call has ended", n)
	}
	if v := o.status(); v.Calls != 0 || v.Ended != 1 || v.Failed != 0 {
		t.Errorf("status %+v", v)
	}
}

// TestFailureIsExplained: a call that fails says why in a sentence, and which
// line of which file would change it.
func TestFailureIsExplained(t *testing.T) {
	o, _ := serveTest(t, testOffice+testLines)
	alice := phoneOf(t, o, "101")
	for number, want := range map[string]struct {
		status int
		why    []string
	}{
		"999": {404, []string{`"999"`, "no extension or rule"}},
		"102": {480, []string{"102", "has not registered", "office.toml:"}},
		"888": {403, []string{"not for us", "office.toml:"}},
	} {
		before := len(o.exchange.Ended())
		call, err := alice.Call(context.Background(), number)
		if err != nil {
			t.Fatal(err)
		}
		soon(t, "the call to "+number+" has failed", closed(call.Done()))
		var refused softphone.Refused
		if !errors.As(call.Err(), &refused) || refused.Status != want.status {
			t.Errorf("%s: %v, not %d", number, call.Err(), want.status)
		}
		soon(t, "its record is there", func() bool { return len(o.exchange.Ended()) > before })
		why := o.exchange.Ended()[before].Why
		for _, w := range want.why {
			if !strings.Contains(why, w) {
				t.Errorf("%s failed because %q, which does not say %q", number, why, w)
			}
		}
	}
}

// TestStopping: after SIGTERM no new call is taken; one in progress goes on
// until the wait is over, and then ends by BYE.
func TestStopping(t *testing.T) {
	o, _ := serveTest(t, testOffice)
	alice, bob := phoneOf(t, o, "101"), phoneOf(t, o, "102")
	out, in := connect(t, alice, bob, "102")
	wait, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
	defer cancel()
	stopped := make(chan int, 1)
	began := time.Now()
	go func() { stopped <- o.close(wait) }() // ends with the wait
	time.Sleep(100 * time.Millisecond)
	late, err := alice.Call(context.Background(), "102")
	if err != nil {
		t.Fatal(err)
	}
	soon(t, "a new call is refused", closed(late.Done()))
	if refused := (softphone.Refused{}); !errors.As(late.Err(), &refused) || refused.Status != 503 {
		t.Errorf("a new call got %v, not 503", late.Err())
	}
	if closed(out.Done())() || closed(in.Done())() {
		t.Error("the call in progress was cut off at once")
	}
	if cut := <-stopped; cut != 1 {
		t.Errorf("%d calls were hung up, not 1", cut)
	}
	if took := time.Since(began); took < 1400*time.Millisecond || took > 6*time.Second {
		t.Errorf("stopping took %v, not the 1.5 s of the wait", took)
	}
	soon(t, "both ends heard BYE", func() bool { return closed(out.Done())() && closed(in.Done())() })
	if out.Err() != nil || in.Err() != nil {
		t.Errorf("they ended with %v and %v", out.Err(), in.Err())
	}
}

// TestOneWayAudio: a party that is not heard is named within three seconds.
func TestOneWayAudio(t *testing.T) {
	o, log := serveTest(t, testOffice)
	alice, bob := phoneOf(t, o, "101"), phoneOf(t, o, "102")
	_, in := connect(t, alice, bob, "102")
	soon(t, "102 is heard", func() bool { return in.Packets() > 10 })
	in.Mute(true)
	muted := time.Now()
	silent := func() bool {
		for _, line := range strings.Split(log.String(), "\n") {
			if strings.Contains(line, "level=WARN") && strings.Contains(line, "102") && !strings.Contains(line, "authentication") {
				return true
			}
		}
		return false
	}
	soon(t, "the log names the silent party", silent)
	if took := time.Since(muted); took > 4*time.Second {
		t.Errorf("it took %v, not 3 s", took)
	}
}

// TestUnplugged: a line card that is unplugged ends the calls on it and no
// other, and is taken up again.
func TestUnplugged(t *testing.T) {
	o, _ := serveTest(t, testOffice+testLines)
	alice, bob := phoneOf(t, o, "101"), phoneOf(t, o, "102")
	ready := func() bool {
		for _, l := range o.lines() {
			if !l.Ready {
				return false
			}
		}
		return true
	}
	soon(t, "the lines are in service", ready)
	outside, err := bob.Call(context.Background(), "7773660")
	if err != nil {
		t.Fatal(err)
	}
	soon(t, "the town answers", closed(outside.Answered()))
	carol, err := softphone.New(softphone.Config{User: "101", Secret: "alice-Fig7-lantern", Server: o.bound[0].addr})
	if err != nil {
		t.Fatal(err)
	}
	defer carol.Close()
	inside, err := carol.Call(context.Background(), "101")
	if err != nil {
		t.Fatal(err)
	}
	var in *softphone.Call
	select {
	case in = <-alice.Incoming():
	case <-time.After(5 * time.Second):
		t.Fatal("101 does not ring")
	}
	in.Answer()
	soon(t, "the inside call is answered", closed(inside.Answered()))

	card := o.cards.sim["card1"].Card(1)
	card.Unplug(0)
	soon(t, "the call on the card has ended", closed(outside.Done()))
	soon(t, "its end is explained", func() bool { return len(o.exchange.Ended()) == 1 })
	if why := o.exchange.Ended()[0].Why; !strings.Contains(why, "card1") {
		t.Errorf("the call ended because %q, which does not name the card", why)
	}
	if closed(inside.Done())() {
		t.Error("a call that is not on the card has ended too")
	}
	soon(t, "the lines are reported as failed", func() bool { return o.lines()[0].Failed != "" })
	if err := card.Plug(); err != nil {
		t.Fatal(err)
	}
	soon(t, "the lines are in service again", ready)
	again, err := bob.Call(context.Background(), "7773660")
	if err != nil {
		t.Fatal(err)
	}
	soon(t, "the town answers again", closed(again.Answered()))
	again.Hangup()
	inside.Hangup()
}

// TestSecondInstance: the second exchange on a port is told which port and who
// has it.
func TestSecondInstance(t *testing.T) {
	free := freeUDP(t)
	text := strings.Replace(testOffice, `["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]`, fmt.Sprintf(`"udp:%s"`, free), 1)
	file := write(t, "office.toml", text)
	first := asProgram("serve", file)
	stdout, err := first.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.Contains(lines.Text(), "Stop it with") {
	}
	code, _, complaints := cli("serve", file)
	want := fmt.Sprintf("UDP port %d on 127.0.0.1 is in use by process %d", free.Port(), first.Process.Pid)
	if code != exitFailed || !strings.Contains(complaints, want) || !strings.Contains(complaints, "serve") {
		t.Errorf("code %d, told %q, not %q", code, complaints, want)
	}
	if err := first.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // to the end
	}
	if err := first.Wait(); err != nil {
		t.Errorf("the first left with %v", err)
	}
}

// TestServeBadFile: nothing is started by a file that is wrong.
func TestServeBadFile(t *testing.T) {
	file := write(t, "office.toml", strings.Replace(testOffice, "extension", "extention", 1))
	code, _, complaints := cli("serve", file)
	if code != exitFailed || !strings.Contains(complaints, `did you mean "extension"?`) || !strings.Contains(complaints, "office.toml:15:") {
		t.Errorf("code %d: %s", code, complaints)
	}
}

// TestNoWayToStart: what cannot be opened leaves nothing running; goleak looks.
func TestNoWayToStart(t *testing.T) {
	for name, text := range map[string]string{
		"music":   testOffice + "[music]\nfile = \"/nowhere/hold.wav\"\n",
		"address": strings.Replace(testOffice, "udp:127.0.0.1:0", "udp:192.0.2.250:5060", 1),
		"control": strings.Replace(testOffice, `socket = "off"`, `socket = "/dev/null/control"`, 1),
	} {
		cfg, plan, problems := decodeConfig("office.toml", []byte(text))
		if plan == nil {
			t.Fatalf("%s: %s", name, tomlfile.Text(problems))
		}
		if _, err := openOffice(cfg, plan, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: the office was opened", name)
		}
	}
	if _, err := os.Stat("/dev/null/control"); err == nil {
		t.Error("a socket was left")
	}
}

// TestAnalogPhone: the telephone on an FXS line is rung with caller ID and
// answers; it calls a SIP phone.
func TestAnalogPhone(t *testing.T) {
	o, _ := serveTest(t, testOffice+testLines)
	alice := phoneOf(t, o, "101")
	kitchen := o.cards.sim["card1"].Phone("fxs1")
	soon(t, "the lines are in service", func() bool { return o.lines()[1].Ready })

	out, err := alice.Call(context.Background(), "103")
	if err != nil {
		t.Fatal(err)
	}
	soon(t, "101 hears that 103 rings", closed(out.Ringing()))
	soon(t, "103 answers after two rings", closed(out.Answered()))
	if s := kitchen.Status(); s.CallerID.Number != "101" || s.CallerID.Name != "Alice" {
		t.Errorf("103 sees the caller %+v, not 101 Alice", s.CallerID)
	}
	out.Hangup()
	soon(t, "103 is on-hook", func() bool { return !kitchen.Status().OffHook && o.lines()[1].Ready })

	kitchen.OffHook()
	soon(t, "103 hears dial tone", func() bool { return strings.Contains(strings.ToLower(fmt.Sprint(kitchen.Status())), "dial") })
	if err := kitchen.Dial("101"); err != nil {
		t.Fatal(err)
	}
	var in *softphone.Call
	select {
	case in = <-alice.Incoming():
	case <-time.After(10 * time.Second):
		t.Fatalf("101 does not ring; 103: %+v", kitchen.Status())
	}
	if in.Number != "103" || in.Name != "Kitchen" {
		t.Errorf("101 sees the caller %q %q, not 103 Kitchen", in.Number, in.Name)
	}
	in.Answer()
	soon(t, "101 is connected", closed(in.Answered()))
	kitchen.OnHook()
	soon(t, "103's hang-up reaches 101", closed(in.Done()))
}

// TestAnnouncement: a newcomer is told where to register and what to dial, and
// no password.
func TestAnnouncement(t *testing.T) {
	o, _ := serveTest(t, testOffice+testLines)
	var out strings.Builder
	o.announce(console{out: &out})
	for _, want := range []string{
		"UDP " + o.bound[0].addr.String(), "card1", "fxs1 (telephone 103)", "user 101", "password: the secret at office.toml:",
		"103", "777xxxx", "7773660", "answers after 1s",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q", want)
		}
	}
	for _, p := range o.cfg.Phones {
		if p.Secret != "" && strings.Contains(out.String(), p.Secret) {
			t.Errorf("it tells the secret of %s", p.Extension)
		}
	}
	if t.Failed() {
		t.Log(out.String())
	}
	if d := o.dialFor("7773660"); d != "7773660" {
		t.Errorf("the town's 7773660 is reached by %q", d)
	}
	if d := o.dialFor("5550101"); d != "" {
		t.Errorf("the town's 5550101 is reached by %q, though no rule leads there", d)
	}
}
