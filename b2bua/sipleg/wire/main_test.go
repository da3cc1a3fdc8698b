package wire

import (
	"os"
	"testing"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// crlf makes a message of readable text: lines end with CRLF, and a text
// without an empty line gets one.
func crlf(text string) []byte {
	out := make([]byte, 0, len(text)+64)
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' && (i == 0 || text[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, text[i])
	}
	if headLen(out) == 0 {
		out = append(out, '\r', '\n')
	}
	return out
}

func readDoc(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// withLength is a message's headers with the Content-Length that is always written.
func withLength(m sip.Message) []sip.Header {
	var out []sip.Header
	switch m := m.(type) {
	case *sip.Request:
		out = m.Headers()
	case *sip.Response:
		out = m.Headers()
	}
	if m.ContentLength() == nil {
		n := sip.ContentLengthHeader(0)
		out = append(out[:len(out):len(out)], &n)
	}
	return out
}
