package lab

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua"
	"crosspoint/dialplan"
	"crosspoint/gateway/jack"
	"crosspoint/internal/siptest"
)

// A service is played by people at telephones of all kinds: once to its end,
// whose ladder is compared as a figure; then once more for each rung and each
// person who may leave there, and each two who may do so, or answer, at the same
// moment (glare_test.go); then its failures. After each scene nothing may be
// left of it. The people are A at extension 201, B at 202, and so on.
type service struct {
	people int
	text   string            // TOML beside the telephones
	phones map[string]string // TOML of a telephone, by its letter
	called string            // what calls from the town are for; empty: 202
	users  bool              // what users set from their phones is kept
	calls  b2bua.Config
	play   func(s *trial) // to success; each s.rung is where somebody may leave
	ladder string         // of that, in words; see trial.arrows
	// leaves is what people do after one has left, "C rings: B" being B who leaves
	// at the rung "C rings". Where nothing is said nobody is left in a call.
	leaves map[string]string
	fails  []failure
}

// A failure is a scene that does not end in success.
type failure struct {
	name   string
	play   func(s *trial)
	ladder string // in words; empty: not compared
}

// A trial is an office with people in it, and the scene that they play at the moment.
type trial struct {
	*Lab
	cast   []string
	people []person
	wires  map[int]*pair // of analog telephones and the town, by the place in the cast from 1
	title  string
	before int // calls that had ended before the scene

	rungs  []rung // of the success
	leaves string // the rung at which somebody leaves now; empty: nobody does
}

// A rung is a place in a scene, with those who are in a call there.
type rung struct {
	name string
	in   []int
	does map[int]string // what they are doing
}

// left unwinds a scene that somebody has left.
type left struct{}

// run plays the service with all casts.
func (v service) run(t *testing.T, casts [][]string) {
	if v.calls.RingFor == 0 {
		v.calls.RingFor = 2 * time.Second // the last place too
	}
	if v.called == "" {
		v.called = "202"
	}
	for _, cast := range casts {
		t.Run(strings.Join(cast, "-"), func(t *testing.T) {
			t.Parallel()
			v := v
			if v.users {
				v.calls.Users = &userSettings{set: map[string]dialplan.Settings{}}
			}
			onTrial(t, v.office(cast), v.calls, cast, func(s *trial) {
				s.act("success", func() { v.play(s); s.same(v.ladder) })
				for _, r := range s.rungs {
					for _, who := range r.in {
						s.leave(v, r, who)
					}
					s.collide(v, r)
				}
				for _, f := range v.fails {
					if cast[0] == "town" {
						continue // a line can't be told of it
					}
					s.act(f.name, func() {
						f.play(s)
						if f.ladder != "" {
							s.same(f.ladder)
						}
					})
				}
			})
		})
	}
}

// leave plays until a rung, where one leaves.
func (s *trial) leave(v service, r rung, who int) {
	if r.does[who] == rings && (s.cast[who] == "analog" || s.cast[0] == "town") {
		return // it can't refuse, nor can a line be told: it rings on
	}
	key := r.name + ": " + letter(who)
	s.act(key+" leaves", func() {
		s.upTo(r, v)
		s.people[who].hangUp()
		s.settle()
		s.finds(v.leaves[key])
	})
}

// upTo plays up to a rung.
func (s *trial) upTo(r rung, v service) {
	s.t.Helper()
	s.leaves = r.name
	defer func() {
		s.leaves = ""
		if r := recover(); r != nil && r != (left{}) {
			panic(r)
		}
	}()
	v.play(s)
	s.t.Fatalf("%s: there is no rung %q", s.title, r.name)
}

// onTrial opens an office with these people.
func onTrial(t *testing.T, text string, calls b2bua.Config, cast []string, play func(s *trial)) {
	t.Helper()
	wires := make(map[int]*pair)
	ports := func(n int) jack.Port {
		wires[n] = newPair(jack.FXS)
		if cast[n-1] == "town" {
			wires[n].kind = jack.FXO
		}
		return wires[n]
	}
	Play(t, Config{Text: text, Calls: calls, Jack: ports, Quiet: true}, func(l *Lab) {
		s := &trial{Lab: l, cast: cast, wires: wires}
		s.distance(10 * time.Millisecond) // what a message causes comes after it
		defer func() {
			for _, a := range s.people {
				a.close()
			}
		}()
		for i, kind := range cast {
			number, code := extension(i), byte(firstMark+1+i)
			switch kind {
			case "analog":
				s.people = append(s.people, &analogPerson{l: l, w: wires[i+1], line: letter(i), code: code})
			case "town":
				p := &townPerson{l: l, w: wires[i+1], line: letter(i), code: code}
				p.w.set(func() { p.w.exchange = p.serve })
				s.people = append(s.people, p)
			default:
				s.people = append(s.people, newSIPPerson(l, kind, number, code))
			}
		}
		play(s)
	})
}

func extension(i int) string { return fmt.Sprint(201 + i) }
func letter(i int) string    { return string(rune('A' + i)) }

// office has a telephone for each of the cast, and a line if it is analog.
func (v service) office(cast []string) string {
	var b strings.Builder
	b.WriteString("country = \"us\"\ntimezone = \"UTC\"\n[[card]]\nname = \"card1\"\nport = \"jacks\"\n")
	for i, kind := range cast {
		n := extension(i)
		if kind == "town" {
			b.WriteString(townText(letter(i), fmt.Sprint(i+1), v.called))
			continue
		}
		fmt.Fprintf(&b, "[[phone]]\nextension = %q\nname = %q\n%s\n", n, letter(i), v.phones[letter(i)])
		switch kind {
		case "analog":
			fmt.Fprintf(&b, "[[line]]\nname = %q\ncard = \"card1\"\nport = %d\nkind = \"fxs\"\nextension = %q\necho = \"off\"\ncaller_id = \"none\"\n", letter(i), i+1, n)
		case "old":
			fmt.Fprintf(&b, "secret = \"lantern-%s\"\ncontacts = \"sip:%[1]s@127.0.0.1:5%[1]s\"\n", n)
		default:
			fmt.Fprintf(&b, "secret = \"lantern-%s\"\n", n)
		}
	}
	if slices.Contains(cast, "town") {
		b.WriteString("[emergency]\nnone = \"nobody is here\"\n")
	}
	return b.String() + v.text
}

// act plays one scene, and looks that nothing is left of it.
func (s *trial) act(title string, play func()) {
	s.t.Helper()
	s.title, s.before = title, len(s.Office.Exchange.Ended())
	failed := s.t.Failed()
	s.Wire.Mark()
	play()
	for _, a := range s.people { // who may still be in a call
		a.busy(false)
		a.gone(false)
		a.hangUp()
		s.settle()
	}
	s.nothingLeft()
	if !failed && s.t.Failed() {
		s.t.Logf("%s: on the wire:\n%s", title, s.Wire.Figure())
		for _, r := range s.Office.Exchange.Ended()[s.before:] {
			s.t.Logf("the call's ladder:\n%s", r.Ladder.Figure(true))
		}
	}
}

// nothingLeft looks that all calls, dialogs, ports and lines are free again.
func (s *trial) nothingLeft() {
	s.t.Helper()
	for range 40 {
		if s.left() == "" {
			break
		}
		time.Sleep(time.Second)
	}
	if what := s.left(); what != "" {
		s.t.Fatalf("%s: left over: %s\n%s", s.title, what, s.Wire.Figure())
	}
}

func (s *trial) left() string {
	synctest.Wait()
	var what []string
	if calls := s.Office.Exchange.Calls(); len(calls) > 0 {
		what = append(what, fmt.Sprintf("%d calls", len(calls)))
	}
	if n := s.Office.Agent.Stats().Dialogs; n > 0 {
		what = append(what, fmt.Sprintf("%d dialogs", n))
	}
	if n := s.ports.InUse(); n > 0 {
		what = append(what, fmt.Sprintf("%d RTP ports", n))
	}
	for _, line := range s.Office.Gateway.Lines() {
		if line.State != "idle" {
			what = append(what, line.Line+" is "+line.State)
		}
	}
	for i, a := range s.people {
		if is := a.doing(); is != idle {
			what = append(what, letter(i)+" "+is)
		}
	}
	return strings.Join(what, ", ")
}

// settle lets things happen. Who hears that a call is over hangs up.
func (s *trial) settle() {
	time.Sleep(80 * time.Millisecond)
	synctest.Wait()
	for _, a := range s.people {
		if a.doing() == over {
			a.hangUp()
		}
	}
	synctest.Wait()
}

// rung is a place at which somebody may leave.
func (s *trial) rung(name string) {
	s.settle()
	if s.leaves == name {
		panic(left{})
	}
	if s.title != "success" {
		return
	}
	r := rung{name: name, does: make(map[int]string)}
	for i, a := range s.people {
		if is := a.doing(); is != idle {
			r.in = append(r.in, i)
			r.does[i] = is
		}
	}
	s.rungs = append(s.rungs, r)
}

// distance is how long messages take to the SIP phones, and from them.
func (s *trial) distance(d time.Duration) {
	s.Wire.Delay(func(string, string, *siptest.Message) time.Duration { return d })
}

// who is a person by the letter.
func (s *trial) who(letter string) person { return s.people[letter[0]-'A'] }

// until waits until somebody does something.
func (s *trial) until(letter, does string) {
	s.t.Helper()
	s.untilIn(10*time.Second, letter, does)
}

// untilIn waits until somebody does one of several things.
func (s *trial) untilIn(most time.Duration, letter string, does ...string) {
	s.t.Helper()
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		synctest.Wait()
		if slices.Contains(does, s.who(letter).doing()) {
			return
		}
	}
	s.t.Fatalf("%s: %s never %s, but %s; all: %s\n%s", s.title, letter, strings.Join(does, " or "), s.who(letter).doing(), s.doing(), s.Wire.Figure())
}

// doing is what those do who are in a call: "A talks, C talks".
func (s *trial) doing() string {
	var all []string
	for i, a := range s.people {
		if is := a.doing(); is != idle {
			all = append(all, letter(i)+" "+is)
		}
	}
	return strings.Join(all, ", ")
}

// finds fails unless people do this; two who talk hear each other.
func (s *trial) finds(want string) {
	s.t.Helper()
	if got := s.doing(); got != want {
		s.t.Errorf("%s: %q, want %q\n%s", s.title, got, want, s.Wire.Figure())
	}
	var talking string
	for i, a := range s.people {
		if a.doing() == talks {
			talking += letter(i)
		}
	}
	if len(talking) == 2 {
		s.talk(talking)
	}
}
