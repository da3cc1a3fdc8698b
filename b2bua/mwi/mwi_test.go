package mwi

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// What voice-mail systems send, and what they should not.
func TestParse(t *testing.T) {
	for _, test := range []struct {
		body    string
		want    Summary
		account string
		fails   string
	}{
		{"Messages-Waiting: yes\r\nMessage-Account: sip:101@office.example\r\nVoice-Message: 2/8 (0/2)\r\n\r\n", Summary{true, 2, 8, 0, 2}, "sip:101@office.example", ""},
		{"Messages-Waiting: no\r\n", Summary{}, "", ""},
		{"messages-waiting:YES", Summary{Waiting: true}, "", ""},
		{"Messages-Waiting: yes\nVoice-Message: 1/0\nFax-Message: 7/7", Summary{Waiting: true, New: 1}, "", ""},
		{"Messages-Waiting: no\r\nVoice-Message: 0/3 (0/0)\r\n", Summary{Old: 3}, "", ""},
		{"Messages-Waiting: yes\r\nVoice-Message: 123456789/x (-4/", Summary{Waiting: true, New: maxMessages}, "", ""},
		{"Messages-Waiting: yes\r\n\r\nMessages-Waiting: no\r\nVoice-Message: 9/9\r\n", Summary{Waiting: true}, "", ""},
		{"Messages-Waiting: perhaps\r\n", Summary{}, "", "neither yes nor no"},
		{"Voice-Message: 2/8\r\n", Summary{}, "", "does not say Messages-Waiting"},
		{"", Summary{}, "", "does not say Messages-Waiting"},
	} {
		got, account, err := Parse([]byte(test.body))
		if got != test.want || account != test.account || (err == nil) != (test.fails == "") || err != nil && !strings.Contains(err.Error(), test.fails) {
			t.Errorf("%q: %+v for %q, %v; want %+v for %q, %q", test.body, got, account, err, test.want, test.account, test.fails)
		}
	}
}

// What is written is read as it was, and is what RFC 3842 §5.2 shows.
func TestBody(t *testing.T) {
	for _, s := range []Summary{{}, {Waiting: true}, {true, 2, 8, 0, 2}, {Old: 3}} {
		got, account, err := Parse(s.Body("sip:101@office.example"))
		if got != s || account != "sip:101@office.example" || err != nil {
			t.Errorf("%+v is read as %+v for %q, %v", s, got, account, err)
		}
	}
	want := "Messages-Waiting: yes\r\nMessage-Account: sip:101@office.example\r\nVoice-Message: 2/8 (0/2)\r\n"
	if got := string((Summary{true, 2, 8, 0, 2}).Body("sip:101@office.example")); got != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

func TestString(t *testing.T) {
	for want, s := range map[string]Summary{
		"no messages": {}, "messages wait": {Waiting: true}, "1 new message": {Waiting: true, New: 1},
		"2 new messages, 8 old": {true, 2, 8, 0, 2}, "no new messages, 3 old": {Old: 3},
	} {
		if got := s.String(); got != want {
			t.Errorf("%+v is %q, want %q", s, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, _, err := Parse(body)
		if err != nil {
			return
		}
		if again, _, err := Parse(s.Body("")); err != nil || again != s && (s.UrgentNew == 0 && s.UrgentOld == 0 || s.New+s.Old > 0) {
			t.Errorf("%+v is read again as %+v, %v", s, again, err)
		}
	})
}

type memory struct {
	kept map[string]Summary
	full bool
}

func (m *memory) Messages() map[string]Summary { return maps.Clone(m.kept) }

func (m *memory) KeepMessages(extension string, s Summary) error {
	if m.full {
		return errors.New("the disk is full")
	}
	m.kept[extension] = s
	return nil
}

// Whoever watches is told what is known and what changes, once each, in order; the
// store keeps it; what it can't keep holds until a restart.
func TestBoard(t *testing.T) {
	store := &memory{kept: map[string]Summary{"101": {Waiting: true, New: 1}}}
	b := NewBoard(store)
	var told []string
	watch := func(extension string, s Summary) { told = append(told, fmt.Sprintf("%s: %s", extension, s)) }
	b.Watch(watch)
	steps := []struct {
		extension string
		s         Summary
	}{{"102", Summary{Waiting: true}}, {"102", Summary{Waiting: true}}, {"101", Summary{}}, {"101", Summary{}}}
	for _, s := range steps {
		if err := b.Set(s.extension, s.s); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"101: 1 new message", "102: messages wait", "101: no messages"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if b.Of("102") != (Summary{Waiting: true}) || b.Of("101") != (Summary{}) || store.kept["101"] != (Summary{}) || !store.kept["102"].Waiting {
		t.Errorf("the board has %v and %v, the store %v", b.Of("101"), b.Of("102"), store.kept)
	}
	store.full = true
	if err := b.Set("103", Summary{Waiting: true}); err == nil || !b.Of("103").Waiting {
		t.Errorf("a full disk: %v, and the board has %v", err, b.Of("103"))
	}
}
