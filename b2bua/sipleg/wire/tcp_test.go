package wire

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFraming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		c := w.dial("192.0.2.7:40000")
		stream := string(with("Call-ID: 1")) + "\r\n\r\n" + string(with("Call-ID: 2", "-Content-Length", "+Content Length:4")) +
			string(with("Call-ID: 3", "-Content-Length", "+l : 4")) + string(with("Call-ID: 4"))
		for _, size := range []int{1, 2, 3, 7, 500, 100000} {
			for rest := stream; rest != ""; {
				n := min(size, len(rest))
				c.Write([]byte(rest[:n]))
				rest = rest[n:]
				if size == 1 || size == 500 {
					continue
				}
				reads(c)
			}
			reads(c)
			got := w.takes()
			if len(got) != 4 {
				t.Fatalf("in pieces of %d: %d messages", size, len(got))
			}
			for i, in := range got {
				if string(*in.Request.CallID()) != fmt.Sprint(i+1) || string(in.Request.Body()) != "v=0\n" || in.Flow.Transport() != TCP {
					t.Errorf("message %d: %s", i+1, in.Request)
				}
			}
		}
	})
}

func TestUnframable(t *testing.T) {
	for _, tc := range []struct {
		raw    string
		answer string
	}{
		{string(with("-Content-Length")), "SIP/2.0 400 Bad Request (no usable Content-Length"},
		{string(with("Content-Length: x")), "SIP/2.0 400"},
		{string(with("+l: 5")), "SIP/2.0 400"},
		{string(with("Content-Length: 70000")), "SIP/2.0 513 Message Too Large"},
		{"INVITE sip:a@h SIP/2.0\r\nX: " + strings.Repeat("x", 40000), ""},
		{strings.Repeat("x", 70000), ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := start(t, nil)
			c := w.dial("192.0.2.7:40000")
			go c.Write([]byte(tc.raw))
			got, over := reads(c)
			if !over || !strings.HasPrefix(got, tc.answer) || tc.answer == "" && got != "" {
				t.Errorf("%.40q: answered %q, closed %v", tc.raw, got, over)
			}
			if n := len(w.takes()); n != 0 {
				t.Errorf("%d came through", n)
			}
		})
	}
}

func TestSlowPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		for name, say := range map[string]func(net.Conn){
			"nothing at all": func(net.Conn) {},
			"a byte a second": func(c net.Conn) {
				for _, b := range with() {
					if _, err := c.Write([]byte{b}); err != nil {
						return
					}
					time.Sleep(time.Second)
				}
			},
			"blank lines only": func(c net.Conn) {
				for range 60 {
					if _, err := c.Write([]byte("\r\n")); err != nil {
						return
					}
					time.Sleep(time.Second)
				}
			},
			"a body that does not come": func(c net.Conn) { c.Write(with("Content-Length: 400")) },
		} {
			c := w.dial("192.0.2.7:40000")
			begin := time.Now()
			said := make(chan struct{})
			go func() { defer close(said); say(c) }()
			for over := false; !over; {
				_, over = reads(c)
			}
			if took := time.Since(begin); took > 11*time.Second {
				t.Errorf("%s: closed after %v", name, took)
			}
			c.Close()
			<-said
		}
	})
}

func TestIdleConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(c *Config) { c.Limits.Idle = time.Minute })
		c := w.dial("192.0.2.7:40000")
		c.Write(with())
		in := w.one()
		for range 5 { // keep-alives count
			time.Sleep(50 * time.Second)
			c.Write([]byte("\r\n\r\n"))
			if got, over := reads(c); over || got != "\r\n" {
				t.Fatalf("closed early: %q", got)
			}
		}
		time.Sleep(61 * time.Second)
		if _, over := reads(c); !over {
			t.Error("an idle connection stays")
		}
		synctest.Wait()
		if err := w.layer.Send(in.Request, in.Flow); !errors.Is(err, ErrGone) {
			t.Errorf("sending on it: %v", err)
		}
		if len(w.failed) != 1 {
			t.Errorf("Failed was told %v", w.failed)
		}
	})
}

func TestConnectionLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(c *Config) { c.Limits.PerSource, c.Limits.Connections = 3, 5 })
		open := func(host string) (n int) {
			for i := range 6 {
				c := w.dial(fmt.Sprintf("%s:%d", host, 41000+i))
				synctest.Wait()
				if _, over := reads(c); !over {
					n++
				}
			}
			return n
		}
		if n := open("192.0.2.7"); n != 3 {
			t.Errorf("one source has %d connections", n)
		}
		if n := open("192.0.2.8"); n != 2 {
			t.Errorf("the next has %d", n)
		}
		time.Sleep(11 * time.Second) // those said nothing
		if n := open("192.0.2.9"); n != 3 {
			t.Errorf("later, there are %d", n)
		}
	})
}

func TestTCPBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		ln := must(w.net.ListenTCP("192.0.2.7:5060"))
		defer ln.Close()
		flow, err := w.layer.FlowTo(TCP, netip.MustParseAddrPort("192.0.2.7:5060"))
		if err != nil || flow.Local().String() != "192.0.2.1:5060" || !flow.Reliable() {
			t.Fatalf("%v, %v", flow, err)
		}
		if again, _ := w.layer.FlowTo(TCP, netip.MustParseAddrPort("192.0.2.7:5060")); again != flow {
			t.Error("a second connection")
		}
		in, _ := read(with())
		for range 3 {
			if err := w.layer.Send(in.Request, flow); err != nil {
				t.Fatal(err)
			}
		}
		far := must(ln.Accept())
		defer far.Close()
		synctest.Wait()
		if got, _ := reads(far); strings.Count(got, "INVITE sip:102") != 3 {
			t.Errorf("arrived: %q", got)
		}
		far.Write(with()) // it may use our connection
		if in := w.one(); in.Flow != flow {
			t.Errorf("came by %v", in.Flow)
		}
		time.Sleep(96 * time.Second)
		if got, _ := reads(far); got != "\r\n\r\n" {
			t.Errorf("keep-alive: %q", got)
		}
		far.Close()
		synctest.Wait()
		if err := w.layer.Send(in.Request, flow); !errors.Is(err, ErrGone) {
			t.Errorf("%v", err)
		}
		if next, _ := w.layer.FlowTo(TCP, netip.MustParseAddrPort("192.0.2.7:5060")); next == flow {
			t.Error("the connection that ended is used again")
		}
	})
}

func TestTCPResponseAfterConnectionEnded(t *testing.T) { // RFC 3261 §18.2.2
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		c := w.dial("192.0.2.7:40000")
		c.Write(with("Via: SIP/2.0/TCP 192.0.2.7:5066;branch=z9hG4bKx"))
		in := w.one()
		if to, _ := w.layer.ResponseFlow(in.Request, in.Flow); to != in.Flow {
			t.Errorf("while it stands: %v", to)
		}
		c.Close()
		synctest.Wait()
		ln := must(w.net.ListenTCP("192.0.2.7:5066"))
		defer ln.Close()
		to, err := w.layer.ResponseFlow(in.Request, in.Flow)
		if err != nil || to.Remote().String() != "192.0.2.7:5066" {
			t.Fatalf("%v, %v", to, err)
		}
		must(ln.Accept()).Close()
	})
}

func TestTCPRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		flow, err := w.layer.FlowTo(TCP, netip.MustParseAddrPort("192.0.2.99:5060"))
		if err != nil {
			t.Fatal(err)
		}
		in, _ := read(with())
		w.layer.Send(in.Request, flow)
		synctest.Wait()
		if len(w.failed) != 1 || !strings.Contains(w.failed[0].Error(), "192.0.2.99:5060") {
			t.Errorf("Failed was told %v", w.failed)
		}
	})
}

func TestPeerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		c := w.dial("192.0.2.7:40000")
		c.Write(with())
		in := w.one()
		begin := time.Now()
		var err error
		for range 2 * queueLen {
			err = w.layer.Send(in.Request, in.Flow)
		}
		if !errors.Is(err, ErrGone) || time.Since(begin) > 0 {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		time.Sleep(12 * time.Second)
		synctest.Wait()
		if len(w.failed) != 1 {
			t.Errorf("Failed was told %v", w.failed)
		}
	})
}

func FuzzFrame(f *testing.F) {
	f.Add(with())
	f.Add([]byte("A\nl:3\n\nabc"))
	f.Add([]byte("\r\n\r\n"))
	f.Fuzz(func(t *testing.T, buf []byte) {
		n, err := frame(buf, 4096)
		if n < 0 || n > len(buf) || n > 4096 || err != nil && n != 0 {
			t.Fatalf("%d of %d, %v", n, len(buf), err)
		}
	})
}
