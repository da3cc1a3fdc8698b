package interop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The load generators have addresses of their own, by which the exchange knows
// them as peers: sipp's built-in scenarios know no passwords.
const (
	uacAddress = "127.0.0.2"
	uasAddress = "127.0.0.3"
)

// sippOffice lets the calling generator reach the answering one, and phone 102.
const sippOffice = twoPhones + `
[[peer]]
name      = "callers"
addresses = ["` + uacAddress + `"]
context   = "load"
allow     = ["internal", "local", "sip"]

[[peer]]
name      = "answerers"
addresses = ["` + uasAddress + `"]
proxy     = "sip:` + uasAddress + `:%d"

[[trunk]]
name = "answerers"
peer = "answerers"

[[context]]
name = "load"

[[rule]]
context = "load"
dial    = "700"
to      = "answerers"
class   = "internal"

[[rule]]
dial  = "700"
to    = "answerers"
class = "internal"

[emergency]
none = "a test: nobody is here"
`

// startSipp starts sipp. Its screen, its errors and its messages go to files.
func startSipp(t *testing.T, dir string, args ...string) (*exec.Cmd, *output) {
	t.Helper()
	log := new(output)
	cmd := exec.Command("sipp", append(args, "-nostdin", "-trace_err", "-trace_screen", "-fd", "1")...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), "TERM=xterm")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, log
}

// answerers starts sipp's built-in uas.
func answerers(t *testing.T, port int) {
	t.Helper()
	cmd, _ := startSipp(t, t.TempDir(), "-sn", "uas", "-i", uasAddress, "-p", strconv.Itoa(port), "-mp", "26000")
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// complaints is what sipp wrote about errors.
func complaints(dir string) string {
	files, _ := filepath.Glob(filepath.Join(dir, "*_errors.log"))
	var all strings.Builder
	for _, f := range files {
		text, _ := os.ReadFile(f)
		all.Write(text[:min(len(text), 4000)])
	}
	return all.String()
}

// TestSippLoad: sipp's built-in uac places 500 calls at 50 a second through the
// exchange to its built-in uas. None may fail, and nothing may be left.
func TestSippLoad(t *testing.T) {
	real(t, "sipp")
	const calls, rate, talk = 500, 50, time.Second
	port := freePort(t)
	x := start(t, fmt.Sprintf(sippOffice, port))
	answerers(t, port)
	phone := bob(t, x.udp)
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	if err := phone.Unregister(ctx); err != nil {
		t.Fatal(err)
	}
	before := x.status()

	dir := t.TempDir()
	cmd, log := startSipp(t, dir, "-sn", "uac", "-s", "700", "-i", uacAddress, "-p", strconv.Itoa(freePort(t)), "-mp", "25000",
		"-r", strconv.Itoa(rate), "-m", strconv.Itoa(calls), "-l", strconv.Itoa(2*calls), "-d", strconv.Itoa(int(talk.Milliseconds())),
		"-timeout", "60s", "-timeout_error", x.udp.String())
	if err := cmd.Wait(); err != nil { // 0: all calls were successful
		t.Fatalf("sipp: %v\n%s\n%s", err, complaints(dir), log)
	}
	if text := complaints(dir); text != "" {
		t.Errorf("sipp complains:\n%s", text)
	}
	x.settle(before)

	ended, failed := 0, 0
	for _, c := range x.calls() {
		if c.State == "ended" {
			ended++
		}
		if !strings.Contains(c.Why, "hung up") {
			failed++
			if failed < 5 {
				t.Errorf("call %s: %s", c.ID, c.Why)
			}
		}
	}
	if ended == 0 || failed > 0 {
		t.Errorf("of the %d latest calls %d failed", ended, failed)
	}
	if n := strings.Count(x.log.String(), "call ended"); n != calls {
		t.Errorf("%d calls are logged as ended, not %d", n, calls)
	}
}

// TestSippAnswersPhone: a phone calls sipp's built-in uas and hangs up.
func TestSippAnswersPhone(t *testing.T) {
	real(t, "sipp")
	port := freePort(t)
	x := start(t, fmt.Sprintf(sippOffice, port))
	answerers(t, port)
	phone := bob(t, x.udp)
	out, err := phone.Call(context.Background(), "700")
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-out.Answered():
	case <-out.Done():
		t.Fatalf("the call failed: %v", out.Err())
	case <-time.After(10 * time.Second):
		t.Fatal("sipp did not answer within 10 s")
	}
	out.Hangup()
	if err := out.Err(); err != nil {
		t.Error(err)
	}
}

// TestSippStranger: a caller that nobody knows reaches nothing.
func TestSippStranger(t *testing.T) {
	real(t, "sipp")
	x := start(t, fmt.Sprintf(sippOffice, freePort(t)))
	before := x.status()
	dir := t.TempDir()
	cmd, log := startSipp(t, dir, "-sn", "uac", "-s", "700", "-i", "127.0.0.4", "-p", strconv.Itoa(freePort(t)), "-mp", "25000",
		"-m", "1", "-timeout", "20s", x.udp.String())
	if err := cmd.Wait(); err == nil {
		t.Fatalf("a stranger's call succeeded\n%s", log)
	}
	if text := complaints(dir); !strings.Contains(text, "407") && !strings.Contains(text, "403") {
		t.Errorf("sipp was not refused by 407 or 403:\n%s\n%s", text, log)
	}
	x.settle(before)
}
