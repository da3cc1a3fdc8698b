package softphone

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"crosspoint/media/g711"
)

// eventType is the payload type that the telephone offers telephone-events with.
const eventType = 101

// describe is the session description of the telephone (RFC 4566), its codecs
// in the order in which it wants them.
func describe(local netip.AddrPort, laws ...g711.Law) []byte {
	family := "IP4"
	if local.Addr().Is6() {
		family = "IP6"
	}
	var types, maps strings.Builder
	for _, law := range laws {
		fmt.Fprintf(&types, " %d", payloadType(law))
		fmt.Fprintf(&maps, "a=rtpmap:%d %s/8000\r\n", payloadType(law), law)
	}
	return fmt.Appendf(nil, "v=0\r\no=- 1 1 IN %[1]s %[2]s\r\ns=-\r\nc=IN %[1]s %[2]s\r\nt=0 0\r\n"+
		"m=audio %[3]d RTP/AVP%[4]s %[5]d\r\n%[6]sa=rtpmap:%[5]d telephone-event/8000\r\na=fmtp:%[5]d 0-15\r\n"+
		"a=ptime:20\r\na=sendrecv\r\n",
		family, local.Addr(), local.Port(), types.String(), eventType, maps.String())
}

func payloadType(law g711.Law) uint8 {
	if law == g711.ALaw {
		return 8
	}
	return 0
}

// session is what a received description says of its audio.
type session struct {
	remote netip.AddrPort
	laws   []g711.Law // in order of preference
}

var errNoAudio = errors.New("softphone: session description without G.711 audio")

// readSession finds the first audio line and where it wants its packets.
func readSession(body []byte) (session, error) {
	var s session
	var host string
	var port int
	inAudio := false
	lines := bufio.NewScanner(bytes.NewReader(body))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if connection, ok := strings.CutPrefix(line, "c="); ok && (port == 0 || inAudio) {
			if fields := strings.Fields(connection); len(fields) == 3 {
				host = fields[2]
			}
			continue
		}
		media, ok := strings.CutPrefix(line, "m=")
		if !ok {
			continue
		}
		fields := strings.Fields(media)
		inAudio = port == 0 && len(fields) > 3 && fields[0] == "audio"
		if !inAudio {
			continue
		}
		port, _ = strconv.Atoi(fields[1])
		for _, pt := range fields[3:] {
			switch pt {
			case "0":
				s.laws = append(s.laws, g711.MuLaw)
			case "8":
				s.laws = append(s.laws, g711.ALaw)
			}
		}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || port <= 0 || port > 65535 || len(s.laws) == 0 {
		return session{}, errNoAudio
	}
	s.remote = netip.AddrPortFrom(addr, uint16(port))
	return s, nil
}
