package memnet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func listen(t *testing.T, n *Network, addr string) *UDP {
	t.Helper()
	u, err := n.ListenUDP(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return u
}

func TestDatagrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n Network
		a, b := listen(t, &n, "127.0.0.1:5060"), listen(t, &n, "127.0.0.1:0")
		if b.AddrPort().Port() == 0 {
			t.Fatal("no port was picked")
		}
		if _, err := n.ListenUDP("127.0.0.1:5060"); err == nil {
			t.Error("a port was bound twice")
		}
		nat := netip.MustParseAddrPort("10.0.0.1:999")
		n.Fate = func(_, _ netip.AddrPort, data []byte) Fate {
			switch data[0] {
			case 'l':
				return Fate{Lose: true}
			case 't':
				return Fate{Twice: true}
			case 'd':
				return Fate{Delay: time.Second, From: nat}
			}
			return Fate{}
		}
		for _, text := range []string{"late? no: delayed", "t", "plain"} {
			b.WriteToUDPAddrPort([]byte(text), a.AddrPort())
		}
		b.WriteToUDPAddrPort([]byte("delayed"), a.AddrPort())
		buf := make([]byte, 100)
		for _, want := range []string{"t", "t", "plain"} {
			k, from, err := a.ReadFromUDPAddrPort(buf)
			if err != nil || string(buf[:k]) != want || from != b.AddrPort() {
				t.Fatalf("read %q from %v, %v; want %q", buf[:k], from, err, want)
			}
		}
		a.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		if _, _, err := a.ReadFromUDPAddrPort(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		a.SetReadDeadline(time.Time{})
		began := time.Now()
		k, from, err := a.ReadFromUDPAddrPort(buf)
		if err != nil || string(buf[:k]) != "delayed" || from != nat || time.Since(began) != 700*time.Millisecond {
			t.Fatalf("read %q from %v after %v, %v", buf[:k], from, time.Since(began), err)
		}
		time.AfterFunc(time.Second, func() { a.Close() })
		if _, _, err := a.ReadFromUDPAddrPort(buf); !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
		if n.Sockets() != 1 {
			t.Errorf("%d sockets are bound", n.Sockets())
		}
	})
}

func TestStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n Network
		l, err := n.ListenTCP("127.0.0.1:5060")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.DialTCP(context.Background(), "127.0.0.1:0", "127.0.0.1:9"); err == nil {
			t.Error("connected to nobody")
		}
		near, err := n.DialTCP(context.Background(), "127.0.0.1:0", "127.0.0.1:5060")
		if err != nil {
			t.Fatal(err)
		}
		far, err := l.Accept()
		if err != nil || far.RemoteAddr().String() != near.LocalAddr().String() {
			t.Fatalf("accepted from %v, %v; dialled from %v", far.RemoteAddr(), err, near.LocalAddr())
		}
		go func() {
			near.Write([]byte("hello"))
			near.Close()
		}()
		got, err := io.ReadAll(far)
		if err != nil || string(got) != "hello" {
			t.Fatalf("read %q, %v", got, err)
		}
		l.Close()
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}
