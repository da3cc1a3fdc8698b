package callerid

import "fmt"

// known tells whether b is the type of a message that Parse reads.
func known(b byte) bool {
	switch b {
	case typeSDMF, typeSDMFWaiting, typeMDMF, typeMDMFWaiting:
		return true
	}
	return false
}

// Parse reads a message with its type, length and checksum. Parameters that it
// does not know are passed over, as EN 300 659-3 asks. Errors wrap ErrFormat,
// ErrTruncated or ErrChecksum; what a wrong checksum covers is not used.
func Parse(m []byte) (CallerID, error) {
	if len(m) < 2 {
		return CallerID{}, fmt.Errorf("caller ID of %d bytes: %w", len(m), ErrTruncated)
	}
	if !known(m[0]) {
		return CallerID{}, fmt.Errorf("caller ID of type 0x%02x: %w", m[0], ErrFormat)
	}
	end := 2 + int(m[1])
	if len(m) < end+1 {
		return CallerID{}, fmt.Errorf("caller ID ends after %d of %d bytes: %w", len(m), end+1, ErrTruncated)
	}
	if want := -sum(m[:end]); m[end] != want {
		return CallerID{}, fmt.Errorf("caller ID of %d bytes has checksum 0x%02x instead of 0x%02x: %w", end+1, m[end], want, ErrChecksum)
	}
	body := m[2:end]
	switch m[0] {
	case typeSDMF:
		return parseSDMF(body)
	case typeSDMFWaiting:
		return parseLamp(body)
	}
	return parseMDMF(body)
}

func parseSDMF(body []byte) (CallerID, error) {
	var c CallerID
	if len(body) < 9 {
		return c, fmt.Errorf("caller ID has %d bytes for time and number: %w", len(body), ErrFormat)
	}
	c.Time = parseTime(body)
	c.setNumber(string(body[8:]))
	return c, c.check()
}

// parseLamp reads the body of an SDMF message-waiting indication: three times
// 0x42 is on, three times 0x6f is off (GR-30).
func parseLamp(body []byte) (CallerID, error) {
	switch string(body) {
	case "BBB":
		return CallerID{Waiting: MessagesWait}, nil
	case "ooo":
		return CallerID{Waiting: NoMessagesWait}, nil
	}
	return CallerID{}, fmt.Errorf("message lamp is neither on nor off in % x: %w", body, ErrFormat)
}

func parseMDMF(body []byte) (CallerID, error) {
	var c CallerID
	for i := 0; i < len(body); {
		if i+2 > len(body) || i+2+int(body[i+1]) > len(body) {
			return CallerID{}, fmt.Errorf("caller ID parameter 0x%02x is longer than its message: %w", body[i], ErrFormat)
		}
		c.param(body[i], body[i+2:i+2+int(body[i+1])])
		i += 2 + int(body[i+1])
	}
	return c, c.check()
}

// param takes one parameter of an MDMF message.
func (c *CallerID) param(kind byte, v []byte) {
	switch kind {
	case paramTime:
		c.Time = parseTime(v)
	case paramNumber:
		c.setNumber(string(v))
	case paramDialed:
		c.Dialed = printable(v)
	case paramNumberAbsent:
		c.NumberAbsent = absence(v)
	case paramName:
		c.Name = printable(v)
	case paramNameAbsent:
		c.NameAbsent = absence(v)
	case paramRedirecting:
		c.Redirecting = printable(v)
	case paramWaiting:
		if len(v) == 1 {
			c.Waiting = NoMessagesWait
			if v[0] != 0 {
				c.Waiting = MessagesWait
			}
		}
	}
}

// setNumber takes a number, or the reason that some exchanges write in its place.
func (c *CallerID) setNumber(s string) {
	if s == "O" || s == "P" {
		c.NumberAbsent = Absence(s[0])
		return
	}
	c.Number = printable([]byte(s))
}

// check refuses a message that tells nothing.
func (c *CallerID) check() error {
	if !c.OfCall() && c.Waiting == 0 {
		return fmt.Errorf("caller ID tells neither number nor name nor why: %w", ErrFormat)
	}
	return nil
}

func absence(v []byte) Absence {
	if len(v) == 1 && v[0] == byte(Private) {
		return Private
	}
	return Unavailable
}

// parseTime reads MMDDHHMM at the beginning of v; the zero Time if it is none.
func parseTime(v []byte) Time {
	if len(v) < 8 {
		return Time{}
	}
	var n [4]int
	for i, b := range v[:8] {
		if b < '0' || b > '9' {
			return Time{}
		}
		n[i/2] = 10*n[i/2] + int(b-'0')
	}
	t := Time{n[0], n[1], n[2], n[3]}
	if !t.valid() {
		return Time{}
	}
	return t
}

// printable is the printable ASCII of v: what may go into a log or a SIP header.
func printable(v []byte) string {
	s := make([]byte, 0, len(v))
	for _, b := range v {
		switch {
		case b > 0x7e:
			s = append(s, '?') // alphabets differ by country above ASCII
		case b >= ' ':
			s = append(s, b)
		}
	}
	return string(s)
}
