package leg

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Us is the exchange's own column in a ladder.
const Us = "b2bua"

// maxRungs bounds a ladder: a call of days with a re-INVITE a minute must not
// grow for ever. What is over is counted.
const maxRungs = 500

// usualRungs is how many a plain call of two SIP parties has, from INVITE to the
// last 200.
const usualRungs = 12

// A Rung is one arrow of a ladder.
type Rung struct {
	At       time.Time
	From, To string // names of columns
	Text     string // "INVITE", "183 (SDP)", "off-hook", "DTMF 7773660"
}

// A Ladder is what passed between whom in one call, in order, as the figures
// of RFC 5359 show it. Retransmissions are left out. It may be written from
// several goroutines. Its zero value is empty and ready; a nil Ladder takes
// nothing.
type Ladder struct {
	mu    sync.Mutex
	rungs []Rung
	over  int
	also  *Ladder // gets every further arrow too; nil: none
}

// Add draws an arrow.
func (l *Ladder) Add(from, to, text string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	also := l.also
	if l.rungs == nil {
		l.rungs = make([]Rung, 0, usualRungs)
	}
	if len(l.rungs) < maxRungs {
		l.rungs = append(l.rungs, Rung{time.Now(), from, to, text})
	} else {
		l.over++
	}
	l.mu.Unlock()
	also.Add(from, to, text)
}

// In draws an arrow from a party to the exchange, Out one from the exchange to
// a party.
func (l *Ladder) In(from, text string) { l.Add(from, Us, text) }
func (l *Ladder) Out(to, text string)  { l.Add(Us, to, text) }

// Rungs are the arrows so far, in order.
func (l *Ladder) Rungs() []Rung {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Rung(nil), l.rungs...)
}

// Also draws every further arrow in another ladder as well: that of the call
// which a party has gone over to.
func (l *Ladder) Also(other *Ladder) {
	if l == nil || l == other {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.also = other
}

// Lead draws what this ladder has in another one as well, at its time there, and
// every further arrow: it was how a party came into the other's call.
func (l *Ladder) Lead(to *Ladder) {
	if l == nil || l == to || to == nil {
		return
	}
	before := l.Rungs()
	l.Also(to)
	to.mu.Lock()
	defer to.mu.Unlock()
	to.rungs = append(to.rungs, before...)
	slices.SortStableFunc(to.rungs, func(a, b Rung) int { return a.At.Compare(b.At) })
}

// String lists the arrows, one a line: "101 -> b2bua  INVITE".
func (l *Ladder) String() string {
	var b strings.Builder
	rungs := l.Rungs()
	wide := 0
	for _, r := range rungs {
		wide = max(wide, len(r.From)+len(r.To))
	}
	for _, r := range rungs {
		fmt.Fprintf(&b, "%s -> %s%*s%s\n", r.From, r.To, wide-len(r.From)-len(r.To)+2, "", r.Text)
	}
	return b.String()
}

// Figure draws the ladder with a column for each party, the caller on the left
// and the exchange next to it, as in the figures of the service standard. With
// times, each line begins with the seconds since the first.
func (l *Ladder) Figure(times bool) string {
	rungs := l.Rungs()
	if len(rungs) == 0 {
		return ""
	}
	cols := columns(rungs)
	gap := gapFor(rungs)
	at := make(map[string]int, len(cols)) // column name -> position of its bar
	for i, c := range cols {
		at[c] = gap/2 + i*gap
	}
	var b strings.Builder
	margin := ""
	if times {
		margin = strings.Repeat(" ", 9)
	}
	head := []rune(strings.Repeat(" ", at[cols[len(cols)-1]]+gap/2+1))
	for _, c := range cols {
		put(head, at[c]-len([]rune(c))/2, c)
	}
	bars := []rune(strings.Repeat(" ", len(head)))
	for _, p := range at {
		bars[p] = '|'
	}
	b.WriteString(margin + trim(head) + "\n")
	for _, r := range rungs {
		line := append([]rune(nil), bars...)
		arrow(line, at[r.From], at[r.To], r.Text)
		if times {
			fmt.Fprintf(&b, "%8.3f ", r.At.Sub(rungs[0].At).Seconds())
		}
		b.WriteString(trim(line) + "\n")
	}
	if l.over > 0 {
		fmt.Fprintf(&b, "%s… and %d more\n", margin, l.over)
	}
	return b.String()
}

// columns orders the parties: who called first, the exchange, then by appearance.
func columns(rungs []Rung) []string {
	var cols []string
	seen := map[string]bool{Us: true}
	for _, r := range rungs {
		for _, name := range []string{r.From, r.To} {
			if !seen[name] {
				seen[name] = true
				cols = append(cols, name)
				if len(cols) == 1 {
					cols = append(cols, Us)
				}
			}
		}
	}
	if len(cols) == 0 {
		cols = []string{Us}
	}
	return cols
}

// gapFor is the distance between two bars that the longest text fits into.
func gapFor(rungs []Rung) int {
	gap := 18
	for _, r := range rungs {
		gap = max(gap, len([]rune(r.Text))+6, len(r.From)+2, len(r.To)+2)
	}
	return min(gap, 40) &^ 1
}

func arrow(line []rune, from, to int, text string) {
	if from == to { // something about one party alone
		put(line, from+2, text)
		return
	}
	lo, hi := min(from, to), max(from, to)
	for i := lo + 1; i < hi; i++ {
		if line[i] != '|' {
			line[i] = '-'
		}
	}
	if from < to {
		line[hi-1] = '>'
	} else {
		line[lo+1] = '<'
	}
	room := hi - lo - 5
	t := []rune(text)
	if len(t) > room {
		t = append(t[:max(room-1, 0)], '…')
	}
	// Next to the end that is not the exchange's neighbour's bar: in the middle of the first gap.
	put(line, lo+3+max(0, (room-len(t))/2), string(t))
}

func put(line []rune, at int, text string) {
	for i, r := range []rune(text) {
		if p := at + i; p >= 0 && p < len(line) {
			line[p] = r
		}
	}
}

func trim(line []rune) string { return strings.TrimRight(string(line), " ") }
