package wire

import (
	"errors"
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// parseVia reads the first Via value of s and returns what stands behind the
// comma that ends it (RFC 3261 §20.42). Blanks may stand around the slashes
// and the colon.
func parseVia(s string, h *sip.ViaHeader) (rest string, err error) {
	name, s, ok1 := strings.Cut(s, "/")
	version, s, ok2 := strings.Cut(s, "/")
	if !ok1 || !ok2 {
		return "", errors.New("no protocol")
	}
	h.ProtocolName, h.ProtocolVersion = strings.Trim(name, " \t"), strings.Trim(version, " \t")
	if !strings.EqualFold(h.ProtocolName, "SIP") || h.ProtocolVersion != "2.0" {
		return "", fmt.Errorf("protocol %q", clip(h.ProtocolName+"/"+h.ProtocolVersion))
	}
	s = strings.TrimLeft(s, " \t")
	n := 0
	for n < len(s) && tokenChar[s[n]] {
		n++
	}
	if n == 0 || n == len(s) || s[n] != ' ' && s[n] != '\t' {
		return "", errors.New("no transport")
	}
	h.Transport = s[:n]
	host, s, err := hostAt(strings.TrimLeft(s[n:], " \t"))
	if err != nil {
		return "", errors.New("no host")
	}
	h.Host = strings.Trim(host, "[]")
	if t := strings.TrimLeft(s, " \t"); t != "" && t[0] == ':' {
		if h.Port, s, err = portAt(strings.TrimLeft(t[1:], " \t")); err != nil {
			return "", err
		}
	}
	h.Params, rest, err = parseParams(s, true)
	return rest, err
}
