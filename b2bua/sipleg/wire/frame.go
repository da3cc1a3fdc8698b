package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxHead bounds the head of a message on a stream, whose end must be found
// before anything else can be known of it.
const maxHead = 32 << 10

var errNoLength = errors.New("no usable Content-Length: the message's end can't be found")

// frame finds the length of the message at the head of a stream by its
// Content-Length (RFC 3261 §18.3); zero: more is needed.
func frame(buf []byte, limit int) (int, error) {
	head := headLen(buf)
	if head == 0 {
		if len(buf) > min(maxHead, limit) {
			return 0, fmt.Errorf("no end of the head within %d bytes: %w", min(maxHead, limit), ErrTooLarge)
		}
		return 0, nil
	}
	body, err := contentLength(buf[:head])
	if err != nil {
		return 0, err
	}
	if body > limit-head {
		return 0, fmt.Errorf("%d bytes: %w", head+body, ErrTooLarge)
	}
	if len(buf) < head+body {
		return 0, nil
	}
	return head + body, nil
}

// headLen is the length of start line, headers and the empty line; zero: not
// all is there. Lines end with CRLF, from some phones with LF alone.
func headLen(buf []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(buf[at:], '\n')
		if i < 0 {
			return 0
		}
		line := buf[at : at+i]
		at += i + 1
		if len(line) == 0 || len(line) == 1 && line[0] == '\r' {
			return at
		}
	}
}

// contentLength reads Content-Length in any of its spellings from a head.
func contentLength(head []byte) (int, error) {
	found := -1
	for line := range bytes.Lines(head) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || !isContentLength(name) {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(string(value)), 10, 31)
		if err != nil || found >= 0 && found != int(n) {
			return 0, errNoLength
		}
		found = int(n)
	}
	if found < 0 {
		return 0, errNoLength
	}
	return found, nil
}

func isContentLength(name []byte) bool {
	name = bytes.TrimRight(name, " \t")
	switch len(name) {
	case 1:
		return name[0] == 'l' || name[0] == 'L'
	case 14:
		return bytes.EqualFold(name, []byte("content-length")) || bytes.EqualFold(name, []byte("content length"))
	}
	return false
}
