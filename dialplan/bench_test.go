package dialplan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"crosspoint/internal/tomlfile"
)

// bigPlan is the text of an office with n rules and n phones.
func bigPlan(n int) string {
	var b strings.Builder
	b.WriteString("country = \"us\"\narea = \"201\"\n" + outside[:strings.Index(outside, "notify")] + "place = \"here\"\n")
	b.WriteString("[[phone]]\nextension = \"101\"\nsecret = \"lantern-7-fig\"\nallow = [\"internal\", \"local\", \"national\", \"international\"]\n")
	b.WriteString("[[line]]\nname = \"fxo9\"\nkind = \"fxo\"\nincoming = \"101\"\n")
	for i := range n {
		fmt.Fprintf(&b, "[[phone]]\nextension = \"%d\"\nsecret = \"secret-of-%d\"\n", 20000+i, i)
		fmt.Fprintf(&b, "[[rule]]\nname = \"r%d\"\ndial = \"9 %03d nxx-xx(%d|%dx)\"\nstrip = 1\nclass = \"local\"\nto = [\"pstn\", \"sip\"]\n", i, 200+i%800, i/800, i%10)
	}
	b.WriteString("[[rule]]\nname = \"world\"\ndial = \"9 011 z.\"\nstrip = 1\nto = \"sip\"\n")
	return strings.Replace(b.String(), "incoming = \"101\"\n[[line]]\nname = \"fxo2\"", "[[line]]\nname = \"fxo2\"", 1)
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		text := []byte(bigPlan(n))
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var f officeFile
				if problems := tomlfile.Decode("big.toml", text, &f); problems != nil {
					b.Fatal(problems[0])
				}
				if p, problems := Compile(f.Config); p == nil {
					b.Fatal(problems[0])
				}
			}
		})
	}
}

// first stops at the first entry.
type first struct{ found *entry }

func (f *first) visit(e *entry) bool { f.found = e; return true }

// BenchmarkLookup is the search for the rule of a number.
func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10000} {
		p := plan(b, bigPlan(n))
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			var v first
			for b.Loop() {
				v.found = nil
				p.office.root.walk("92052345603"[:10], &v)
			}
		})
	}
}

// BenchmarkMatch is a whole route with its trail.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{10, 1000} {
		p := plan(b, bigPlan(n))
		from, at := caller(b, p, "101"), time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
		for _, dialed := range []string{"20005", "9205234560", "9011442071838750"} {
			b.Run(fmt.Sprintf("rules=%d/dialed=%s", n, dialed), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if r, trail := p.Match(Query{From: from, Dialed: dialed, At: at}); r.Refusal != nil {
						b.Fatal(trail)
					}
				}
			})
		}
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	p := plan(t, bigPlan(1000))
	var v first
	if n := testing.AllocsPerRun(100, func() { p.office.root.walk("9205234560", &v) }); n != 0 || v.found == nil {
		t.Errorf("%v allocations, found %v", n, v.found)
	}
}

// A plan of a thousand rules loads in far less than a second, so that a reload
// is not noticed. The benchmark has the number; this is for a mistake that makes
// it grow with the square of the rules.
func TestLoadIsQuick(t *testing.T) {
	begin := time.Now()
	plan(t, bigPlan(1000))
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("a thousand rules took %v to load", took)
	}
}
