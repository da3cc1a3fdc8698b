package interop

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBaresipShowsMessages: baresip registers and subscribes to its messages; it
// shows those that wait as it comes, and that none wait any more. Its module is
// loaded first: baresip 1.0 subscribes without end if it is registered within 1 ms
// after that.
func TestBaresipShowsMessages(t *testing.T) {
	real(t, "baresip")
	x := start(t, twoPhones)
	x.messages("101", "2")
	b := runBaresip(t, baresipAccount(x, "udp", ";mwi=yes"), nil, "aubridge,nowhere", "mwi")
	b.shows("Messages-Waiting: yes", "Voice-Message: 2/0")
	x.messages("102", "9") // not its own
	x.messages("101", "0")
	b.shows("Messages-Waiting: no")
	x.stop() // before baresip, which answers the last NOTIFY
}

// messages notes how many new messages an extension has, as `crosspoint messages`
// does.
func (x *exchange) messages(extension, fresh string) {
	x.t.Helper()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", x.socket)
	}}
	res, err := (&http.Client{Transport: transport, Timeout: 5 * time.Second}).PostForm("http://crosspoint/messages",
		url.Values{"extension": {extension}, "new": {fresh}})
	if err != nil {
		x.t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK {
		x.t.Fatalf("messages %s %s: %s", extension, fresh, text)
	}
}

// shows waits until the latest summary of messages that baresip has printed has
// these lines.
func (b *baresip) shows(lines ...string) {
	b.t.Helper()
	eventually(b.t, "baresip shows "+strings.Join(lines, ", "), 10*time.Second, func() bool {
		said := b.log.String()
		at := strings.LastIndex(said, "----- MWI for ")
		return at >= 0 && !slices.ContainsFunc(lines, func(line string) bool { return !strings.Contains(said[at:], line) })
	})
}
