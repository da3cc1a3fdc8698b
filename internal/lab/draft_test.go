package lab

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// A printed is one numbered message of the draft's figures: F7, from B to the
// proxy. Section 2.3 prints F23 to F26 with the names of B and C swapped in
// their captions; its figure and its messages have them right.
type printed struct {
	n        int
	from, to string // "UserA", "b2bua"
	text     string // as printed, lines that the printer has broken joined
	caption  string
}

// A flow is one section of the draft with its messages in order.
type flow struct {
	section string // "2.1"
	title   string // "Call Hold"
	figure  []string
	msgs    []printed
}

var (
	draftSection  = regexp.MustCompile(`^(2\.\d+) (.*)$`)
	draftNumber   = regexp.MustCompile(`^F(\d+)\b`)
	draftArrow    = regexp.MustCompile(`^([A-Za-z0-9]+(?: 1)?) ?-> ?([A-Za-z0-9]+(?: 1)?)$`)
	draftStart    = regexp.MustCompile(`^(INVITE|ACK|BYE|CANCEL) ?sip|^SIP/2\.0 \d\d\d `)
	draftHeader   = regexp.MustCompile(`^(Via|From|To|Call-Id|CSeq|Contact|Content-Type|Content-Length|Content Length|Record-Route|Route|Proxy-Authenticate|Proxy-Authorization|Also|Requested-By): ?`)
	draftFolded   = regexp.MustCompile(`^(WorldCom SIP"|domain=|opaque=|response=)`)
	draftBody     = regexp.MustCompile(`^[vosctma]= ?\S`)
	draftPage     = regexp.MustCompile(`^MCI WorldCom +\[Page|^Internet Draft +Service Examples`)
	draftContents = regexp.MustCompile(`\.{3,}\d+$`)
)

// readDraft takes the flows out of the draft.
func readDraft(t testing.TB) map[string]*flow {
	t.Helper()
	text, err := os.ReadFile("../../b2bua/sipleg/wire/testdata/service-examples.txt")
	if err != nil {
		t.Fatal(err)
	}
	flows := make(map[string]*flow)
	var f *flow
	var m *printed
	var head, body []string
	finish := func() {
		if m != nil && len(head) > 0 {
			m.text = strings.Join(head, "\n") + "\n\n" + strings.Join(body, "\n")
			f.msgs = append(f.msgs, *m)
			m = nil
		}
		head, body = nil, nil
	}
	last := func(s string) { head[len(head)-1] += s }
	for line := range strings.SplitSeq(strings.ReplaceAll(string(text), "\r", ""), "\n") {
		line = strings.TrimSpace(line)
		section := draftSection.FindStringSubmatch(line)
		switch {
		case line == "" || draftPage.MatchString(line) || draftContents.MatchString(line):
		case strings.HasPrefix(line, "3 Author's"):
			finish()
			f = nil
		case section != nil:
			finish()
			f = &flow{section: section[1], title: section[2]}
			flows[f.section] = f
		case f == nil:
		case draftNumber.MatchString(line):
			finish()
			m = &printed{n: number(draftNumber.FindStringSubmatch(line)[1])}
		case m == nil:
			f.figure = append(f.figure, line)
		case draftStart.MatchString(line):
			head = append(head, line)
		case len(head) == 0:
			if a := draftArrow.FindStringSubmatch(line); a != nil {
				m.caption = line
				m.from, m.to = draftParty(a[1]), draftParty(a[2])
			}
		case line == "SIP/2.0":
			last(" SIP/2.0")
		case draftHeader.MatchString(line):
			head = append(head, line)
		case strings.HasPrefix(line, "context="): // "phone-" ends the line above
			last(line)
		case draftFolded.MatchString(line):
			head = append(head, "    "+line)
		case draftBody.MatchString(line):
			body = append(body, line)
		}
	}
	return flows
}

func number(s string) (n int) {
	for _, c := range s {
		n = 10*n + int(c-'0')
	}
	return n
}

// draftParty names who the draft calls "A", "B1", "Proxy 1".
func draftParty(s string) string {
	if strings.HasPrefix(s, "Proxy") {
		return "b2bua"
	}
	return "User" + s
}

// TestDraftIsRead: every numbered message of every flow is found, in order.
func TestDraftIsRead(t *testing.T) {
	flows := readDraft(t)
	for section, want := range map[string]int{
		"2.1": 28, "2.2": 38, "2.3": 39, "2.4": 0, "2.5": 13, "2.6": 16, "2.7": 17, "2.8": 0, "2.9": 0, "2.10": 23, "2.11": 6, "2.12": 6,
	} {
		f := flows[section]
		if f == nil {
			t.Errorf("section %s is missing", section)
			continue
		}
		if len(f.msgs) != want {
			t.Errorf("section %s has %d messages, not %d", section, len(f.msgs), want)
		}
		for i, m := range f.msgs {
			if m.n != i+1 || m.from == "" || m.to == "" {
				t.Errorf("section %s: message %d is F%d from %q to %q (%s)", section, i+1, m.n, m.from, m.to, m.caption)
			}
		}
	}
}
