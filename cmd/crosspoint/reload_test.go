package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"crosspoint/internal/softphone"
	"crosspoint/internal/tomlfile"
)

// reloading is an office whose file a test changes while it runs.
type reloading struct {
	t      *testing.T
	o      *office
	log    *said
	file   string
	socket string
	text   string
}

func openReloading(t *testing.T, text string) *reloading {
	t.Helper()
	dir := t.TempDir()
	r := &reloading{t: t, file: filepath.Join(dir, "office.toml"), socket: filepath.Join(dir, "control"), log: new(said)}
	r.write(strings.Replace(text, `socket = "off"`, fmt.Sprintf("socket = %q", r.socket), 1))
	cfg, plan, problems := loadConfig(r.file)
	if plan == nil {
		t.Fatal(tomlfile.Text(problems))
	}
	log, err := newLog(r.log, Log{Level: "info"})
	if err != nil {
		t.Fatal(err)
	}
	if r.o, err = openOffice(cfg, plan, log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		r.o.close(now)
		if t.Failed() {
			t.Logf("the office said:\n%s", r.log)
		}
	})
	return r
}

func (r *reloading) write(text string) {
	r.t.Helper()
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.text = text
}

// change replaces pieces of the file, and has it read again.
func (r *reloading) change(pieces ...string) (code int, out, complaints string) {
	r.t.Helper()
	for i := 0; i < len(pieces); i += 2 {
		if !strings.Contains(r.text, pieces[i]) {
			r.t.Fatalf("the file does not contain %q", pieces[i])
		}
	}
	r.write(strings.NewReplacer(pieces...).Replace(r.text))
	return cli("reload", "--socket", r.socket)
}

// refused places a call that fails, and returns its status.
func refused(t *testing.T, phone *softphone.Phone, number string) int {
	t.Helper()
	call, err := phone.Call(context.Background(), number)
	if err != nil {
		t.Fatal(err)
	}
	soon(t, number+" is refused", closed(call.Done()))
	var why softphone.Refused
	if !errors.As(call.Err(), &why) {
		t.Errorf("%s: %v", number, call.Err())
	}
	return why.Status
}

const bob = `[[phone]]
extension = "102"
name   = "Bob"
secret = "bob-Oak3-harbour"
class  = "staff"
`

// TestReloadUnderCalls: a reload under a hundred calls loses none of them, not
// even those of a phone that is removed; what it says of others is in force.
func TestReloadUnderCalls(t *testing.T) {
	const many = 100
	r := openReloading(t, testOffice+testLines)
	o := r.o
	alice, bobs := phoneOf(t, o, "101"), phoneOf(t, o, "102")
	var calls []*softphone.Call
	for range many {
		out, in := connect(t, alice, bobs, "102")
		calls = append(calls, out, in)
	}
	before := make([]uint64, len(calls))
	for i, c := range calls {
		before[i] = uint64(c.Packets())
	}

	code, out, complaints := r.change(
		bob, "[[phone]]\nextension = \"104\"\nsecret = \"carol-Ash9-window\"\nclass = \"staff\"\n",
		"alice-Fig7-lantern", "alice-Fig8-window",
		`refuse = "not for us"`, "refuse = \"not for us\"\nstatus = 410",
		`ports = "20000-24999"`, `ports = "20000-25999"`,
	)
	if code != exitOK {
		t.Fatalf("code %d: %s", code, complaints)
	}
	for _, want := range []string{
		"+ phone 104\n", "- phone 102\n", "phone 101: secret changed\n", "rule 888: status 0 -> 410\n",
		"rtp.ports \"20000-24999\" -> \"20000-25999\"   (after a restart)\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not tell %q:\n%s", want, out)
		}
		if line := strings.TrimSuffix(strings.TrimSuffix(want, "\n"), "   (after a restart)"); !strings.Contains(r.log.String(), strings.ReplaceAll(line, `"`, `\"`)) {
			t.Errorf("the log does not tell %q", line)
		}
	}
	if strings.Contains(out+r.log.String(), "Fig8") {
		t.Error("a secret is told")
	}

	if n := len(o.registrar.List()); n != 0 {
		t.Errorf("%d registrations of phones that were removed or changed are left", n)
	}
	if status := refused(t, bobs, "101"); status != 407 && status != 403 {
		t.Errorf("a removed phone gets %d", status)
	}
	for extension, secret := range map[string]string{"101": "alice-Fig8-window", "104": "carol-Ash9-window"} {
		phone, err := softphone.New(softphone.Config{User: extension, Secret: secret, Server: o.bound[0].addr})
		if err != nil {
			t.Fatal(err)
		}
		defer phone.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if err := phone.Register(ctx); err != nil {
			t.Errorf("%s does not register: %v", extension, err)
		}
		cancel()
		if status := refused(t, phone, "888"); status != 410 {
			t.Errorf("the changed rule gives %d", status)
		}
	}

	if n := len(o.exchange.Calls()); n != many {
		t.Errorf("%d calls are left of %d", n, many)
	}
	for i, c := range calls {
		if closed(c.Done())() {
			t.Fatalf("call %d has ended: %v", i, c.Err())
		}
		soon(t, fmt.Sprintf("party %d is still heard", i), func() bool { return uint64(c.Packets()) > before[i]+10 })
	}
	for i := 0; i < len(calls); i += 2 {
		calls[i].Hangup()
	}
	for i, c := range calls {
		soon(t, "all calls end by their own hang-up", closed(c.Done()))
		if c.Err() != nil {
			t.Errorf("call %d: %v", i, c.Err())
		}
	}
	soon(t, "no call is left", func() bool { return len(o.exchange.Calls()) == 0 && o.rtp.InUse() == 0 })
}

// TestBadReload: a file that is wrong, or fails its own tests, changes nothing,
// and says why here and in the log.
func TestBadReload(t *testing.T) {
	r := openReloading(t, testOffice+testLines)
	alice := phoneOf(t, r.o, "101")
	good := r.text
	for want, pieces := range map[string][]string{
		`did you mean "refuse"?`: {`refuse = "not for us"`, `refuze = "not for us"`},
		`expected "101", got "refused 403": not for us`: {`[emergency]`,
			"[[test]]\nfrom = \"101\"\ndial = \"888\"\nexpect = \"101\"\n[emergency]"},
		"needs a way to emergency numbers": {"[emergency]\nto = \"pstn\"\nplace = \"here\"\n", ""},
	} {
		code, out, complaints := r.change(pieces...)
		if code != exitFailed || !strings.Contains(complaints, want) || !strings.Contains(complaints, r.file+":") || !strings.Contains(complaints, "nothing has changed") {
			t.Errorf("code %d: %s%s", code, out, complaints)
		}
		if !strings.Contains(r.log.String(), strings.ReplaceAll(want, `"`, `\"`)) {
			t.Errorf("the log does not say %q", want)
		}
		if status := refused(t, alice, "888"); status != 403 {
			t.Errorf("888 gives %d though nothing has changed", status)
		}
		r.write(good)
	}
	if code, out, complaints := cli("reload", "--socket", r.socket); code != exitOK || !strings.Contains(out, "reloaded, 0 changes in force") {
		t.Errorf("code %d: %s%s", code, out, complaints)
	}
}

// TestReloadLines: a line that is removed finishes its call and leaves; one
// that is added on a known card comes into service.
func TestReloadLines(t *testing.T) {
	const hardware = `[[trunk]]
name  = "pstn"
lines = ["fxo1"]
[[rule]]
dial = "777xxxx"
to = "pstn"
class = "local"
`
	const line = `[[line]]
name = "fxo1"
card = "card1"
port = 1
kind = "fxo"
guard = "1s"
incoming = "101"
`
	const emergency = "[emergency]\nto = \"pstn\"\nplace = \"here\"\n"
	r := openReloading(t, testOffice+strings.Replace(testLines, "kind = \"fxo\"\n", "kind = \"fxo\"\nguard = \"1s\"\n", 1))
	o := r.o
	alice := phoneOf(t, o, "101")
	fxo1 := func() (state string, ready bool) {
		for _, l := range o.lines() {
			if l.Line == "fxo1" {
				return l.State, l.Ready
			}
		}
		return "", false
	}
	inService := func() bool { _, ready := fxo1(); return ready }
	soon(t, "the line is in service", inService)
	call, err := alice.Call(context.Background(), "7773660")
	if err != nil {
		t.Fatal(err)
	}
	soon(t, "the town answers", closed(call.Answered()))

	code, out, complaints := r.change(hardware, "", line, "", emergency, "")
	if code != exitOK || !strings.Contains(out, "- line fxo1") || !strings.Contains(out, "- trunk pstn") {
		t.Fatalf("code %d: %s%s", code, out, complaints)
	}
	if state, _ := fxo1(); !strings.HasSuffix(state, "leaves service") {
		t.Errorf("the removed line is %q", state)
	}
	if status := refused(t, alice, "7773660"); status != 404 {
		t.Errorf("the removed rule gives %d", status)
	}
	if closed(call.Done())() {
		t.Error("the call on the removed line has ended")
	}
	call.Hangup()
	soon(t, "the line is gone", func() bool { state, _ := fxo1(); return state == "" })

	r.write(r.text + hardware + line + emergency)
	if code, out, complaints := cli("reload", "--socket", r.socket); code != exitOK || !strings.Contains(out, "+ line fxo1") {
		t.Fatalf("code %d: %s%s", code, out, complaints)
	}
	soon(t, "the new line is in service", inService)
	if call, err = alice.Call(context.Background(), "7773660"); err != nil {
		t.Fatal(err)
	}
	soon(t, "the town answers on the new line", closed(call.Answered()))
	call.Hangup()

	// A card that was not there before is taken up, too.
	r.write(r.text + "[[card]]\nname = \"card2\"\nport = \"sim\"\n" + strings.NewReplacer("fxo1", "fxo2", "card1", "card2").Replace(line))
	if code, out, complaints := cli("reload", "--socket", r.socket); code != exitOK || !strings.Contains(out, "+ card card2") {
		t.Fatalf("code %d: %s%s", code, out, complaints)
	}
	soon(t, "a line on a new card is in service", func() bool {
		return slices.ContainsFunc(o.lines(), func(l lineView) bool { return l.Line == "fxo2" && l.Ready })
	})
}

// TestHangup: SIGHUP has the program read its file again.
func TestHangup(t *testing.T) {
	text := strings.Replace(testOffice, `["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]`, fmt.Sprintf(`"udp:%s"`, freeUDP(t)), 1)
	file := write(t, "office.toml", text)
	program := asProgram("serve", file)
	stderr, err := program.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stdout); lines.Scan() && !strings.Contains(lines.Text(), "Stop it with"); {
	}
	if err := os.WriteFile(file, []byte(text+"[[phone]]\nextension = \"199\"\nsecret = \"dora-Elm5-bridge\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := program.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(20*time.Second, func() { program.Process.Kill() })
	defer late.Stop()
	told, reloaded := false, false
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		told = told || strings.Contains(lines.Text(), "+ phone 199")
		if strings.Contains(lines.Text(), "msg=reloaded") {
			reloaded = true
			program.Process.Signal(syscall.SIGTERM)
		}
	}
	if err := program.Wait(); err != nil {
		t.Errorf("it left with %v", err)
	}
	if !told || !reloaded {
		t.Errorf("told %v, reloaded %v", told, reloaded)
	}
}
