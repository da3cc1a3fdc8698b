package interop

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A scenario is a run of sipp with one of our files in testdata.
type scenario struct {
	t      *testing.T
	name   string
	exited chan error
	dir    string
	log    *output
}

// sipp starts a scenario, as phone 101 of servicesOffice if it calls. The
// numbers are its fields.
func (x *exchange) sipp(t *testing.T, name string, port int, numbers string) *scenario {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("testdata", name+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	x.scenarios++ // each has RTP ports of its own
	s := &scenario{t: t, name: name, exited: make(chan error, 1), dir: t.TempDir()}
	fields := filepath.Join(s.dir, "fields.csv")
	if err := os.WriteFile(fields, []byte("SEQUENTIAL\n"+numbers+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd, log := startSipp(t, s.dir, "-sf", file, "-inf", fields, "-s", "101", "-au", "101", "-ap", "Kestrel-over-Mill-101",
		"-cid_str", "%u-%p", "-i", "127.0.0.1", "-p", strconv.Itoa(port), "-mp", strconv.Itoa(27000+4*x.scenarios), "-m", "1",
		"-trace_logs", "-recv_timeout", "10000", "-timeout", "20s", "-timeout_error", x.udp.String())
	s.log = log
	go func() { s.exited <- cmd.Wait() }() // ended by the clean-up
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-s.exited
	})
	return s
}

func freeUDPPort(t *testing.T) int {
	t.Helper()
	l, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.LocalAddr().(*net.UDPAddr).Port
}

// succeeds waits until the scenario has gone to its end as it is written.
func (s *scenario) succeeds() {
	s.t.Helper()
	select {
	case err := <-s.exited:
		s.exited <- err
		if err != nil {
			s.t.Fatalf("sipp %s: %v\n%s\n%s", s.name, err, complaints(s.dir), s.log)
		}
	case <-time.After(25 * time.Second):
		s.t.Fatalf("sipp %s has not ended within 25 s\n%s", s.name, s.log)
	}
}

// logged is what the scenario's log actions have written, a line each.
func (s *scenario) logged() string {
	s.t.Helper()
	files, _ := filepath.Glob(filepath.Join(s.dir, "*_logs.log"))
	if len(files) != 1 {
		s.t.Fatalf("sipp %s has written the logs %q, not one", s.name, files)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// TestSippScenarios: sipp calls sipp, each by a scenario of ours: answered,
// busy, no answer, and a call that is forwarded on busy. All callees are told
// how to ring: as for a call within the office, or as the caller asks.
func TestSippScenarios(t *testing.T) {
	real(t, "sipp")
	busy, silent, answers := freeUDPPort(t), freeUDPPort(t), freeUDPPort(t)
	phone := func(extension string, port int, more string) string {
		return fmt.Sprintf("[[phone]]\nextension = %q\nsecret = \"Lapwing-in-Field-%[1]s\"\ncontacts = \"sip:%[1]s@127.0.0.1:%d\"\n%s\n", extension, port, more)
	}
	x := start(t, servicesOffice+phone("201", busy, "")+phone("202", silent, "")+phone("203", answers, "")+
		"[[phone]]\nextension = \"204\"\nfind_me = [\"202\"]\n"+
		"[[phone]]\nextension = \"205\"\nfind_me = [\"201\", \"202\", \"203\"]\n")
	const inside = "<urn:alert:source:internal>"
	before := x.status()
	for _, c := range []struct {
		caller, number string
		callees        map[string]int
		ring           string // Alert-Info of what each callee gets
		answerer       string
		status         int
		why            string
		arrows         []string
	}{
		{"uac-hangs-up", "203", map[string]int{"uas-answers": answers}, inside, "203", 200, "101 hung up",
			[]string{"b2bua -> 101 407", "101 -> b2bua INVITE", "b2bua -> 203 INVITE", "203 -> b2bua 200", "101 -> b2bua BYE", "b2bua -> 203 BYE"}},
		{"uac-busy", "201", map[string]int{"uas-busy": busy}, "<http://127.0.0.1/Bellcore-dr3>", "", 486, "201: user busy",
			[]string{"b2bua -> 201 INVITE", "201 -> b2bua 486", "b2bua -> 101 486"}},
		{"uac-no-answer", "204", map[string]int{"uas-silent": silent}, inside, "", 480, "no answer after 2s",
			[]string{"b2bua -> 202 INVITE", "202 -> b2bua 180", "b2bua -> 101 180", "b2bua -> 101 480"}},
		{"uac-hangs-up", "205", map[string]int{"uas-busy": busy, "uas-silent": silent, "uas-answers": answers}, inside, "203", 200, "101 hung up",
			[]string{"201 -> b2bua 486", "202 -> b2bua 180", "b2bua -> 202 CANCEL", "203 -> b2bua 200", "b2bua -> 203 BYE"}},
	} {
		t.Run(c.caller+" "+c.number, func(t *testing.T) {
			var all []*scenario
			for name, port := range c.callees {
				all = append(all, x.sipp(t, name, port, c.number))
			}
			time.Sleep(200 * time.Millisecond) // sipp does not tell when it listens
			for _, s := range append([]*scenario{x.sipp(t, c.caller, freeUDPPort(t), c.number)}, all...) {
				s.succeeds()
			}
			for _, s := range all {
				if ring := s.logged(); ring != c.ring {
					t.Errorf("%s is told to ring as %q, want %q", s.name, ring, c.ring)
				}
			}
			r := x.record("101", c.number)
			r.says(t, c.answerer, c.status, c.why)
			r.passed(t, c.arrows...)
		})
	}
	x.settle(before)
}

// TestSippTransfers: sipp transfers by scenarios of ours, for what baresip 1.0
// can't: a transfer that fails and leaves the call with the transferor, and an
// attended one.
func TestSippTransfers(t *testing.T) {
	real(t, "sipp")
	x := start(t, servicesOffice)
	alice, carol := x.softphone(t, "102"), x.softphone(t, "103")
	before := x.status()

	t.Run("busy", func(t *testing.T) { // RFC 5359 §2.4
		s := x.sipp(t, "transfer-busy", freeUDPPort(t), "102;103")
		in := waitForCall(t, alice)
		in.Answer()
		waitForCall(t, carol).Reject(486, "Busy Here")
		s.succeeds()
		ended(t, in)
		r := x.record("101", "102")
		r.says(t, "102", 200, "101 hung up")
		r.passed(t, "101 -> b2bua REFER", "b2bua -> 101 202", "b2bua -> 101 NOTIFY 100", "103 -> b2bua 486", "b2bua -> 101 NOTIFY 486", "101 -> b2bua BYE")
	})
	t.Run("attended", func(t *testing.T) { // RFC 5359 §2.5
		s := x.sipp(t, "transfer-attended", freeUDPPort(t), "102;103")
		first := waitForCall(t, alice)
		first.Answer()
		second := waitForCall(t, carol)
		second.Answer()
		s.succeeds()
		hello, welcome := talk(1, 2), talk(2, 2)
		first.Say(hello)
		second.Say(welcome)
		time.Sleep(1500 * time.Millisecond) // audio is real
		hears(t, "the transferee hears the target", welcome, first.Heard())
		hears(t, "the target hears the transferee", hello, second.Heard())
		second.Hangup()
		ended(t, first)
		r := x.record("101", "103")
		r.says(t, "103", 200, "103 hung up")
		transferred := x.nth(2, "101", "102")
		transferred.says(t, "102", 200, "101 transferred 102 to call "+r.ID)
		transferred.passed(t, "101 -> b2bua REFER", "b2bua -> 101 202", "b2bua -> 101 NOTIFY 100", "b2bua -> 101 NOTIFY 200", "b2bua -> 101 BYE")
	})
	x.settle(before)
}
