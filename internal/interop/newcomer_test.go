package interop

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"crosspoint/internal/softphone"
)

// clone is a clean clone of the project, as a newcomer makes it.
func clone(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "crosspoint")
	if out, err := exec.Command("git", "clone", "--quiet", "--no-hardlinks", "../..", dir).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v\n%s", err, out)
	}
	return dir
}

// environment is that of a newcomer: nothing of this test's own settings. What
// the exchange puts into a runtime directory goes into one of its own.
func environment(t *testing.T) []string {
	env := []string{"XDG_RUNTIME_DIR=" + t.TempDir()}
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		switch name {
		case "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PKGS", "CROSSPOINT_REAL", "XDG_RUNTIME_DIR":
		default:
			env = append(env, e)
		}
	}
	return env
}

// TestMakeRun is the README's first command: the demonstration office comes
// up, a phone registers there and calls another, SIGTERM ends it.
func TestMakeRun(t *testing.T) {
	real(t, "git", "make")
	server := netip.MustParseAddrPort("127.0.0.1:5060")
	eventually(t, "UDP port 5060 is free for the demonstration office", 30*time.Second, func() bool {
		l, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(server))
		if err == nil {
			l.Close()
		}
		return err == nil
	})
	log := new(output)
	cmd := exec.Command("make", "run")
	cmd.Dir, cmd.Env = clone(t), environment(t)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }() // ended below
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(30 * time.Second):
			t.Error("make run has not left 30 s after SIGTERM")
		}
		if l, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(server)); err != nil {
			t.Errorf("after SIGTERM port 5060 is still held: %v", err)
		} else {
			l.Close()
		}
		for _, want := range []string{"stopping", "stopped"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not say %q", want)
			}
		}
		if t.Failed() {
			t.Logf("make run said:\n%s", log)
		}
	})
	eventually(t, "make run says what to dial", 3*time.Minute, func() bool {
		select {
		case err := <-exited:
			exited <- err
			t.Fatalf("make run has ended: %v\n%s", err, log)
		default:
		}
		return strings.Contains(log.String(), "What to dial")
	})
	for _, want := range []string{"127.0.0.1:5060", "Register a SIP phone", "user 101", "7773660", "card1", "(simulated)"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("make run does not say %q", want)
		}
	}
	demoCall(t, server)
}

// demoCall has phone 101 of the demonstration office call 102.
func demoCall(t *testing.T, server netip.AddrPort) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var phones []*softphone.Phone
	for user, secret := range map[string]string{"101": "alice-Fig7-lantern", "102": "bob-Oak3-harbour"} {
		p, err := softphone.New(softphone.Config{User: user, Secret: secret, Server: server})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if err := p.Register(ctx); err != nil {
			t.Fatal(err)
		}
		phones = append(phones, p)
	}
	caller, callee := phones[0], phones[1]
	number := "102"
	if caller.User() == "102" {
		number = "101"
	}
	out, err := caller.Call(ctx, number)
	if err != nil {
		t.Fatal(err)
	}
	in := waitForCall(t, callee)
	in.Answer()
	select {
	case <-out.Answered():
	case <-out.Done():
		t.Fatalf("the call failed: %v", out.Err())
	}
	out.Hangup()
	if err := out.Err(); err != nil {
		t.Error(err)
	}
}

// TestMakeTest is the README's second command, on two packages: all of them
// would run this test again.
func TestMakeTest(t *testing.T) {
	real(t, "git", "make", "gcc", "sipp", "baresip")
	cmd := exec.Command("make", "test", "PKGS=./b2bua/leg ./internal/tomlfile")
	cmd.Dir, cmd.Env = clone(t), environment(t)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("make test: %v\n%s", err, out)
	}
	for _, want := range []string{"== gofmt", "== go vet", "== staticcheck", "== go test -race", "ok  \tcrosspoint/b2bua/leg"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("make test does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(string(out), "SKIP") {
		t.Errorf("make test skips:\n%s", out)
	}
}

// TestMakeTestRefuses: where a program is missing and cannot be installed,
// make test says what to install, and fails.
func TestMakeTestRefuses(t *testing.T) {
	real(t, "make")
	bin := t.TempDir() // a machine with nothing but this
	for _, program := range []string{"sh", "make", "id", "dirname", "find"} {
		path, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, program)); err != nil {
			t.Fatal(err)
		}
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(goTool, filepath.Join(bin, "go")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(bin, "make"), "test", "PKGS=./b2bua/leg")
	cmd.Dir, cmd.Env = "../..", append(environment(t), "PATH="+bin)
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("make test passed without sipp and baresip:\n%s", out)
	}
	for _, want := range []string{"missing:", "sipp", "baresip", "apt-get install", "sip-tester", "baresip-core"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("make test does not say %q:\n%s", want, out)
		}
	}
}
