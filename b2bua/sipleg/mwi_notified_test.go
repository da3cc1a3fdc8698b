package sipleg

import (
	"errors"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/mwi"
	"crosspoint/internal/siptest"
)

// withVoiceMail is an exchange whose trunk is a voice-mail system.
func withVoiceMail(c *Config) { c.Peers[0].VoiceMail = true }

// A voice-mail system tells, and is believed; what it tells wrongly is refused in
// words; nobody else is.
func TestVoiceMailTells(t *testing.T) {
	const two = "Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n"
	summary := mwi.Summary{Waiting: true, New: 2, Old: 8, UrgentOld: 2}
	for _, c := range []struct {
		name, to, kind, body, answer string
		extra                        []string
		extension                    string // whose messages are noted; empty: nobody's
		phrase                       string
	}{
		{name: "the one in the Request-URI", to: "101", body: two, answer: "200", extension: "101"},
		{name: "the account", to: "office", body: "Message-Account: sip:102@vm.example\r\n" + two, answer: "200", extension: "102"},
		{name: "the Request-URI before the account", to: "101", body: "Message-Account: sip:102@vm.example\r\n" + two, answer: "200", extension: "101"},
		{name: "in capitals", to: "101", kind: "Application/Simple-Message-Summary;charset=utf-8", body: two, answer: "200", extension: "101"},
		{name: "nobody", to: "199", body: two, answer: "404", phrase: "Not Found"},
		{name: "nobody's account", to: "office", body: "Message-Account: sip:199@vm.example\r\n" + two, answer: "404"},
		{name: "an account that is none", to: "office", body: "Message-Account: <<\r\n" + two, answer: "404"},
		{name: "not readable", to: "101", body: "Voice-Message: 2/8\r\n", answer: "400", phrase: "Message Summary Not Readable"},
		{name: "neither yes nor no", to: "101", body: "Messages-Waiting: perhaps\r\n", answer: "400", phrase: "Message Summary Not Readable"},
		{name: "empty", to: "101", answer: "400"},
		{name: "another type", to: "101", kind: "text/plain", body: two, answer: "415"},
		{name: "another event", to: "101", body: two, answer: "489", extra: []string{"Event: keep-alive"}},
		{name: "needs an extension", to: "101", body: two, answer: "420", extra: []string{"Require: eventlist"}},
		{name: "in a dialog that is none", to: "101", body: two, answer: "481", extra: []string{"To: <sip:101@127.0.0.1>;tag=abc"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			board := mwi.NewBoard(nil)
			play(t, withMessages(board, withVoiceMail), func(f *fixture) {
				p := f.trunk()
				kind := c.kind
				if kind == "" {
					kind = mwi.ContentType
				}
				p.Request("NOTIFY", c.to, append([]string{"Event: message-summary", "Subscription-State: active", "body " + kind + "\n" + c.body}, c.extra...)...)
				m := p.Expect(c.answer + " NOTIFY")
				if c.phrase != "" && !strings.HasSuffix(m.Start, " "+c.phrase) {
					t.Error(m.Text)
				}
				for _, extension := range []string{"101", "102", "199", "office"} {
					if got := board.Of(extension); (got == summary) != (extension == c.extension) {
						t.Errorf("the board has %v for %s", got, extension)
					}
				}
				if c.answer == "400" && !strings.Contains(f.log.String(), "level=INFO msg=\"message waiting: NOTIFY refused\" status=400 why=\"peer trunk: ") {
					t.Error("the log does not say what is wrong")
				}
			})
		})
	}
}

// Peers that are no voice-mail systems, phones and strangers are not believed.
func TestOthersTell(t *testing.T) {
	board := mwi.NewBoard(nil)
	play(t, withMessages(board), func(f *fixture) {
		phone := f.phone("101", 5071)
		phone.Register()
		for _, p := range []*siptest.Peer{f.trunk(), phone, siptest.NewPeer(f.t, f.net, "x", "172.16.9.9:5060")} {
			p.Request("NOTIFY", "101", "Event: message-summary", "body "+mwi.ContentType+"\nMessages-Waiting: yes\n")
			p.Expect("403")
			p.Request("NOTIFY", "101", "Event: keep-alive")
			p.Expect("489")
		}
		if board.Of("101").Waiting {
			t.Error("believed")
		}
	})
}

// A voice-mail system at which we have an account tells of that account's messages:
// by our user, or by the account that it names.
func TestVoiceMailTellsOfOurAccount(t *testing.T) {
	board := mwi.NewBoard(nil)
	ours := func(c *Config) {
		withVoiceMail(c)
		c.Peers[0].Mailbox, c.Peers[0].Host = "103", "10.0.0.1:5060"
	}
	play(t, withMessages(board, ours), func(f *fixture) {
		p := f.trunk()
		for n, body := range map[int]string{4: "Messages-Waiting: yes\nVoice-Message: 4/0\n", 5: "Messages-Waiting: yes\nMessage-Account: sip:office@10.0.0.1\nVoice-Message: 5/0\n"} {
			to := map[int]string{4: "office", 5: "lamp"}[n]
			p.Drain(time.Millisecond) // our SUBSCRIBE, which it does not answer
			p.Request("NOTIFY", to, "Event: message-summary", "body "+mwi.ContentType+"\n"+body)
			p.Expect("200 NOTIFY")
			if got := board.Of("103").New; got != n {
				t.Errorf("%d messages, not %d", got, n)
			}
		}
	})
}

// What voice mail tells reaches the phone's lamp, also where it can't be kept.
func TestVoiceMailReachesThePhone(t *testing.T) {
	board := mwi.NewBoard(fullStore{})
	play(t, withMessages(board, withVoiceMail), func(f *fixture) {
		phone, vm := f.phone("101", 5071), f.trunk()
		subscribes(phone, "101")
		told(t, phone, "active;expires=3600", 0)
		vm.Request("NOTIFY", "101", "Event: message-summary", "body "+mwi.ContentType+"\nMessages-Waiting: yes\nVoice-Message: 4/0\n")
		vm.Expect("200")
		told(t, phone, "active", 4)
		if !strings.Contains(f.log.String(), "the disk is full") {
			t.Error("nobody is told that the disk is full")
		}
	})
}

type fullStore struct{}

func (fullStore) Messages() map[string]mwi.Summary       { return nil }
func (fullStore) KeepMessages(string, mwi.Summary) error { return errors.New("the disk is full") }
