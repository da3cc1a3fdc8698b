//go:build linux

package load

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// An Exchange is `crosspoint serve` as a Target: its calls are real ones, by SIP.
type Exchange struct {
	cmd    *exec.Cmd
	phones *Phones
	calls  []Call
}

var exchangeAddr = netip.MustParseAddrPort("127.0.0.1:5065")

// office is a plan with two peers, known by address: what the first dials with
// a 7 goes to the second.
const office = `
[sip]
listen = ["udp:%s"]
[rtp]
address = "127.0.0.1"
ports   = "10000-59999"
[control]
socket = "off"
[store]
file = "off"
[log]
level = "%s"

[[peer]]
name      = "callers"
addresses = ["%s"]
proxy     = "sip:%s"
context   = "office"
allow     = ["internal", "local", "national", "international", "premium"]

[[peer]]
name      = "callees"
addresses = ["%s"]
proxy     = "sip:%s"

[[trunk]]
name = "out"
peer = "callees"

[[rule]]
dial  = "7."
to    = "out"
class = "internal"

[emergency]
none = "a load test: nobody is there to be helped"
`

// StartExchange runs program, which is crosspoint.
func StartExchange(at Place, program, logLevel string, media func(side, call int) netip.AddrPort) (*Exchange, error) {
	file := filepath.Join(at.LogDir, "load.toml")
	text := fmt.Sprintf(office, exchangeAddr, logLevel, callerAddr.Addr(), callerAddr, calleeAddr.Addr(), calleeAddr)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	cmd, err := at.Start(program, "serve", file)
	if err != nil {
		return nil, err
	}
	x := &Exchange{cmd: cmd}
	if err := reachable(exchangeAddr); err != nil {
		Stop(cmd)
		return nil, fmt.Errorf("%s did not start: %w: see %s/*.log", program, err, at.LogDir)
	}
	if x.phones, err = NewPhones(exchangeAddr, media); err != nil {
		Stop(cmd)
		return nil, err
	}
	return x, nil
}

// reachable waits until a UDP socket is bound to an address of this machine.
func reachable(at netip.AddrPort) error {
	for range 100 {
		c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
		if err != nil {
			return nil // somebody has it: the program
		}
		c.Close()
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("nobody listens on %s", at)
}

func (x *Exchange) Name() string { return "crosspoint" }
func (x *Exchange) PID() int     { return x.cmd.Process.Pid }

// Phones are the two ends, for other tests than those of Target.
func (x *Exchange) Phones() *Phones { return x.phones }

// Resize calls or hangs up, 500 calls a second at most.
func (x *Exchange) Resize(n int) ([]Call, error) {
	const pace = 2 * time.Millisecond
	for i := n; i < len(x.calls); i++ {
		x.phones.HangUp(i)
		time.Sleep(pace)
	}
	x.calls = x.calls[:min(n, len(x.calls))]
	for range 500 { // until those are over whose numbers come again
		if x.phones.Waiting() <= len(x.calls) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	for i := len(x.calls); i < n; i++ {
		x.phones.Call(i)
		time.Sleep(pace)
	}
	for i := len(x.calls); i < n; i++ {
		call, err := x.wait(i)
		if err != nil {
			return nil, err
		}
		x.calls = append(x.calls, call)
	}
	return x.calls, nil
}

func (x *Exchange) wait(i int) (Call, error) {
	for range 1000 {
		if c, ok := x.phones.Up(i); ok {
			return c, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return Call{}, fmt.Errorf("call %d was not answered: %s", i, x.phones.Counts().Why)
}

// Close hangs up and ends the exchange.
func (x *Exchange) Close() error {
	x.Resize(0)
	for range 100 {
		if x.phones.Waiting() == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	x.phones.Close()
	return Stop(x.cmd)
}
