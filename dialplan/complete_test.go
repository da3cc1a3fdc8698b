package dialplan

import "testing"

func TestComplete(t *testing.T) {
	p := plan(t, phones+outside+`
[[rule]]
dial = "9 nxx-xxxx"
strip = 1
to = "pstn"
[[rule]]
dial = "9 011."
strip = 1
to = "pstn"
[[rule]]
dial = "1xx9"
to = "101"
[features]
echo = "*43"
park = "*70"
`)
	phone := caller(t, p, "101")
	for digits, want := range map[string]Completeness{
		"":          Partial,
		"1":         Partial,
		"10":        Partial,
		"101":       CompleteOrMore, // or 1019
		"1019":      Complete,
		"10190":     Impossible,
		"5":         Impossible,
		"9":         Partial,
		"91":        Partial, // 911
		"911":       Complete,
		"991":       Partial,        // 9911, with the digit for an outside line
		"9911":      CompleteOrMore, // 9 911-xxxx fits the rule
		"9555123":   Partial,
		"95551234":  Complete,
		"955512345": Impossible,
		"9011":      Partial,
		"90114":     CompleteOrMore,
		"90114420":  CompleteOrMore,
		"*":         Partial,
		"*43":       Complete,
		"*70":       CompleteOrMore,
		"*701":      CompleteOrMore,
	} {
		if got := p.Complete(phone, digits); got != want {
			t.Errorf("%q is %v, want %v", digits, got, want)
		}
	}
	if got := p.Complete(Caller{}, "911"); got != Impossible {
		t.Errorf("a stranger's 911 is %v", got)
	}
}

func TestCompleteAllocatesNothing(t *testing.T) {
	p := plan(t, phones+outside+outwards)
	phone := caller(t, p, "101")
	if n := testing.AllocsPerRun(100, func() { p.Complete(phone, "95551234") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
