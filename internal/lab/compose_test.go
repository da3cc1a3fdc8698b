package lab

import (
	"strings"
)

// The draft describes sections 2.4, 2.8 and 2.9 without printing messages: they
// are put together here from those that it prints elsewhere, as it says that
// they would look.

// compose fills the sections in that print no messages.
func compose(flows map[string]*flow) {
	hold, transfer, findMe := flows["2.2"], flows["2.3"], flows["2.10"]

	// "A combination of Consultation Hold and Unattended Transfer": A calls B,
	// holds B, calls C, ends that call, and transfers B to C.
	f := flows["2.4"]
	f.add(hold, 1, 9)
	f.add(hold.with(swapped, append(callersTags, "CSeq: 1 ", "CSeq: 2 ")...), 10, 15)
	f.add(hold.with(swapped), 16, 28)
	f.add(transfer.with(nil, "CSeq: 2 BYE", "CSeq: 3 BYE"), 10, 10)
	f.add(transfer, 13, 13)
	// B is retrieved, to hear what happens.
	f.add(hold.with(swapped, append(callersTags, "CSeq: 2 ", "CSeq: 3 ")...), 30, 31)
	f.add(hold.with(swapped, callersTags...), 34, 34)
	for _, n := range []int{15, 17, 19, 22} { // what C sees
		f.add(transfer, n, n)
	}
	f.add(findMe.with(map[string]string{"7137136": "314159", "UserB4": "UserB"}), 20, 20)
	f.add(findMe.with(map[string]string{"7137136": "314159", "UserB4": "UserB"}), 23, 23)
	for _, n := range []int{26, 27} {
		f.add(hold, n, n)
	}

	// A calls B, B calls C as well and mixes; B drops out of both.
	f = flows["2.8"]
	f.add(hold, 1, 9)
	f.add(hold, 16, 28)
	f.add(findMe.with(map[string]string{"7137136": "314159", "UserB4": "UserB"}), 20, 23)

	// "The signalling … is the same" as that of find-me: the first set is
	// silent, the second answers.
	f = flows["2.9"]
	f.add(flows["2.7"], 1, 17)
}

// add appends messages of another flow and numbers them anew.
func (f *flow) add(from *flow, first, last int) {
	for _, m := range from.msgs[first-1 : last] {
		m.n = len(f.msgs) + 1
		f.msgs = append(f.msgs, m)
	}
}

// swapped exchanges User A and User B.
var swapped = map[string]string{
	"UserA": "UserB", "TheBigGuy": "TheLittleGuy", "here.com": "there.com", "100.101.102.103": "110.111.112.113",
	" 49170 ": " 3456 ", "1234567": "314159", "2890844526": "2890844527",
}

// callersTags are for a swapped call: the caller has no tag, the callee has.
var callersTags = []string{
	"From: TheLittleGuy <sip:UserB@there.com>;tag=314159", "From: TheBigGuy <sip:UserA@here.com>",
	"To: TheBigGuy <sip:UserA@here.com>;tag=1234567", "To: TheLittleGuy <sip:UserB@there.com>;tag=314159",
	"To: TheBigGuy <sip:UserA@here.com>", "To: TheLittleGuy <sip:UserB@there.com>;tag=314159",
}

// with is the flow with words replaced, those of a map in both directions, the
// pairs that follow in one.
func (f *flow) with(both map[string]string, pairs ...string) *flow {
	var words []string
	for a, b := range both {
		words = append(words, a, b, b, a)
	}
	// "there.com" must not be read as "t" and "here.com".
	r := strings.NewReplacer(longestFirst(append(words, pairs...))...)
	out := *f
	out.msgs = nil
	for _, m := range f.msgs {
		m.from, m.to = r.Replace(m.from), r.Replace(m.to)
		m.text = r.Replace(m.text)
		out.msgs = append(out.msgs, m)
	}
	return &out
}

// longestFirst orders pairs of words by the length of the first: a Replacer
// tries them in this order.
func longestFirst(pairs []string) []string {
	var out []string
	for n := 60; n > 0; n-- {
		for i := 0; i < len(pairs); i += 2 {
			if len(pairs[i]) == n {
				out = append(out, pairs[i], pairs[i+1])
			}
		}
	}
	return out
}
