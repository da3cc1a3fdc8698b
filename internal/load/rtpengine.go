//go:build linux

package load

import (
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// An Engine is rtpengine as a Target: in user space, driven by its ng protocol.
type Engine struct {
	cmd   *exec.Cmd
	conn  net.Conn
	media func(side, call int) netip.AddrPort
	calls []Call
	asked int // requests so far: each has a cookie of its own
}

const engineAddr = "127.0.0.1:22229"

// StartEngine runs rtpengine with some threads.
func StartEngine(at Place, threads int, media func(side, call int) netip.AddrPort) (*Engine, error) {
	cmd, err := at.Start("rtpengine", "--foreground", "--log-stderr", "--log-level=3", "--table=-1",
		"--interface=127.0.0.1", "--listen-ng="+engineAddr, "--port-min=10000", "--port-max=59999",
		"--num-threads="+strconv.Itoa(threads), "--config-file=none")
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("udp", engineAddr)
	if err != nil {
		Stop(cmd)
		return nil, err
	}
	e := &Engine{cmd: cmd, conn: conn, media: media}
	for range 50 {
		if _, err = e.ask(fields{"command", "ping"}); err == nil {
			return e, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	e.Close()
	return nil, fmt.Errorf("rtpengine did not start: %w: see %s", err, at.LogDir)
}

func (e *Engine) Name() string { return "rtpengine" }
func (e *Engine) PID() int     { return e.cmd.Process.Pid }

// Resize makes the offer and the answer of new calls, and deletes others.
func (e *Engine) Resize(n int) ([]Call, error) {
	for i := n; i < len(e.calls); i++ {
		if _, err := e.ask(fields{"call-id", callID(i), "command", "delete", "from-tag", "a"}); err != nil {
			return nil, err
		}
	}
	for i := len(e.calls); i < n; i++ {
		c := Call{Number: i}
		var err error
		if c.B, err = e.describe(i, fields{"call-id", callID(i), "command", "offer", "from-tag", "a", "sdp", describe(e.media(0, i))}); err != nil {
			return nil, err
		}
		if c.A, err = e.describe(i, fields{"call-id", callID(i), "command", "answer", "from-tag", "a", "sdp", describe(e.media(1, i)), "to-tag", "b"}); err != nil {
			return nil, err
		}
		e.calls = append(e.calls, c)
	}
	e.calls = e.calls[:n]
	return e.calls, nil
}

func callID(i int) string { return "load-" + strconv.Itoa(i) }

// describe asks for a rewritten description and returns the address in it.
func (e *Engine) describe(i int, f fields) (netip.AddrPort, error) {
	reply, err := e.ask(f)
	if err != nil {
		return netip.AddrPort{}, err
	}
	at := message{body: reply}.media()
	if !at.IsValid() {
		return at, fmt.Errorf("rtpengine: call %d: no address in %q", i, reply)
	}
	return at, nil
}

// fields are the keys and values of a request, keys in order of the alphabet.
type fields []string

// ask sends a request, in bencode after a cookie, and returns the reply.
func (e *Engine) ask(f fields) (string, error) {
	e.asked++
	cookie := "load" + strconv.Itoa(e.asked)
	var b strings.Builder
	b.WriteString(cookie + " d")
	for _, s := range f {
		fmt.Fprintf(&b, "%d:%s", len(s), s)
	}
	b.WriteString("e")
	buf := make([]byte, 65536)
	for tries := 5; ; {
		if _, err := e.conn.Write([]byte(b.String())); err != nil {
			return "", err
		}
		e.conn.SetReadDeadline(time.Now().Add(time.Second))
		n, err := e.conn.Read(buf)
		if tries--; err != nil && tries > 0 {
			continue // the same cookie again: it is answered as the first time
		}
		if err != nil {
			return "", err
		}
		reply, ours := strings.CutPrefix(string(buf[:n]), cookie+" ")
		switch {
		case !ours: // of a request that was given up
		case strings.Contains(reply, "6:result2:ok"), strings.Contains(reply, "6:result4:pong"):
			return reply, nil
		default:
			return "", fmt.Errorf("rtpengine: %s", reply)
		}
	}
}

// Close ends the calls and the program.
func (e *Engine) Close() error {
	e.Resize(0)
	e.conn.Close()
	return Stop(e.cmd)
}
