package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// An exchange is a running crosspoint serve.
type exchange struct {
	t         *testing.T
	cmd       *exec.Cmd
	left      sync.Once
	scenarios int // of sipp, started so far
	socket    string
	log       *output
	exited    chan error
	udp, tcp  netip.AddrPort // its sockets
}

// status is what crosspoint status --json says.
type status struct {
	Listen        []string
	Calls         int
	Ended, Failed int
	Legs          int
	RTPPorts      int `json:"rtp_ports"`
	Goroutines    int
	Registrations []struct{ Phone, Contact string }
}

// call is one of crosspoint calls --json.
type call struct {
	ID, State, From, Dialed, Why string
	Answerer                     string `json:"answered_by"`
	Status                       int
	Began                        time.Time
}

// output collects what a program writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// start serves an office on free ports. The office file is given without
// [sip], [rtp] and [control]. The test fails if the exchange does not leave
// cleanly on SIGTERM.
func start(t *testing.T, office string) *exchange {
	t.Helper()
	return startIn(t, t.TempDir(), office)
}

// startIn serves an office whose store is in dir, perhaps since an earlier run.
func startIn(t *testing.T, dir, office string) *exchange {
	t.Helper()
	x := &exchange{t: t, socket: filepath.Join(dir, "control"), log: new(output), exited: make(chan error, 1)}
	file := filepath.Join(dir, "office.toml")
	text := "[sip]\nlisten = [\"udp:127.0.0.1:0\", \"tcp:127.0.0.1:0\"]\n[rtp]\nports = \"20000-29999\"\n[control]\nsocket = \"" +
		x.socket + "\"\n[store]\nfile = \"" +
		filepath.Join(dir, "office.db") + "\"\n[shutdown]\nwait = \"2s\"\n"
	if err := os.WriteFile(file, []byte(office+"\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	x.cmd = exec.Command(program(t), "serve", file)
	x.cmd.Stdout, x.cmd.Stderr = x.log, x.log
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { x.exited <- x.cmd.Wait() }() // ended by stop
	t.Cleanup(x.stop)
	eventually(t, "the exchange is up", 10*time.Second, func() bool {
		select {
		case err := <-x.exited:
			x.exited <- err
			t.Fatalf("the exchange has ended: %v\n%s", err, x.log)
		default:
		}
		var s status
		return x.ask("/status", &s) == nil && len(s.Listen) > 0
	})
	for _, l := range x.status().Listen {
		network, addr, _ := strings.Cut(l, ":")
		if network == "udp" {
			x.udp = netip.MustParseAddrPort(addr)
		} else {
			x.tcp = netip.MustParseAddrPort(addr)
		}
	}
	return x
}

func (x *exchange) address(transport string) netip.AddrPort {
	if transport == "tcp" {
		return x.tcp
	}
	return x.udp
}

// stop ends the exchange as an operator does, if it has not been ended yet.
func (x *exchange) stop() { x.left.Do(x.leave) }

func (x *exchange) leave() {
	_ = x.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-x.exited:
		if err != nil {
			x.t.Errorf("the exchange left with %v", err)
		}
	case <-time.After(15 * time.Second):
		_ = x.cmd.Process.Kill()
		x.t.Error("the exchange has not left 15 s after SIGTERM")
	}
	if x.t.Failed() {
		x.t.Logf("the exchange said:\n%s", x.log)
	}
}

// ask gets a view over the control socket.
func (x *exchange) ask(path string, into any) error {
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", x.socket)
	}}
	res, err := (&http.Client{Transport: transport, Timeout: 5 * time.Second}).Get("http://crosspoint" + path)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(into)
}

func (x *exchange) status() (s status) {
	x.t.Helper()
	if err := x.ask("/status", &s); err != nil {
		x.t.Fatal(err)
	}
	return s
}

func (x *exchange) calls() (calls []call) {
	x.t.Helper()
	if err := x.ask("/calls", &calls); err != nil {
		x.t.Fatal(err)
	}
	return calls
}

// settle waits until nothing is in use but what was before, and fails naming
// what is left.
func (x *exchange) settle(before status) {
	x.t.Helper()
	var now status
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		now = x.status()
		if now.Calls == 0 && now.Legs == 0 && now.RTPPorts == 0 && len(now.Registrations) <= len(before.Registrations) &&
			now.Goroutines <= before.Goroutines {
			return
		}
		if time.Now().After(deadline) {
			break
		}
	}
	x.t.Errorf("10 s after the last call there are left: %d calls, %d SIP legs, %d RTP ports, %d registrations (%d before), %d goroutines (%d before)",
		now.Calls, now.Legs, now.RTPPorts, len(now.Registrations), len(before.Registrations), now.Goroutines, before.Goroutines)
}
