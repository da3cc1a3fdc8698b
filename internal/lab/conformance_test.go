package lab

import (
	"flag"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func readFile(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var scenes = []*scene{
	{section: "2.1", marks: map[int]func(*replay){12: both("UserA", "UserB"), 18: none("UserA", "UserB"), 24: both("UserA", "UserB")}},
	{section: "2.2", marks: map[int]func(*replay){
		9: both("UserA", "UserB"), 15: none("UserA", "UserB"), 24: both("UserB", "UserC"), 34: both("UserA", "UserB")}},
	{section: "2.3",
		rename: map[int][2]string{23: {"UserC", "b2bua"}, 24: {"b2bua", "UserB"}, 25: {"UserB", "b2bua"}, 26: {"b2bua", "UserC"}},
		errata: map[int][2]string{28: {"UserC@here.com", "UserC@anywhere.com"}},
		absent: []int{11, 12, 14, 16, 18, 20, 21, 24, 25, 27, 29, 31, 33, 34},
		place:  map[int]string{36: "12345600", 39: "12345600"},
		marks:  map[int]func(*replay){9: both("UserA", "UserB"), 22: both("UserB", "UserC"), 35: both("UserB", "UserD")},
		notes: "User B, who is transferred, keeps its call with the exchange and is not told to call anew: the exchange has both " +
			"legs, and calls C and D for it. Its BYE (F36) is of the call that it had from the start."},
	{section: "2.4", notes: "User B keeps its call with the exchange, as in 2.3. It is taken back by a re-INVITE, and hears C ring.", marks: map[int]func(*replay){9: both("UserA", "UserB"), 15: none("UserA", "UserB"), 24: both("UserA", "UserC"), 37: both("UserB", "UserC")}},
	{section: "2.5", dials: "UserB-always",
		rename: renamed(line, 2, 4, 6, 9, 11, 12),
		errata: map[int][2]string{5: {"180 Ringing", "183 Session Progress"}},
		marks:  map[int]func(*replay){8: hears("UserA")},
		notes:  "The gateway is the exchange itself, and the town behind its line is heard ringing: User A is sent 183 with audio where the figure has 180."},
	{section: "2.5", dials: "UserB-always", gateway: "127.0.0.1:5090", file: toGateway,
		rename: renamed(gateway, 2, 4, 6, 9, 11, 12)},
	{section: "2.6", dials: "UserB-busy", rename: map[int][2]string{7: {"UserB2", "b2bua"}},
		marks: map[int]func(*replay){12: both("UserA", "UserB2")}},
	{section: "2.7", dials: "UserB-noanswer", errata: map[int][2]string{8: {"UserB4", "UserB2"}},
		marks: map[int]func(*replay){13: both("UserA", "UserB2")}},
	{section: "2.8", marks: map[int]func(*replay){9: both("UserA", "UserB"), 18: both("UserB", "UserC")}},
	{section: "2.9", dials: "UserB-line", errata: map[int][2]string{8: {"UserB4", "UserB2"}},
		marks: map[int]func(*replay){13: both("UserA", "UserB2")}},
	{section: "2.10", dials: "UserB-findme", marks: map[int]func(*replay){19: both("UserA", "UserB4")}},
	{section: "2.11", dials: "UserB-screened"},
	{section: "2.12", as: [2]string{"UserA", "UserD"}},
}

// renamed gives a party the messages with these numbers: 2 is to it, 4 from it …
func renamed(party string, numbers ...int) map[int][2]string {
	m := map[int][2]string{}
	for _, n := range numbers {
		m[n] = [2]string{"b2bua", party}
		if n == 4 || n == 6 || n == 12 {
			m[n] = [2]string{party, "b2bua"}
		}
	}
	return m
}

// toGateway makes gw1.wcom.com another machine's name, and forwards there.
func toGateway(file string) string {
	return strings.NewReplacer(`, "gw1.wcom.com"]`, `]`,
		`forward   = { always = "7773660;phone-context=p1234" }`,
		`forward   = { always = "sip:7773660,phone-context=p1234@gw1.wcom.com;user=phone" }`+"\nallow     = [\"internal\", \"sip\"]",
		"dial   = \"UserB-always\"\nexpect = \"pstn 7773660\"", "dial   = \"UserB-always\"\nexpect = \"sip:7773660,phone-context=p1234@gw1.wcom.com;user=phone\"",
		`expect = "pstn 7773660"`, `expect = "refused 403"`, // UserA may not call other domains
	).Replace(file)
}

var update = flag.Bool("update", false, "write docs/conformance.md anew")

const conformancePage = "../../docs/conformance.md"

// TestDraft replays every service of the draft, and holds docs/conformance.md
// against what came of it.
//
//go:generate go test -run TestDraft$ -update .
func TestDraft(t *testing.T) {
	flows := readDraft(t)
	compose(flows)
	var done []*replay
	for _, s := range scenes {
		t.Run(s.section+s.gateway, func(t *testing.T) {
			if r := s.run(t, flows[s.section]); !t.Failed() {
				done = append(done, r)
			}
		})
	}
	switch {
	case t.Failed() || len(done) != len(scenes): // the page is of all of them
	case *update:
		if err := os.WriteFile(conformancePage, []byte(page(done)), 0o644); err != nil {
			t.Fatal(err)
		}
	case readFile(t, conformancePage) != page(done):
		t.Errorf("%s is not what the replay shows: go generate ./internal/lab", conformancePage)
	}
}

// TestTransferredPartyCallsItself replays what the draft's transferred party
// does where a proxy has passed the BYE with Also on to it: it calls the target
// itself, with Requested-By, and the target is told so.
func TestTransferredPartyCallsItself(t *testing.T) {
	from := readDraft(t)["2.3"]
	f := &flow{section: "2.3", title: from.title}
	f.add(from, 14, 22)
	f.add(readDraft(t)["2.2"], 25, 28)
	digest := digestOf(from, "UserB")
	f.msgs[0].text = insertBefore(f.msgs[0].text, "Content-Type:", digest)
	s := &scene{section: "2.3", marks: map[int]func(*replay){9: both("UserB", "UserC")}}
	s.run(t, f)
}
