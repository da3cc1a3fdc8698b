// Package flow plays calls through the exchange with phones that a test leads
// by hand, under fake time. What passes is compared as a ladder, so that a test
// of a service reads like its figure in RFC 5359. It is used by tests only.
package flow

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua"
	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
	"crosspoint/internal/tomlfile"
)

// A Flow is an exchange with four phones: alice, bob, carol and dave.
type Flow struct {
	X                       *b2bua.Exchange
	Alice, Bob, Carol, Dave *Phone
	Records                 []b2bua.Record // of calls that have ended
	Log                     *Log

	t      *testing.T
	mu     sync.Mutex
	phones map[string]*Phone
	ladder leg.Ladder // of all calls, in order
	seen   int        // how much of it Ladder has compared
	nextID int
	hurry  bool // phones act at once (act.go)
	spoken int
	plan   *dialplan.Plan
}

// Office is the plan that Start uses where the test gives none: the four
// phones, each reached by its name.
const Office = `
[[phone]]
extension = "alice"
secret = "alice-secret-1"
[[phone]]
extension = "bob"
secret = "bob-secret-22"
[[phone]]
extension = "carol"
secret = "carol-secret-3"
[[phone]]
extension = "dave"
secret = "dave-secret-44"
`

// Numbered is a plan whose phones have extensions 101 to 104, with codes for
// the services.
const Numbered = `
[[phone]]
extension = "101"
secret = "alice-secret-1"
[[phone]]
extension = "102"
secret = "bob-secret-22"
[[phone]]
extension = "103"
secret = "carol-secret-3"
[[phone]]
extension = "104"
secret = "dave-secret-44"
[features]
forward_always = "*72"
forward_busy = "*90"
forward_no_answer = "*92"
forward_off = "*73"
do_not_disturb = "*78"
do_not_disturb_off = "*79"
pickup = "*8"
pickup_directed = "*88"
park = "*70"
retrieve = "*71"
redial = "*69"
call_back = "*66"
three_way = "*3"
`

// Test runs a flow in a bubble of fake time and checks at its end that nothing
// is left over: no call, no leg.
func Test(t *testing.T, plan string, play func(f *Flow)) {
	t.Helper()
	TestWith(t, plan, b2bua.Config{}, play)
}

// TestWith is Test with more of the exchange's configuration.
func TestWith(t *testing.T, plan string, cfg b2bua.Config, play func(f *Flow)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := start(t, plan, cfg)
		defer f.stop()
		play(f)
		f.Settle()
		for _, p := range f.phones {
			for _, l := range p.legs {
				if !l.gone() {
					t.Errorf("%s still has a leg %s: %s", p.Name, l.ID(), l.where())
				}
			}
		}
		if left := f.X.Calls(); len(left) > 0 {
			t.Errorf("calls left over: %v", left)
		}
	})
}

// stop ends what a failed test has left, so that its bubble can end.
func (f *Flow) stop() {
	if f.t.Failed() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		f.X.Drain(ctx)
	}
}

func start(t *testing.T, text string, cfg b2bua.Config) *Flow {
	t.Helper()
	if text == "" {
		text = Office
	}
	var config dialplan.Config
	problems := tomlfile.Decode("plan.toml", []byte(text), &config)
	config.Domains = []string{"office.example"}
	plan, more := dialplan.Compile(config)
	for _, p := range append(problems, more...) {
		t.Fatal(p)
	}
	f := &Flow{t: t, phones: make(map[string]*Phone), Log: new(Log), plan: plan}
	for i, name := range []string{"alice", "bob", "carol", "dave"} {
		p := &Phone{Name: name, Extension: name, f: f}
		if strings.Contains(text, `"101"`) {
			p.Extension = "10" + string(rune('1'+i))
		}
		f.phones[p.Extension] = p
	}
	for _, p := range f.phones {
		*map[string]**Phone{"alice": &f.Alice, "bob": &f.Bob, "carol": &f.Carol, "dave": &f.Dave}[p.Name] = p
	}
	cfg.Plan = func() *dialplan.Plan { return f.plan }
	cfg.Dial = f.dial
	cfg.Log = slog.New(slog.NewTextHandler(f.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg.OnEnd = func(r b2bua.Record) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.Records = append(f.Records, r)
	}
	f.X = b2bua.New(cfg)
	return f
}

// dial is what sipleg and the gateway do in the real exchange. A target's name
// is a phone's; a trunk is the phone of its name.
func (f *Flow) dial(t dialplan.Target, o leg.Outgoing) ([]leg.Leg, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.phones[t.Name]
	if t.Kind == dialplan.ToSIPAddress { // of another domain: the phone that has the user's name
		user, _, _ := strings.Cut(strings.TrimPrefix(t.URI, "sip:"), "@")
		p = f.phones[user]
	}
	if p == nil {
		return nil, leg.Unallocated
	}
	if p.Off {
		return nil, leg.NotRegistered.GivenBy(p.Name)
	}
	l := f.newLeg(p, o.Sink)
	l.state, l.shown, l.ring = alerting, o.From, o.Ring
	text := "INVITE"
	if len(o.Diversions) > 0 {
		text += " (diverted: " + o.Diversions[0].Reason + ")"
	}
	f.ladder.Out(p.Name, text)
	return []leg.Leg{l}, nil
}

func (f *Flow) newLeg(p *Phone, sink leg.Sink) *testLeg {
	f.nextID++
	l := &testLeg{phone: p, f: f, id: p.Name + "-" + string(rune('0'+f.nextID)), sink: sink, stream: newEar()}
	p.legs = append(p.legs, l)
	return l
}

// Settle lets everything happen that needs no time to pass.
func (f *Flow) Settle() {
	if !f.hurry {
		synctest.Wait()
	}
}

// Wait lets time pass.
func (f *Flow) Wait(d time.Duration) {
	time.Sleep(d)
	f.Settle()
}

// Ladder compares all that has passed since the last Ladder with what is
// expected, one arrow a line, blanks folded. A failure shows the first line
// that differs.
func (f *Flow) Ladder(want string) {
	f.t.Helper()
	f.Settle()
	rungs := f.ladder.Rungs()
	var got []string
	for _, r := range rungs[f.seen:] {
		got = append(got, r.From+" -> "+r.To+" "+r.Text)
	}
	f.seen = len(rungs)
	expected := fold(want)
	for i := range max(len(got), len(expected)) {
		g, e := line(got, i), line(expected, i)
		if g != e {
			f.t.Fatalf("ladder differs at line %d\n  expected: %s\n  seen:     %s\nall that was seen:\n  %s",
				i+1, e, g, strings.Join(got, "\n  "))
		}
	}
}

// All is everything that has passed so far, as a list of arrows.
func (f *Flow) All() string { return f.ladder.String() }

// Hears checks that each of the two hears what the other says.
func (f *Flow) Hears(a, b *Phone) {
	f.t.Helper()
	f.HearsOnly(a, b)
	f.HearsOnly(b, a)
}

// HearsOnly checks that the first hears what the second says.
func (f *Flow) HearsOnly(listener, speaker *Phone) {
	f.t.Helper()
	if !f.hears(listener, speaker) {
		f.t.Errorf("%s does not hear %s", listener.Name, speaker.Name)
	}
}

// Deaf checks that the first does not hear what the second says.
func (f *Flow) Deaf(listener, speaker *Phone) {
	f.t.Helper()
	if f.hears(listener, speaker) {
		f.t.Errorf("%s hears %s", listener.Name, speaker.Name)
	}
}

func (f *Flow) hears(listener, speaker *Phone) bool {
	f.Settle()
	from, to := speaker.leg(), listener.leg()
	if from == nil || to == nil {
		return false
	}
	f.spoken++
	mark := byte(0x20 + f.spoken%64) // a code that no silence has
	to.stream.forget()
	speaker.Says(mark)
	return to.stream.heard(mark)
}

// CrossAnswer lets the caller hang up and the callee answer at the same moment,
// so that the answer and our CANCEL cross.
func (f *Flow) CrossAnswer(caller, callee *Phone) {
	f.t.Helper()
	from, to := caller.must(), callee.must()
	from.set(over)
	from.sink.Deliver(leg.HungUp{Of: leg.Of{Leg: from}, Cause: leg.Cancelled.GivenBy(caller.Name)})
	to.sink.Deliver(leg.Answered{Of: leg.Of{Leg: to}})
	f.Settle()
}

// Ended checks why the last call ended.
func (f *Flow) Ended(by, why string) {
	f.t.Helper()
	f.Settle()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.Records) == 0 {
		f.t.Fatal("no call has ended")
	}
	r := f.Records[len(f.Records)-1]
	if r.Cause.By != by || !strings.Contains(r.Why, why) {
		f.t.Errorf("ended by %q because %q; expected by %q because %q", r.Cause.By, r.Why, by, why)
	}
}

func fold(text string) []string {
	var lines []string
	for _, l := range strings.Split(text, "\n") {
		if l = strings.Join(strings.Fields(l), " "); l != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}

// A Log keeps what the exchange logs, for tests of what an operator is told.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write takes a log line.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// Line is the last line that contains all the words; empty: there is none.
func (l *Log) Line(words ...string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := strings.Split(l.text.String(), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		ok := true
		for _, w := range words {
			ok = ok && strings.Contains(lines[i], w)
		}
		if ok {
			return lines[i]
		}
	}
	return ""
}
