package media

// MaxPayload is the longest audio payload that is handled: 180 ms, what an
// Ethernet frame holds. A longer one is dropped or cut off.
const MaxPayload = 1440

// A Transcoder is a Sink that converts audio to the law of a stream by the
// table of G.711. What needs no conversion passes untouched.
type Transcoder struct {
	to     Stream
	packet Packet
	buf    [MaxPayload]byte
}

// NewTranscoder returns a transcoder in front of the stream. It serves one
// writer at a time.
func NewTranscoder(to Stream) *Transcoder { return &Transcoder{to: to} }

// Write converts p and hands it on.
func (t *Transcoder) Write(p *Packet) {
	law := t.to.Law()
	if p.Kind != Audio || p.Law == law {
		t.to.Write(p)
		return
	}
	t.packet = *p
	n := p.Law.Convert(t.buf[:], p.Payload)
	t.packet.Payload, t.packet.Law = t.buf[:n], law
	t.to.Write(&t.packet)
}
