// Package mwi knows for whom voice messages wait (message waiting indication):
// the text in which voice-mail systems and phones tell each other (RFC 3842), and
// a Board that keeps what is told until it changes.
package mwi

import (
	"fmt"
	"strconv"
	"strings"
)

// ContentType is that of the body that Parse reads and Body writes (RFC 3842 §5.2).
const ContentType = "application/simple-message-summary"

// A Summary is what is told of one extension's voice messages. The zero value is
// that none wait.
type Summary struct {
	Waiting              bool // messages wait, counted or not
	New, Old             int  // voice messages
	UrgentNew, UrgentOld int  // of these
}

// maxMessages bounds a count; what a peer claims beyond is cut to it.
const maxMessages = 99999

// String is the summary for people: "3 new messages, 2 old".
func (s Summary) String() string {
	switch {
	case !s.Waiting && s.Old == 0:
		return "no messages"
	case !s.Waiting:
		return fmt.Sprintf("no new messages, %d old", s.Old)
	case s.New == 0:
		return "messages wait"
	}
	text := fmt.Sprintf("%d new messages", s.New)
	if s.New == 1 {
		text = "1 new message"
	}
	if s.Old > 0 {
		text += fmt.Sprintf(", %d old", s.Old)
	}
	return text
}

// Body writes a summary for a phone. Account is the address that the messages are
// for (RFC 3842 §3.5).
func (s Summary) Body(account string) []byte {
	waiting := "no"
	if s.Waiting {
		waiting = "yes"
	}
	text := "Messages-Waiting: " + waiting + "\r\n"
	if account != "" {
		text += "Message-Account: " + account + "\r\n"
	}
	if s.New+s.Old > 0 {
		text += fmt.Sprintf("Voice-Message: %d/%d (%d/%d)\r\n", s.New, s.Old, s.UrgentNew, s.UrgentOld)
	}
	return []byte(text)
}

// Parse reads a summary, and the account that it is for, empty if it does not say.
// Messages of other kinds (fax, e-mail) are not counted, but may let some wait. The
// error says what is missing.
func Parse(body []byte) (s Summary, account string, err error) {
	told := false
	for _, line := range strings.Split(string(body), "\n") {
		name, value, ok := strings.Cut(line, ":")
		if strings.TrimSpace(line) == "" && told {
			break // what follows is about single messages
		}
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "messages-waiting":
			told, s.Waiting = true, strings.EqualFold(value, "yes")
			if !s.Waiting && !strings.EqualFold(value, "no") {
				return Summary{}, "", fmt.Errorf("Messages-Waiting: %.20q is neither yes nor no (RFC 3842 §5.2)", value)
			}
		case "message-account":
			account = value
		case "voice-message":
			s.New, s.Old, s.UrgentNew, s.UrgentOld = counts(value)
		}
	}
	if !told {
		return Summary{}, "", fmt.Errorf("the body does not say Messages-Waiting: yes or no (RFC 3842 §5.2)")
	}
	return s, account, nil
}

// counts reads "2/8 (0/2)". What is no number is zero.
func counts(value string) (fresh, old, urgentFresh, urgentOld int) {
	all, urgent, _ := strings.Cut(value, "(")
	fresh, old = pair(all)
	urgentFresh, urgentOld = pair(strings.TrimRight(urgent, ") "))
	return fresh, old, urgentFresh, urgentOld
}

func pair(text string) (int, int) {
	a, b, _ := strings.Cut(text, "/")
	return count(a), count(b)
}

func count(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 {
		return 0
	}
	return min(n, maxMessages)
}
