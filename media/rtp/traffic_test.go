package rtp

import "testing"

// What a session has counted stays counted when it is closed, and no count
// falls: a late packet is lost no more, but was told of.
func TestTrafficOfAllSessions(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f, stranger := b.far(signalled), b.far(elsewhere)
		defer f.close()
		defer stranger.close()
		f.talk(2)
		f.seq += 2
		f.talk(1)
		f.bytes([]byte("no RTP"))
		stranger.talk(3)
		b.mouth(1).say(5)
		b.heard.take()
		want := Traffic{Received: 3, Sent: 5, Lost: 2, Strangers: 3, Malformed: 1}
		if got := b.ports.Traffic(); got != want {
			t.Errorf("%+v, not %+v", got, want)
		}
		f.seq -= 2
		f.talk(1)
		f.seq -= 1
		f.talk(1) // the same again
		b.heard.take()
		want.Received, want.Stale = 4, 1
		if got := b.ports.Traffic(); got != want {
			t.Errorf("after a late packet %+v, not %+v", got, want)
		}
		b.Session.Close()
		b.Session.Close()
		if got := b.ports.Traffic(); got != want {
			t.Errorf("after the end %+v, not %+v", got, want)
		}
	})
}
