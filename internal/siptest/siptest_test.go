package siptest

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"crosspoint/internal/memnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Two peers call each other without an exchange between them: every template
// is used, and what one writes the other reads.
func TestCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &memnet.Network{}
		alice, bob := NewPeer(t, n, "101", "127.0.0.1:5071"), NewPeer(t, n, "102", "127.0.0.1:5072")
		alice.Target, bob.Target = bob.Addr(), alice.Addr()
		alice.Name = "Alice"

		call := alice.Dial("102")
		call.Request("INVITE", "Supported: 100rel", SDP("127.0.0.1", 4000, "a=sendonly"))
		inv := bob.Expect("INVITE")
		if !inv.Has("Supported", "100rel") || inv.Get("Content-Type") != "application/sdp" || !strings.Contains(inv.Body, "a=sendonly\r\n") {
			t.Errorf("INVITE\n%s", inv.Text)
		}
		if inv.Param("From", "tag") == "" || inv.Param("To", "tag") != "" || inv.Address("From") != "sip:101@127.0.0.1" || !inv.Has("From", `"Alice"`) {
			t.Errorf("From %q, To %q", inv.Get("From"), inv.Get("To"))
		}
		leg := bob.Incoming(inv)
		leg.Respond(inv, 100)
		leg.Respond(inv, 180, "Record-Route: <sip:127.0.0.1:5072;lr>")
		ringing := alice.Expect("180")
		ok := leg.Respond(inv, 200, SDP("127.0.0.1", 4002))
		if got := alice.Expect("200 INVITE"); got.Param("To", "tag") != ringing.Param("To", "tag") {
			t.Error("the To tag changed")
		} else {
			call.Ack(got)
		}
		if ack := bob.Expect("ACK"); ack.URI != "sip:102@127.0.0.1:5072" || ack.Param("To", "tag") != leg.LocalTag {
			t.Errorf("ACK\n%s", ack.Text)
		}
		bob.Send(ok.Text) // again
		alice.ExpectRepeat(ok, time.Second)

		bye := leg.Request("BYE")
		if got := alice.Expect("BYE"); got.Text != bye.Text {
			t.Errorf("BYE\n%s\nwas sent as\n%s", got.Text, bye.Text)
		} else if seq, method := got.CSeq(); seq != 1 || method != "BYE" || got.Param("To", "tag") != call.LocalTag {
			t.Errorf("BYE\n%s", got.Text)
		}
		call.Respond(bye, 200)
		bob.Expect("200 BYE")
		alice.Quiet(time.Minute)
		bob.Silent(time.Second)
	})
}

func TestRefusedAndCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &memnet.Network{}
		alice, bob := NewPeer(t, n, "101", "127.0.0.1:5071"), NewPeer(t, n, "102", "127.0.0.1:5072")
		alice.Target, bob.Target = bob.Addr(), alice.Addr()
		call := alice.Dial("102")
		sent := call.Request("INVITE")
		inv := bob.Expect("INVITE")
		bob.Respond(inv, 180)
		call.Cancel()
		cancel := bob.Expect("CANCEL")
		if cancel.Get("Via") != sent.Get("Via") || cancel.Get("CSeq") != "1 CANCEL" || cancel.Param("To", "tag") != "" {
			t.Errorf("CANCEL\n%s", cancel.Text)
		}
		bob.Respond(inv, 487, "Reason: Q.850;cause=16")
		bob.Respond(cancel, 200)
		alice.Expect("180")
		call.Ack(alice.Expect("487"))
		if ack := bob.Expect("ACK"); ack.Get("Via") != sent.Get("Via") || ack.Get("CSeq") != "1 ACK" || ack.Param("To", "tag") == "" {
			t.Errorf("ACK\n%s", ack.Text)
		}
		alice.Expect("200 CANCEL")
	})
}

// A phone of 1999 sends what phones of 1999 sent.
func TestLegacy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &memnet.Network{}
		alice, bob := NewPeer(t, n, "UserA", "127.0.0.1:5071"), NewPeer(t, n, "x", "127.0.0.1:5072")
		alice.Target, bob.Target = bob.Addr(), alice.Addr()
		alice.Legacy, alice.Host, alice.Domain, alice.Password = true, "here.com", "here.com", "pw"
		done := make(chan *Dialog)
		go func() { done <- alice.Invite("sip:UserB@ss1.wcom.com") }()
		first := bob.Expect("INVITE")
		if first.Get("Via") != "SIP/2.0/UDP here.com" || first.Get("From") != "<sip:UserA@here.com>" || first.Get("Max-Forwards") != "" {
			t.Errorf("INVITE\n%s", first.Text)
		}
		bob.Respond(first, 407, `Proxy-Authenticate: Digest realm="MCI WorldCom SIP", nonce="ea9c", opaque="", stale="FALSE", algorithm="MD5"`)
		bob.Expect("ACK")
		second := bob.Expect("INVITE")
		<-done
		p := DigestParams(second.Get("Proxy-Authorization"))
		if second.Get("Call-ID") == first.Get("Call-ID") || p["realm"] != "MCI WorldCom SIP" || p["qop"] != "" ||
			p["response"] != md5Hex(md5Hex("UserA:MCI WorldCom SIP:pw")+":ea9c:"+md5Hex("INVITE:sip:UserB@ss1.wcom.com")) {
			t.Errorf("second INVITE\n%s", second.Text)
		}
	})
}

// Text is sent as it is written, but for line ends and Content-Length.
func TestWire(t *testing.T) {
	for text, want := range map[string]string{
		"A b SIP/2.0\nX: 1": "A b SIP/2.0\r\nX: 1\r\nContent-Length: 0\r\n\r\n",
		"A b SIP/2.0\n\tX: 1\n\tContent-Length: ...\n\nv=0\ns=-": "A b SIP/2.0\r\nX: 1\r\nContent-Length: 10\r\n\r\nv=0\r\ns=-\r\n",
		"A b SIP/2.0\nContent Length:0\n\n":                      "A b SIP/2.0\r\nContent Length:0\r\n\r\n",
		"A b SIP/2.0\nl: 99\n\nx\n":                              "A b SIP/2.0\r\nl: 99\r\n\r\nx\r\n",
		"A b SIP/2.0\nX: 1,\n  2\n\n":                            "A b SIP/2.0\r\nX: 1,\r\n  2\r\nContent-Length: 0\r\n\r\n",
	} {
		if got := wire(text); got != want {
			t.Errorf("%q\nbecame\n%q, want\n%q", text, got, want)
		}
	}
}

func TestTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &memnet.Network{}
		ln, err := n.ListenTCP("127.0.0.1:5060")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		alice := NewTCPPeer(t, n, "101", "127.0.0.1:40000", "127.0.0.1:5060")
		c, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		far := NewPeerOnTCP(t, "x", c)
		go alice.Request("OPTIONS", "sip:127.0.0.1")
		req := far.Expect("OPTIONS")
		if !req.Has("Via", "SIP/2.0/TCP") || !req.Has("Contact", "transport=tcp") {
			t.Errorf("%s", req.Text)
		}
		go func() { far.Respond(req, 200); far.Respond(req, 486) }()
		alice.Expect("200 OPTIONS")
		alice.Expect("486")
		c.Close()
		if m := alice.Any(); m != nil {
			t.Errorf("%s", m.Text)
		}
	})
}
