package b2bua_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua"
	"crosspoint/b2bua/flow"
)

// A service is what people do in it, step by step.
type service struct {
	name  string
	cfg   b2bua.Config
	steps []func(f *flow.Flow)
	alone bool // somebody may wait alone: it is parked
}

// services are those with more than one party, as phones of all times use them.
func services() []service {
	type step = func(f *flow.Flow)
	call := []step{
		func(f *flow.Flow) { f.Alice.Calls("102") },
		func(f *flow.Flow) { f.Bob.Rings() },
		func(f *flow.Flow) { f.Bob.Answers() },
	}
	then := func(before []step, more ...step) []step { return append(append([]step(nil), before...), more...) }
	hold := func(f *flow.Flow) { f.Bob.Holds() }
	resume := func(f *flow.Flow) { f.Bob.Resumes() }
	rings := func(f *flow.Flow) { f.Carol.Rings() }
	answers := func(f *flow.Flow) { f.Carol.Answers() }
	consult := then(call, hold, func(f *flow.Flow) { f.Bob.Calls("103") }, rings)
	flash := func(f *flow.Flow) { f.Bob.Flashes() }
	flashed := then(call, flash, func(f *flow.Flow) { f.Bob.Dials("10") }, func(f *flow.Flow) { f.Bob.Dials("3") }, rings)
	third := then(flashed, answers)
	return []service{
		{name: "hold", steps: then(call, hold, func(f *flow.Flow) { f.Alice.Holds() }, resume, func(f *flow.Flow) { f.Alice.Resumes() })},
		{name: "consultation", steps: then(consult, answers, func(f *flow.Flow) { f.Carol.HangsUp() }, resume)},
		{name: "transfer", steps: then(call, func(f *flow.Flow) { f.Bob.Refers("103") }, rings, answers,
			func(f *flow.Flow) { f.Carol.Refers("104") }, func(f *flow.Flow) { f.Dave.Rings() }, func(f *flow.Flow) { f.Dave.Answers() })},
		{name: "transfer of 1999", steps: then(call, func(f *flow.Flow) { f.Bob.LeavesTo("103") }, rings, answers,
			func(f *flow.Flow) { f.Carol.LeavesTo("104") }, func(f *flow.Flow) { f.Dave.Rings() }, func(f *flow.Flow) { f.Dave.Answers() })},
		{name: "attended transfer", steps: then(consult, answers, func(f *flow.Flow) { f.Bob.Joins() })},
		{name: "attended transfer before the answer", steps: then(consult, func(f *flow.Flow) { f.Bob.Joins() }, answers)},
		{name: "takeover", steps: then(call, hold, func(f *flow.Flow) { f.Carol.Replaces(f.Bob, false) })},
		{name: "takeover of a phone that rings", steps: then(call[:2], func(f *flow.Flow) { f.Carol.Replaces(f.Bob, true) })},
		{name: "three by flash", steps: then(third, flash, flash)},
		{name: "three by flash, end with the host", cfg: b2bua.Config{HostEndsConference: true}, steps: then(third, flash)},
		{name: "swap", cfg: b2bua.Config{FlashSwaps: true}, steps: then(third, flash, flash)},
		{name: "transfer by flash", steps: then(third, func(f *flow.Flow) { f.Bob.HangsUp() })},
		{name: "transfer by flash before the answer", steps: then(flashed, func(f *flow.Flow) { f.Bob.HangsUp() }, answers)},
		{name: "hung up with a held party", steps: then(call, flash, func(f *flow.Flow) { f.Bob.HangsUp() }, func(f *flow.Flow) { f.Bob.Answers() })},
		{name: "three by code", steps: then(consult, answers, hold, func(f *flow.Flow) { f.Bob.Calls("*3") })},
		{name: "park", alone: true, steps: then(call, func(f *flow.Flow) { f.Bob.Refers("*701") }, func(f *flow.Flow) { f.Carol.Calls("*711") })},
	}
}

// played plays the first n steps of a service, then what the test is about. At
// the end nothing may be left over; who does not wait for anything is not alone.
func (s service) played(t *testing.T, n int, then func(f *flow.Flow)) {
	flow.TestWith(t, flow.Numbered, s.cfg, func(f *flow.Flow) {
		for _, step := range s.steps[:n] {
			step(f)
		}
		then(f)
		if strings.Contains(strings.Join(f.Busy(), " "), "alerting") {
			f.Wait(30 * time.Second) // so long rings a transfer's target
		}
		if left := f.Busy(); len(left) == 1 && strings.Contains(left[0], "talking") && !s.alone {
			t.Errorf("left alone: %s\n%s", left[0], f.All())
		}
		f.EverybodyHangsUp()
	})
}

// acts are what anybody can do after n steps.
func (s service) acts(t *testing.T, n int) (acts []string) {
	s.played(t, n, func(f *flow.Flow) {
		for _, a := range everybodysActs(f) {
			acts = append(acts, a.Name)
		}
	})
	return acts
}

func everybodysActs(f *flow.Flow) (acts []flow.Act) {
	for _, p := range []*flow.Phone{f.Alice, f.Bob, f.Carol, f.Dave} {
		acts = append(acts, p.Acts("104")...)
	}
	return acts
}

// At every rung of every service everybody may do anything: hang up, be busy,
// hold, transfer, flash.
func TestAnythingAtEveryRung(t *testing.T) {
	for _, s := range services() {
		for n := 1; n <= len(s.steps); n++ {
			for i, act := range s.acts(t, n) {
				t.Run(fmt.Sprintf("%s/%d %s", s.name, n, act), func(t *testing.T) {
					s.played(t, n, func(f *flow.Flow) { everybodysActs(f)[i].Do() })
				})
			}
		}
	}
}

// At every rung two act at the same moment, one of whom leaves or answers. Of
// the pairs every so manyth is played, in either order; which, is the same in
// each run.
func TestGlareAtEveryRung(t *testing.T) {
	pairs := 0
	for _, s := range services() {
		for n := 2; n <= len(s.steps); n++ {
			acts := s.acts(t, n)
			for i, a := range acts {
				for j, b := range acts {
					if samePhone(a, b) || !decides(a) && !decides(b) {
						continue
					}
					if pairs++; pairs%glareEvery != 0 {
						continue
					}
					t.Run(fmt.Sprintf("%s/%d %s, %s", s.name, n, a, b), func(t *testing.T) {
						s.played(t, n, func(f *flow.Flow) {
							all := everybodysActs(f)
							f.AtOnce(all[i], all[j])
						})
					})
				}
			}
		}
	}
}

// glareEvery is the share of pairs that are played. All of them take some
// 20 s; 13 has no common factor with the number of things that a phone can do.
const glareEvery = 13

func samePhone(a, b string) bool {
	a, _, _ = strings.Cut(a, " ")
	return strings.HasPrefix(b, a+" ")
}

// decides tells an act that ends a call or begins a talk.
func decides(act string) bool {
	return !strings.HasSuffix(act, " holds") && !strings.HasSuffix(act, " resumes") && !strings.HasSuffix(act, " flashes") && !strings.HasSuffix(act, " refers")
}
