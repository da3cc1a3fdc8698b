//go:build linux

package load

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"crosspoint/internal/load/design"
)

// A Bare is one of package design's relays as a Target, in a process of its
// own. All its calls are set up at once; Resize only tells which are used.
type Bare struct {
	name  string
	cmd   *exec.Cmd
	calls []Call
}

const (
	bareFirst = 10000 // port of the first call; each takes 4
	bareMost  = 12000 // calls: more ports there are not
)

var loopback = netip.MustParseAddr("127.0.0.1")

// StartBare runs program, which is loadgen, with the arguments that Serve takes.
func StartBare(at Place, program, name string, workers, most int, media func(side, call int) netip.AddrPort) (*Bare, error) {
	if most > bareMost {
		return nil, fmt.Errorf("%d calls are more than the ports for %d", most, bareMost)
	}
	var to []string
	for side := range sideCount {
		for i := range perSide {
			to = append(to, media(side, i).String())
		}
	}
	b := &Bare{name: name}
	for i, p := range barePairs(most, nil) {
		b.calls = append(b.calls, Call{Number: i, A: p.A, B: p.B})
	}
	last := b.calls[most-1].B
	if err := free(last); err != nil {
		return nil, err
	}
	cmd, err := at.Start(program, "-serve", name, strconv.Itoa(workers), strconv.Itoa(most), strings.Join(to, ","))
	if err != nil {
		return nil, err
	}
	b.cmd = cmd
	if err := reachable(last); err != nil {
		b.Close()
		return nil, fmt.Errorf("design %s did not start: %w: see %s", name, err, at.LogDir)
	}
	return b, nil
}

// free waits until nobody has a port: the sockets of an io_uring are closed some
// time after its process has ended.
func free(at netip.AddrPort) error {
	for range 100 {
		c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
		if err == nil {
			c.Close()
			time.Sleep(100 * time.Millisecond) // and the other ports
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("port %s is still in use", at)
}

// barePairs are the calls' ports, and where to send: to of a side and call.
func barePairs(n int, to []netip.AddrPort) []design.Pair {
	pairs := make([]design.Pair, n)
	for i := range pairs {
		at := func(off int) netip.AddrPort { return netip.AddrPortFrom(loopback, uint16(bareFirst+4*i+off)) }
		pairs[i] = design.Pair{A: at(0), B: at(2)}
		if to != nil {
			pairs[i].ToA, pairs[i].ToB = to[socketOf(0, i)], to[socketOf(1, i)]
		}
	}
	return pairs
}

// Serve is the process of StartBare: it relays until it is told to stop.
func Serve(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("a design, workers, calls and addresses are wanted, not %q", args)
	}
	workers, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	most, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	var to []netip.AddrPort
	for _, s := range strings.Split(args[3], ",") {
		a, err := netip.ParseAddrPort(s)
		if err != nil {
			return err
		}
		to = append(to, a)
	}
	if len(to) != sideCount*perSide {
		return fmt.Errorf("%d addresses, not %d", len(to), sideCount*perSide)
	}
	r, err := design.Start(args[0], workers, barePairs(most, to))
	if err != nil {
		return err
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	<-end
	r.Close()
	return r.Err()
}

func (b *Bare) Name() string { return b.name }
func (b *Bare) PID() int     { return b.cmd.Process.Pid }
func (b *Bare) Close() error { return Stop(b.cmd) }

// Resize takes the first n calls.
func (b *Bare) Resize(n int) ([]Call, error) {
	if n > len(b.calls) {
		return nil, fmt.Errorf("design %s was started for %d calls, not %d", b.name, len(b.calls), n)
	}
	return b.calls[:n], nil
}
