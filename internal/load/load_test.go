//go:build linux

package load

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHistogram(t *testing.T) {
	var h Histogram
	for i := range int64(1000) {
		h.Add((i + 1) * 1000)
	}
	for q, want := range map[float64]time.Duration{0.5: 501_000, 0.99: 991_000, 0.999: 1_000_000} {
		if got := h.Quantile(q); got < want || float64(got) > 1.07*float64(want) {
			t.Errorf("quantile %g is %s, want %s", q, got, want)
		}
	}
	if h.Count() != 1000 {
		t.Errorf("%d counted", h.Count())
	}
	h.Add(-5) // a clock that was set back
	if new(Histogram).Quantile(0.99) != 0 {
		t.Error("an empty histogram has a quantile")
	}
}

func TestBucketsCoverAll(t *testing.T) {
	last := -1
	for v := uint64(0); v < 1<<36; v += 1 + v/40 {
		i := bucket(v)
		if i < last || int64(v) > upper(i) {
			t.Fatalf("%d is in place %d, whose upper end is %d", v, i, upper(i))
		}
		last = i
	}
}

func TestMessages(t *testing.T) {
	m := parse([]byte("INVITE sip:742@127.0.0.3:5080 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5065;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:742@127.0.0.3>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 10002 RTP/AVP 0\r\n"))
	if !m.request() || m.dialed() != 42 || m.cseqMethod != "INVITE" {
		t.Errorf("read as %+v", m)
	}
	if at := m.media(); at != netip.MustParseAddrPort("127.0.0.1:10002") {
		t.Errorf("audio at %s", at)
	}
	reply := parse(m.reply("200 OK", "", &calleeAddr))
	if reply.status != 200 || !strings.HasSuffix(reply.header("To"), ";tag=callee") || reply.header("Contact") != "<sip:742@127.0.0.3:5080>" {
		t.Errorf("answered with %s", reply.head)
	}
	for _, junk := range []string{"", "\r\n\r\n", "SIP/2.0", "SIP/2.0 200 OK", "x y z\r\nCSeq"} {
		parse([]byte(junk)).media()
	}
}

// lossy is a relay whose faults are known.
type lossy struct {
	conns []*net.UDPConn
	calls []Call
}

// newLossy relays one call, late by some time, and drops each tenth packet.
func newLossy(t *testing.T, pump *Pump, late time.Duration) *lossy {
	var r lossy
	for range 2 {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		r.conns = append(r.conns, c)
	}
	for side := range 2 {
		go func() { // ends as its socket is closed
			buf := make([]byte, 2000)
			for n := 0; ; n++ {
				k, err := r.conns[side].Read(buf)
				if err != nil {
					return
				}
				if n%10 == 9 {
					continue
				}
				time.Sleep(late)
				r.conns[1-side].WriteToUDPAddrPort(buf[:k], pump.Addr(1-side, 0))
			}
		}()
	}
	addr := func(i int) netip.AddrPort { return r.conns[i].LocalAddr().(*net.UDPAddr).AddrPort() }
	r.calls = []Call{{A: addr(0), B: addr(1)}}
	return &r
}

func (r *lossy) close() {
	for _, c := range r.conns {
		c.Close()
	}
}

// The pump finds what is wrong with a relay. It runs in real time: it is about sockets.
func TestPumpFindsLossAndDelay(t *testing.T) {
	pump, err := NewPump(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	defer pump.Close()
	const late = 5 * time.Millisecond
	relay := newLossy(t, pump, late)
	defer relay.close()
	pump.Talk(relay.calls)
	time.Sleep(40 * time.Millisecond)
	w, err := pump.Measure(time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if w.Sent < 80 || w.Sent > 102 {
		t.Errorf("%d packets in a second of two directions", w.Sent)
	}
	if loss := w.Loss(); loss < 0.05 || loss > 0.15 {
		t.Errorf("loss is %.3f, not 0.1", loss)
	}
	if p50 := w.Delay.Quantile(0.5); p50 < late || p50 > 10*late {
		t.Errorf("half of all took up to %s, not a little more than %s", p50, late)
	}
	if w.Foreign != 0 {
		t.Errorf("%d packets of strangers", w.Foreign)
	}
}

// Without a relay nothing is lost, and what the generator adds is little.
func TestDirect(t *testing.T) {
	pump, err := NewPump(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	defer pump.Close()
	target := Direct{Pump: pump}
	calls, err := target.Resize(10)
	if err != nil {
		t.Fatal(err)
	}
	pump.Talk(calls)
	w, err := pump.Measure(100 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if w.Sent < 50 || w.Received != w.Sent || w.Turns.Count() == 0 {
		t.Errorf("%d of %d packets came, %d turns", w.Received, w.Sent, w.Turns.Count())
	}
	if p50 := w.Delay.Quantile(0.5); p50 > 5*time.Millisecond {
		t.Errorf("half of all took up to %s with nothing between", p50)
	}
}

// A later run keeps what it does not measure itself.
func TestReportAdds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "load.json")
	write := func(r *Report) {
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := r.WriteJSON(f); err != nil {
			t.Fatal(err)
		}
	}
	part := func(cores, calls int) RelayPart {
		return RelayPart{Relay: "crosspoint", Cores: cores, Best: Point{Calls: calls}}
	}
	write(&Report{Relays: []RelayPart{part(1, 100), part(2, 200)}, SetUp: []Rate{{PerSecond: 250}}})
	earlier, err := ReadReport(file)
	if err != nil {
		t.Fatal(err)
	}
	r := &Report{Relays: []RelayPart{part(2, 300)}}
	r.Add(earlier)
	if len(r.Relays) != 2 || r.Relays[0].Best.Calls != 100 || r.Relays[1].Best.Calls != 300 || len(r.SetUp) != 1 {
		t.Errorf("%+v", r)
	}
}

// The documents show what was measured, and nothing else.
func TestDocumentsShowWhatWasMeasured(t *testing.T) {
	const docs = "../../docs"
	for figures, page := range map[string]string{
		"load.json":    "performance.md",
		"designs.json": "decisions/0010-one-goroutine-a-core-reads-rtp.md",
	} {
		r, err := ReadReport(filepath.Join(docs, "performance", figures))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(docs, page))
		if err != nil {
			t.Fatal(err)
		}
		var table bytes.Buffer
		if err := r.WriteTable(&table); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(table.String()) {
			if strings.HasPrefix(line, "|") && !bytes.Contains(text, []byte(line)) {
				t.Errorf("%s lacks this line of %s:\n%s", page, figures, line)
			}
		}
		if figures != "load.json" {
			continue
		}
		var plot bytes.Buffer
		if err := Plot(&plot, r.Relays); err != nil {
			t.Fatal(err)
		}
		if drawn, err := os.ReadFile(filepath.Join(docs, "performance/cost.svg")); err != nil || !bytes.Equal(drawn, plot.Bytes()) {
			t.Errorf("cost.svg is not drawn of load.json (%v)", err)
		}
	}
}

func TestReport(t *testing.T) {
	point := func(calls int) Point { return Point{Calls: calls, CPU: 0.01, P99: 0.5, Passed: true} }
	r := &Report{
		Machine: ThisMachine(),
		Relays: []RelayPart{
			{Relay: "crosspoint", Cores: 1, Best: point(500), Points: []Point{point(10), point(500)}},
			{Relay: "rtpengine", Cores: 1, Best: point(10), Points: []Point{point(10)}},
		},
		SetUp: []Rate{{PerSecond: 1500}},
	}
	var table, plot bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| crosspoint | 1     | 500", "| 10    | 0.0100, 0.50 ms       | 0.0100, 0.50 ms", "| 1500 "} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
	if err := Plot(&plot, r.Relays); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(&plot); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal("the plot is no XML:", err)
		}
	}
}
