package main

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"crosspoint/dialplan"
	"crosspoint/internal/siptest"
	"crosspoint/internal/tomlfile"
)

var seedLabFile = filepath.Join("..", "..", "configs", "seed-lab.toml")

// TestSeedLabIsExact holds the lab's file against what outside programs were
// promised of it: addresses, ports, names, passwords, timers and services.
func TestSeedLabIsExact(t *testing.T) {
	cfg, plan, problems := loadConfig(seedLabFile)
	if plan == nil || len(problems) > 0 {
		t.Fatalf("%s", tomlfile.Text(problems))
	}
	at := netip.MustParseAddrPort("127.0.0.1:5060")
	if s := cfg.sockets(); !reflect.DeepEqual(s, []socket{{"udp", at}, {"tcp", at}}) {
		t.Errorf("listens on %v", s)
	}
	domains := "wcom.com ss1.wcom.com here.com there.com anywhere.com nowhere.com gw1.wcom.com"
	if got := strings.Join(cfg.SIP.Domains, " "); got != domains {
		t.Errorf("domains %s", got)
	}
	if cfg.realm() != "MCI WorldCom SIP" || cfg.Ring != 2*time.Second || cfg.Music != (Music{}) {
		t.Errorf("realm %q, ring %v, music %+v", cfg.realm(), cfg.Ring, cfg.Music)
	}
	ports := map[string]int{"UserA": 5071, "UserB": 5072, "UserC": 5073, "UserD": 5074,
		"UserB1": 5081, "UserB2": 5082, "UserB3": 5083, "UserB4": 5084}
	for _, p := range cfg.Phones {
		port, ok := ports[p.Extension]
		if !ok {
			if p.Secret != "" || len(p.Contacts) > 0 {
				t.Errorf("%s has a set of its own", p.Extension)
			}
			continue
		}
		contact := fmt.Sprintf("sip:%s@127.0.0.1:%d", p.Extension, port)
		if p.Secret != "seed-"+strings.ToLower(p.Extension) || len(p.Contacts) != 1 || p.Contacts[0] != contact {
			t.Errorf("%s: secret %q, contacts %q", p.Extension, p.Secret, p.Contacts)
		}
		delete(ports, p.Extension)
	}
	if len(ports) > 0 {
		t.Errorf("phones are missing: %v", ports)
	}
	for _, c := range []struct{ from, dial, want string }{
		{"UserA", "UserB-always", "pstn 7773660 for 0s"},
		{"UserA", "UserB-busy", "UserB1 for 0s, busy: UserB2 for 0s"},
		{"UserA", "UserB-noanswer", "UserB1 for 2s, no answer: UserB2 for 0s"},
		{"UserA", "UserB-line", "UserB1 for 2s, no answer: UserB2 for 2s, no answer: UserB3 for 2s"},
		{"UserA", "UserB-findme", "UserB1 for 2s, no answer: UserB2 for 2s, no answer: UserB3 for 2s, no answer: UserB4 for 2s"},
		{"UserA", "UserB-screened", "403 Screening Failure (Terminating)"},
		{"UserB2", "UserB-screened", "UserB for 0s"},
		{"UserD", "UserB", "403 Screening Failure (Originating)"},
	} {
		if got := routed(plan, c.from, c.dial); got != c.want {
			t.Errorf("%s dials %s: %s, not %s", c.from, c.dial, got, c.want)
		}
	}
}

// routed is a route in short: whom it rings, for how long, and what leads on.
func routed(plan *dialplan.Plan, from, dial string) string {
	caller, _ := plan.Caller(from)
	route, _ := plan.Match(dialplan.Query{From: caller, Dialed: dial, At: time.Now()})
	if r := route.Refusal; r != nil {
		return fmt.Sprintf("%d %s", r.Status, r.Phrase)
	}
	text, cond := "", dialplan.NoAnswer
	if strings.HasSuffix(dial, "-busy") {
		cond = dialplan.Busy
	}
	for i, more := 0, true; more; i, more = route.Next(i, cond) {
		s := route.Stages[i]
		if i > 0 {
			text += map[dialplan.Condition]string{dialplan.Busy: ", busy: ", dialplan.NoAnswer: ", no answer: "}[cond]
		}
		text += fmt.Sprintf("%v for %v", s.Targets[0], s.RingFor)
	}
	return text
}

// TestSeedLabServes starts the program with the lab's file, on a loopback
// address of its own, and plays its parties on real sockets. It takes real
// time: 2 s of ringing and what a town needs to answer.
func TestSeedLabServes(t *testing.T) {
	l := startSeedLab(t)
	var scenes sync.WaitGroup
	for _, play := range []func(*seedLab){
		(*seedLab).talks, (*seedLab).findsUserB, (*seedLab).isScreened, (*seedLab).callsTheTown,
	} {
		scenes.Go(func() { play(l) })
	}
	scenes.Wait()
}

// seedLabHost is not 127.0.0.1, so that another exchange on this machine is not
// in the way.
const seedLabHost = "127.50.60.1"

type seedLab struct{ t *testing.T }

func startSeedLab(t *testing.T) *seedLab {
	t.Helper()
	text, err := os.ReadFile(seedLabFile)
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, "seed-lab.toml", strings.ReplaceAll(string(text), "127.0.0.1", seedLabHost))
	program := asProgram("serve", file)
	program.Env = append(program.Env, "XDG_RUNTIME_DIR="+t.TempDir(), "XDG_STATE_HOME="+t.TempDir(), "HOME="+t.TempDir())
	program.Dir = t.TempDir()
	var complaints strings.Builder
	program.Stderr = &complaints
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	ready := false
	for !ready && lines.Scan() {
		ready = strings.Contains(lines.Text(), "Stop it with")
	}
	if !ready {
		_ = program.Wait()
		t.Fatalf("the lab did not start:\n%s", complaints.String())
	}
	t.Cleanup(func() {
		if err := program.Process.Signal(syscall.SIGINT); err != nil {
			t.Error(err)
		}
		for lines.Scan() { // to the end
		}
		if err := program.Wait(); err != nil {
			t.Errorf("the lab left with %v:\n%s", err, complaints.String())
		}
	})
	return &seedLab{t}
}

// phone is one of the lab's phones, on its real port.
func (l *seedLab) phone(user string, port int) *siptest.Peer {
	l.t.Helper()
	u, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(seedLabHost), uint16(port))))
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { u.Close() })
	p := siptest.NewPeerOn(l.t, user, u)
	p.Password, p.Domain, p.Target, p.Wait = "seed-"+strings.ToLower(user), "here.com", seedLabHost+":5060", 8*time.Second
	return p
}

// talks: UserC and UserD talk, UserD holds and takes back, UserC hangs up.
func (l *seedLab) talks() {
	c, d := l.phone("UserC", 5073), l.phone("UserD", 5074)
	c.Legacy = true
	call := c.Invite("sip:UserD@ss1.wcom.com", siptest.SDP(seedLabHost, 40000))
	invite := d.Expect("INVITE")
	in := d.Incoming(invite)
	in.Respond(invite, 180)
	c.Expect("180")
	in.Respond(invite, 200, siptest.SDP(seedLabHost, 40002))
	d.Expect("ACK")
	call.Ack(c.Expect("200 INVITE"))
	in.Request("INVITE", siptest.SDP(seedLabHost, 40002, "a=sendonly"))
	held := c.Expect("INVITE")
	if !strings.Contains(held.Body, "c=IN IP4 0.0.0.0") {
		l.t.Errorf("UserC, a phone of 1999, is held by\n%s", held.Body)
	}
	c.Respond(held, 200, siptest.SDP(seedLabHost, 40000))
	c.Expect("ACK")
	in.Ack(d.Expect("200 INVITE"))
	call.Request("BYE")
	c.Expect("200 BYE")
	in.Respond(d.Expect("BYE"), 200)
}

// findsUserB: UserB1 does not answer, UserB2 is busy, UserB3 answers.
func (l *seedLab) findsUserB() {
	b1, b2, b3, b4 := l.phone("UserB1", 5081), l.phone("UserB2", 5082), l.phone("UserB3", 5083), l.phone("UserB4", 5084)
	call := b4.Invite("sip:UserB-findme@wcom.com", siptest.SDP(seedLabHost, 40010))
	first := b1.Expect("INVITE")
	began := time.Now()
	b1.Respond(first, 180)
	b4.Expect("180")
	cancel := b1.Expect("CANCEL")
	if rang := time.Since(began); rang < 1900*time.Millisecond || rang > 4*time.Second {
		l.t.Errorf("UserB1 rang for %v, not 2 s", rang)
	}
	b1.Respond(cancel, 200)
	b1.Respond(first, 487)
	b1.Expect("ACK")
	second := b2.Expect("INVITE")
	b2.Respond(second, 486)
	b2.Expect("ACK")
	third := b3.Expect("INVITE")
	b3.Respond(third, 200, siptest.SDP(seedLabHost, 40014))
	b3.Expect("ACK")
	call.Ack(b4.Expect("200 INVITE"))
	call.Request("BYE")
	b4.Expect("200 BYE")
	b3.Respond(b3.Expect("BYE"), 200)
}

// isScreened: UserA may not call UserB-screened.
func (l *seedLab) isScreened() {
	a := l.phone("UserA", 5071)
	call := a.Invite("sip:UserB-screened@ss1.wcom.com", siptest.SDP(seedLabHost, 40020))
	refused := a.Expect("403")
	call.Ack(refused)
	if refused.Reason != "Screening Failure (Terminating)" {
		l.t.Errorf("refused with %q", refused.Reason)
	}
}

// callsTheTown: the call to UserB-always goes out by the simulated line; the
// town's subscriber answers and is heard.
func (l *seedLab) callsTheTown() {
	b := l.phone("UserB", 5072)
	ear, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(seedLabHost), Port: 0})
	if err != nil {
		l.t.Error(err)
		return
	}
	defer ear.Close()
	var call *siptest.Dialog
	var answer *siptest.Message
	for try := 1; answer == nil; try++ { // a machine that is short of time may miss what a line says in passing
		if try > 3 {
			l.t.Error("the town did not answer, three times")
			return
		}
		call = b.Invite("sip:UserB-always@ss1.wcom.com", siptest.SDP(seedLabHost, ear.LocalAddr().(*net.UDPAddr).Port))
		answer = l.answerTo(b, call)
	}
	call.Ack(answer)
	heard := 0
	_ = ear.SetReadDeadline(time.Now().Add(time.Second))
	for buf := make([]byte, 2000); ; heard++ {
		if _, _, err := ear.ReadFromUDP(buf); err != nil {
			break
		}
	}
	if heard < 25 { // of 50
		l.t.Errorf("%d packets came from the town within a second", heard)
	}
	call.Request("BYE")
	b.Expect("200 BYE")
}

// answerTo waits for the answer to a call; nil: it did not come within 15 s, and
// the call is cancelled.
func (l *seedLab) answerTo(p *siptest.Peer, call *siptest.Dialog) *siptest.Message {
	p.Wait = 15 * time.Second
	for m := p.Any(); m != nil; m = p.Any() {
		if m.Is("200 INVITE") {
			return m
		}
		if m.Status >= 300 {
			call.Ack(m)
			return nil
		}
	}
	p.Wait = 8 * time.Second
	call.Cancel()
	for m := p.Any(); m != nil; m = p.Any() {
		if m.Is("487") {
			call.Ack(m)
			return nil
		}
	}
	return nil
}
