package wire

import "fmt"

// SendBytes sends a message again that Bytes has made: the repetitions of a
// call that is over. The errors are those of Send.
func (l *Layer) SendBytes(data []byte, to Flow) error {
	switch {
	case l.ctx.Err() != nil:
		return fmt.Errorf("%s: %w", to, ErrClosed)
	case to.conn != nil:
		l.counts.sent.Add(1)
		return to.conn.send(outgoing{data: data})
	case to.sock == nil:
		return fmt.Errorf("%s: %w", to, ErrNoSocket)
	}
	l.counts.sent.Add(1)
	if _, err := to.sock.conn.WriteToUDPAddrPort(data, to.remote); err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	return nil
}
