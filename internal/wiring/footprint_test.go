package wiring

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/registrar"
	"crosspoint/b2bua/sipleg"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/dialplan"
	"crosspoint/internal/memnet"
	"crosspoint/internal/tomlfile"
	"crosspoint/media/rtp"
)

// A call in progress may take this much heap and stack, in bytes. It takes some
// 20,000. The collector lets the heap grow to twice of what lives, and some of
// each page is lost, so that at most 60 kB of resident memory are a call's.
const footprint = 24_000

// A textPhone writes the texts that a call needs and keeps nothing of them, so
// that what is measured is the exchange's.
type textPhone struct {
	t   *testing.T
	udp *memnet.UDP
	buf []byte
}

func newTextPhone(t *testing.T, n *memnet.Network, addr string) *textPhone {
	u, err := n.ListenUDP(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	u.SetReadDeadline(time.Now().Add(time.Minute))
	return &textPhone{t, u, make([]byte, 65536)}
}

func (p *textPhone) send(lines ...string) {
	p.udp.WriteToUDPAddrPort([]byte(strings.Join(lines, "\r\n")), netip.MustParseAddrPort("10.0.0.9:5060"))
}

// await reads until a message begins so.
func (p *textPhone) await(begin string) (lines []string) {
	p.t.Helper()
	for {
		n, _, err := p.udp.ReadFromUDPAddrPort(p.buf)
		if err != nil {
			p.t.Fatalf("no %s: %v", begin, err)
		}
		if text := string(p.buf[:n]); strings.HasPrefix(text, begin) {
			return strings.Split(text, "\r\n")
		}
	}
}

// field is a header line of a message.
func field(lines []string, name string) string {
	for _, l := range lines {
		if strings.HasPrefix(l, name+": ") {
			return l
		}
	}
	return ""
}

const audio = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"

func carrying(body string) string {
	if body == "" {
		return "Content-Length: 0\r\n\r\n"
	}
	return fmt.Sprintf("Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// request is a request of the caller.
func (p *textPhone) request(method string, call int, to, body string) {
	p.send(method+" sip:7"+fmt.Sprint(call)+"@10.0.0.9 SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK-%s-%d;rport", method, call), "Max-Forwards: 70",
		fmt.Sprintf(`From: "Alice" <sip:alice@10.0.0.1>;tag=alice%d`, call), to, fmt.Sprintf("Call-ID: %d@10.0.0.1", call), "CSeq: 1 "+method,
		"Contact: <sip:alice@10.0.0.1:5060>", "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS", "User-Agent: Telephone/1.0", carrying(body))
}

// talk has the caller called through to the callee, who answers.
func talk(caller, callee *textPhone, call int) {
	caller.request("INVITE", call, fmt.Sprintf("To: <sip:7%d@10.0.0.9>", call), audio)
	in := callee.await("INVITE ")
	callee.send("SIP/2.0 200 OK", field(in, "Via"), field(in, "From"), field(in, "To")+fmt.Sprintf(";tag=bob%d", call), field(in, "Call-ID"), field(in, "CSeq"),
		"Contact: <sip:bob@10.0.0.2:5060>", carrying(audio))
	callee.await("ACK ")
	caller.request("ACK", call, field(caller.await("SIP/2.0 200 "), "To"), "")
}

// inUse is the heap and stack that live.
func inUse() float64 {
	for range 3 { // stacks shrink, pools are emptied
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

func TestFootprintOfACall(t *testing.T) {
	network := new(memnet.Network)
	server, err := network.ListenUDP("10.0.0.9:5060")
	if err != nil {
		t.Fatal(err)
	}
	ports, err := rtp.NewPorts(rtp.PortsConfig{Address: netip.MustParseAddr("127.0.0.1"), First: 61000, Last: 62999})
	if err != nil {
		t.Fatal(err)
	}
	parties := dialplan.Config{
		Peers: []dialplan.Peer{
			{Name: "callers", Addresses: tomlfile.Strings{"10.0.0.1"}, Proxy: "sip:10.0.0.1", Context: "office", Allow: tomlfile.Strings{"internal"}},
			{Name: "callees", Addresses: tomlfile.Strings{"10.0.0.2"}, Proxy: "sip:10.0.0.2"},
		},
		Trunks: []dialplan.Trunk{{Name: "out", Peer: "callees"}},
		Rules:  []dialplan.Rule{{Dial: "7.", To: tomlfile.Strings{"out"}, Class: "internal"}},
	}
	parties.Emergency.None = "a test"
	plan, problems := dialplan.Compile(parties)
	if plan == nil {
		t.Fatal(tomlfile.Text(problems))
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError}))
	reg, err := registrar.New(registrar.Config{Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer reg.Close()
	office, err := Open(Config{
		Parties: parties, Plan: plan, Realm: "test", Log: quiet,
		SIP: sipleg.Config{Wire: wire.Config{UDP: []wire.Conn{server}}, RTP: ports, Registrar: reg},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		office.Agent.Close() // waits for nobody's answer to a BYE
		office.Exchange.Drain(context.Background())
		office.Gateway.Close(context.Background())
	}()
	caller, callee := newTextPhone(t, network, "10.0.0.1:5060"), newTextPhone(t, network, "10.0.0.2:5060")

	const first, calls = 20, 150 // the first bring what every later call uses
	for i := range first {
		talk(caller, callee, i)
	}
	before := inUse()
	for i := range calls {
		talk(caller, callee, first+i)
	}
	each := (inUse() - before) / calls
	if n := len(office.Exchange.Calls()); n != first+calls {
		t.Fatalf("%d calls are in progress, not %d", n, first+calls)
	}
	t.Logf("a call takes %.0f bytes", each)
	if each > footprint {
		t.Errorf("a call takes %.0f bytes of heap and stack, %d are allowed", each, footprint)
	}
}
