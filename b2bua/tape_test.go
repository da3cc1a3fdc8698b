package b2bua_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"crosspoint/b2bua"
	"crosspoint/b2bua/flow"
	"crosspoint/media/g711"
)

// A shelf keeps the tapes of a test's calls.
type shelf struct {
	mu    sync.Mutex
	tapes []*reel
	full  error // what Write says
}

// reel is a tape in memory.
type reel struct {
	shelf *shelf
	name  string
	pcm   []int16
}

func (s *shelf) open(r b2bua.Record) (b2bua.Tape, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &reel{shelf: s, name: r.Source.Name + "-" + r.Dialed}
	s.tapes = append(s.tapes, t)
	return t, nil
}

func (t *reel) Name() string { return t.name }
func (t *reel) Close() error { return nil }

func (t *reel) Write(pcm []int16) error {
	t.shelf.mu.Lock()
	defer t.shelf.mu.Unlock()
	t.pcm = append(t.pcm, pcm...)
	return t.shelf.full
}

// voices tells who is on which side of the tapes of all ended calls, in order:
// "alice/bob" for alice on the left and bob on the right. Each says a code of
// its own.
func (s *shelf) voices() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tapes {
		var sides [2][]string
		for code, name := range codes {
			want := g711.MuLaw.DecodeSample(code)
			var n [2]int
			for i, sample := range t.pcm {
				if sample == want {
					n[i%2]++
				}
			}
			for side := range sides {
				if n[side] > said/2 {
					sides[side] = append(sides[side], name)
				}
			}
		}
		for _, side := range sides {
			slices.Sort(side)
		}
		list = append(list, strings.Join(sides[0], "+")+"/"+strings.Join(sides[1], "+"))
	}
	return list
}

// said is how many samples Says sends.
const said = 10 * g711.FrameSize

// codes are what the phones say: none that a Flow says by itself.
var codes = map[byte]string{0x04: "alice", 0x0b: "bob", 0x12: "carol", 0x19: "dave"}

func speak(f *flow.Flow, phones ...*flow.Phone) {
	for _, p := range phones {
		for code, name := range codes {
			if name == p.Name {
				p.Says(code)
			}
		}
	}
}

// Both sides of a call are on its tape, whatever becomes of it.
func TestTape(t *testing.T) {
	of := func(names ...string) func([]string) bool {
		return func(talking []string) bool {
			return slices.ContainsFunc(talking, func(n string) bool { return slices.Contains(names, n) })
		}
	}
	call := func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Bob.Answers()
	}
	for _, c := range []struct {
		name     string
		recorded func([]string) bool
		play     func(f *flow.Flow)
		want     string // tapes, as voices has them
	}{
		{"a call", nil, func(f *flow.Flow) {
			call(f)
			speak(f, f.Alice, f.Bob)
			f.Alice.HangsUp()
		}, "alice/bob"},
		{"nothing before the answer", nil, func(f *flow.Flow) {
			f.Alice.Calls("102")
			f.Bob.Plays()
			speak(f, f.Bob)
			f.Bob.Answers()
			speak(f, f.Alice)
			f.Alice.HangsUp()
		}, "alice/"},
		{"nothing on hold", nil, func(f *flow.Flow) {
			call(f)
			f.Bob.Holds()
			speak(f, f.Alice)
			f.Bob.Resumes()
			speak(f, f.Bob)
			f.Alice.HangsUp()
		}, "/bob"},
		{"the callee transfers", nil, func(f *flow.Flow) {
			call(f)
			f.Bob.Refers("103")
			f.Carol.Answers()
			speak(f, f.Alice, f.Carol)
			f.Alice.HangsUp()
		}, "alice/carol"},
		{"the caller transfers", nil, func(f *flow.Flow) {
			call(f)
			f.Alice.Refers("103")
			f.Carol.Answers()
			speak(f, f.Bob, f.Carol)
			f.Bob.HangsUp()
		}, "carol/bob"},
		{"an attended transfer", nil, func(f *flow.Flow) {
			call(f)
			f.Bob.Holds()
			f.Bob.Calls("103")
			f.Carol.Answers()
			speak(f, f.Bob, f.Carol) // the consultation has a tape of its own, and alice comes to that
			f.Bob.Joins()
			speak(f, f.Alice)
			f.Carol.HangsUp()
		}, "/ alice+bob/carol"},
		{"a telephone consults and joins", nil, func(f *flow.Flow) {
			consulting(f) // alice, bob on hold, carol
			speak(f, f.Alice, f.Bob)
			f.Alice.Flashes()
			speak(f, f.Carol)
			f.Carol.HangsUp()
			f.Settle()
			f.Alice.HangsUp()
		}, "alice/carol"},
		{"a callee's telephone consults", nil, func(f *flow.Flow) {
			call(f)
			speak(f, f.Alice, f.Bob)
			f.Bob.Flashes()
			f.Bob.Dials("103")
			f.Carol.Answers()
			speak(f, f.Carol)
			f.Bob.HangsUp() // and transfers by that
			speak(f, f.Alice)
			f.Alice.HangsUp()
		}, "alice+carol/bob"},
		{"a conference by code", nil, func(f *flow.Flow) {
			call(f)
			f.Bob.Holds()
			f.Bob.Calls("103")
			f.Carol.Answers()
			f.Bob.Calls("*3")
			f.Settle()
			f.Bob.Resumes()
			speak(f, f.Alice, f.Bob, f.Carol)
			f.Bob.HangsUp()
			speak(f, f.Carol)
			f.Alice.HangsUp()
		}, "alice/bob+carol /"},
		{"park and retrieve", nil, func(f *flow.Flow) {
			call(f)
			f.Bob.Refers("*7012")
			speak(f, f.Alice) // to nobody
			f.Carol.Calls("*7112")
			speak(f, f.Carol)
			f.Alice.HangsUp()
		}, "/carol"},
		{"whom nobody named", of("104"), func(f *flow.Flow) {
			call(f)
			speak(f, f.Alice)
			f.Alice.HangsUp()
		}, ""},
		{"one named, from when it talks", of("103"), func(f *flow.Flow) {
			call(f)
			speak(f, f.Bob)
			f.Bob.Refers("103")
			f.Carol.Answers()
			speak(f, f.Alice, f.Carol)
			f.Alice.HangsUp()
		}, "alice/carol"},
		{"one named, until it has left", of("102"), func(f *flow.Flow) {
			call(f)
			speak(f, f.Bob)
			f.Bob.Refers("103")
			f.Carol.Answers()
			speak(f, f.Alice, f.Carol)
			f.Alice.HangsUp()
		}, "/bob"},
		{"one named is on hold while others consult", of("102"), func(f *flow.Flow) {
			consulting(f)
			speak(f, f.Alice, f.Carol)
			f.Carol.HangsUp()
			speak(f, f.Bob)
			f.Alice.HangsUp()
		}, "/bob"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := new(shelf)
			flow.TestWith(t, flow.Numbered, b2bua.Config{Record: s.open, Recorded: c.recorded}, c.play)
			if got := strings.Join(s.voices(), " "); got != c.want {
				t.Errorf("on tape: %s, not %s", got, c.want)
			}
		})
	}
}

// A disk that is full ends the recording, not the call; the log and the
// record say so.
func TestTapeFails(t *testing.T) {
	full := errors.New("no space left on device")
	s := &shelf{full: full}
	flow.TestWith(t, "", b2bua.Config{Record: s.open}, func(f *flow.Flow) {
		talking(f)
		for range 5 {
			f.Hears(f.Alice, f.Bob)
		}
		if f.Log.Line("level=ERROR", "the rest of the call is not recorded; the call goes on", "file=alice-bob", "no space left") == "" {
			t.Error("the log does not tell of it while the call goes on")
		}
		f.Alice.HangsUp()
		f.Settle()
		if r := f.Records[0]; r.Tape != "alice-bob" || r.TapeFault != "not whole: no space left on device" {
			t.Errorf("the record has %q, %q", r.Tape, r.TapeFault)
		}
	})
	open := func(b2bua.Record) (b2bua.Tape, error) { return nil, full }
	flow.TestWith(t, "", b2bua.Config{Record: open}, func(f *flow.Flow) {
		talking(f)
		f.Hears(f.Alice, f.Bob)
		f.Alice.HangsUp()
		f.Settle()
		if r := f.Records[0]; r.Tape != "" || r.TapeFault != "not recorded: no space left on device" {
			t.Errorf("the record has %q, %q", r.Tape, r.TapeFault)
		}
	})
}
