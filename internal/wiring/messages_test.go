package wiring

import (
	"testing"

	"crosspoint/b2bua/mwi"
	"crosspoint/dialplan"
)

// What a provider told of a mailbox is forgotten when the file no longer asks for
// it; what others told stays.
func TestMailboxesAreForgotten(t *testing.T) {
	o := &Office{Messages: mwi.NewBoard(nil)}
	waits := mwi.Summary{Waiting: true, New: 1}
	for _, extension := range []string{"101", "102", "103"} {
		if err := o.Messages.Set(extension, waits); err != nil {
			t.Fatal(err)
		}
	}
	with := func(mailboxes ...string) *book {
		var parties dialplan.Config
		for _, m := range mailboxes {
			parties.Peers = append(parties.Peers, dialplan.Peer{Mailbox: m})
		}
		return &book{parties: parties}
	}
	o.forgetMailboxes(with("101", "102", ""), with("102", ""))
	for extension, want := range map[string]mwi.Summary{"101": {}, "102": waits, "103": waits} {
		if got := o.Messages.Of(extension); got != want {
			t.Errorf("%s: %s, want %s", extension, got, want)
		}
	}
}
