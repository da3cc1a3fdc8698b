package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/leg"
)

// branchOffice registers at another office as its phone 102.
const branchOffice = `
country = "us"
[sip]
listen = ["udp:127.0.0.1:0"]
[rtp]
ports = "25000-29999"
[control]
socket = "off"
[[phone]]
extension = "7"
name   = "Branch"
secret = "seven-Elm2-meadow"
[[peer]]
name = "head"
proxy = "sip:%s"
user = "102"
secret = "%s"
register = true
incoming = "7"
[[trunk]]
name = "head"
peer = "head"
[[rule]]
dial = "1xx"
to = "head"
class = "internal"
[emergency]
none = "a test: nobody is here"
`

// One office registers at another as a phone does: it is called there, and
// calls; when it is stopped, it is no longer registered.
func TestOfficesRegisterAtEachOther(t *testing.T) {
	head, _ := serveTest(t, testOffice)
	alice := phoneOf(t, head, "101")
	branch, _ := serveTest(t, fmt.Sprintf(branchOffice, head.bound[0].addr, "bob-Oak3-harbour"))
	soon(t, "the branch is registered", func() bool { return len(branch.status().Peers) == 1 && branch.status().Peers[0].State == "registered" })
	var out strings.Builder
	showStatus(console{out: &out}, branch.status())
	if want := "peer           head: registered at " + head.bound[0].addr.String() + " for "; !strings.Contains(out.String(), want) {
		t.Errorf("status says\n%s\nnot %s", &out, want)
	}
	seven := phoneOf(t, branch, "7")

	call, in := connect(t, alice, seven, "102") // to the branch, which rings 7
	call.Hangup()
	soon(t, "seven's call ends", closed(in.Done()))

	call, in = connect(t, seven, alice, "101")
	in.Hangup()
	soon(t, "alice's call ends", closed(call.Done()))
	soon(t, "the calls are in the records", func() bool { return head.status().Ended == 2 && branch.status().Ended == 2 })
	for _, r := range branch.records() {
		if r.Dialed == "102" && r.Source != (leg.Source{Kind: leg.Peer, Name: "head"}) {
			t.Errorf("the call from the head office: %+v", r.Source)
		}
	}

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	branch.leavePeers(ctx)
	if v := branch.status().Peers[0]; v.State != "unregistered" {
		t.Errorf("%+v", v)
	}
	soon(t, "the head office knows no 102", func() bool { return len(head.registrar.Lookup("102")) == 0 })
}

// A wrong secret is told of with its line.
func TestRegistrationWithWrongSecret(t *testing.T) {
	head, _ := serveTest(t, testOffice)
	branch, log := serveTest(t, fmt.Sprintf(branchOffice, head.bound[0].addr, "not-it"))
	const want = "registration refused 401: check user and secret at office.toml:17"
	soon(t, "the branch is refused", func() bool { return branch.status().Peers[0].Problem == want })
	var out strings.Builder
	showStatus(console{out: &out}, branch.status())
	if !strings.Contains(out.String(), "peer           head: failed: "+want+" (tried again in ") {
		t.Errorf("status says\n%s", &out)
	}
	if !strings.Contains(log.String(), "peer head: "+want) {
		t.Error("the log does not say it")
	}
}
