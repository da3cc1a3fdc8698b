package sdp

import (
	"bytes"
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	pion "github.com/pion/sdp/v3"

	"crosspoint/b2bua/leg"
	"crosspoint/media/g711"
)

// maxLength bounds a description: three codecs need 300 bytes, a browser's 8 KB.
const maxLength = 64 << 10

// refuse is an error as the Cause that goes to the other side (RFC 3261
// §21.4.26 for 488).
func refuse(status int, format string, args ...any) leg.Cause {
	return leg.Cause{Status: status}.Filled().Because("%s", fmt.Sprintf(format, args...))
}

// described is a description that was read: its audio stream, and where that
// stands among the others.
type described struct {
	media []stream // every m= line, in order
	audio int      // index in media of the stream that we talk on; -1: none
}

// stream is an m= line as far as an answer needs it.
type stream struct {
	kind, proto string
	port        int
	formats     []string
	addr        netip.Addr // valid, or
	host        string     // a name
	rtcp        netip.AddrPort
	rtcpPort    int
	mux         bool
	codecs      []codec
	ptime       time.Duration
	direction   Direction // as its sender says it
	directed    bool      // a direction is given
}

// codec is a payload type that we could use.
type codec struct {
	pt     uint8
	law    g711.Law
	events bool
}

// parse reads a description tolerantly: what RFC 2327 writers left out is
// supplied, lines that stand in the wrong order are put right.
func parse(text []byte) (d described, err error) {
	if len(text) > maxLength {
		return d, refuse(413, "session description of %d bytes", len(text))
	}
	if n := bytes.Count(text, []byte("\r")); n > 0 && n != bytes.Count(text, []byte("\r\n")) {
		text = bytes.ReplaceAll(text, []byte("\r"), []byte("\n")) // a CR alone ends a line, too
	}
	var s pion.SessionDescription
	if err := s.Unmarshal(text); err != nil {
		s = pion.SessionDescription{}
		if err = s.Unmarshal(mend(text)); err != nil {
			return d, refuse(400, "session description: %v", err)
		}
	}
	d.audio = -1
	session := sessionLevel(&s)
	written := mediaLines(text)
	for i, m := range s.MediaDescriptions {
		st, err := readStream(m, session)
		if err != nil {
			return d, err
		}
		if len(written) == len(s.MediaDescriptions) {
			st.as(written[i])
		}
		if d.audio < 0 && st.usable() {
			d.audio = i
		}
		d.media = append(d.media, st)
	}
	return d, nil
}

// usable tells that a stream is the kind that we speak: enabled audio over plain RTP.
func (s stream) usable() bool {
	return s.kind == "audio" && s.port != 0 && (strings.EqualFold(s.proto, "RTP/AVP") || strings.EqualFold(s.proto, "RTP/AVPF"))
}

// level is what a description says for all of its streams.
type level struct {
	conn      *pion.ConnectionInformation
	direction Direction
	directed  bool
}

func sessionLevel(s *pion.SessionDescription) level {
	l := level{conn: s.ConnectionInformation}
	l.direction, l.directed = directionOf(s.Attributes)
	return l
}

func readStream(m *pion.MediaDescription, session level) (st stream, err error) {
	st = stream{
		kind: lower(m.MediaName.Media), port: m.MediaName.Port.Value, formats: m.MediaName.Formats,
		proto: strings.Join(m.MediaName.Protos, "/"), ptime: 20 * time.Millisecond,
	}
	if st.port < 0 || st.port > 65535 {
		return st, refuse(400, "session description: port %d", st.port)
	}
	st.direction, st.directed = directionOf(m.Attributes)
	if !st.directed {
		st.direction, st.directed = session.direction, session.directed
	}
	conn := cmp.Or(m.ConnectionInformation, session.conn)
	if conn != nil && conn.Address != nil {
		host, _, _ := strings.Cut(strings.TrimSpace(conn.Address.Address), "/") // multicast TTL
		if a, err := netip.ParseAddr(host); err == nil {
			st.addr = a.Unmap()
		} else {
			st.host = host
		}
	}
	st.readAttributes(m.Attributes)
	st.codecs = codecsOf(m)
	return st, nil
}

// as takes kind, protocol and formats from the m= line as it was written: an
// answer that refuses the stream repeats them.
func (st *stream) as(line string) {
	if f := strings.Fields(line); len(f) >= 3 {
		st.kind, st.proto, st.formats = lower(f[0]), f[2], f[3:]
	}
}

// mediaLines are the values of the m= lines of a description.
func mediaLines(text []byte) (values []string) {
	for line := range bytes.Lines(text) {
		if v, ok := bytes.CutPrefix(line, []byte("m=")); ok {
			values = append(values, strings.TrimSpace(string(v)))
		}
	}
	return values
}

func (st *stream) readAttributes(attributes []pion.Attribute) {
	for _, a := range attributes {
		switch lower(a.Key) {
		case "ptime":
			// RFC 4566 §6; packets of more than 200 ms nobody means.
			if ms, err := strconv.ParseFloat(strings.TrimSpace(a.Value), 64); err == nil && ms >= 5 && ms <= 200 {
				st.ptime = time.Duration(ms) * time.Millisecond
			}
		case "rtcp-mux":
			st.mux = true
		case "rtcp": // RFC 3605: "53020" or "53020 IN IP4 126.16.64.4"
			f := strings.Fields(a.Value)
			if len(f) == 0 {
				continue
			}
			port, err := strconv.ParseUint(f[0], 10, 16)
			if err != nil || port == 0 {
				continue
			}
			st.rtcpPort = int(port)
			if len(f) == 4 {
				if addr, err := netip.ParseAddr(f[3]); err == nil {
					st.rtcp = netip.AddrPortFrom(addr.Unmap(), uint16(port))
				}
			}
		}
	}
}

func directionOf(attributes []pion.Attribute) (Direction, bool) {
	for _, a := range attributes {
		switch lower(a.Key) {
		case "sendrecv":
			return SendRecv, true
		case "sendonly":
			return SendOnly, true
		case "recvonly":
			return RecvOnly, true
		case "inactive":
			return Inactive, true
		}
	}
	return SendRecv, false
}

// codecsOf lists the payload types of an m= line that we can use, in its
// order. The static ones need no rtpmap (RFC 3551 §6).
func codecsOf(m *pion.MediaDescription) (codecs []codec) {
	names := make(map[string]string)
	for _, a := range m.Attributes {
		if lower(a.Key) == "rtpmap" {
			pt, name, _ := strings.Cut(strings.TrimSpace(a.Value), " ")
			names[pt] = strings.ToUpper(strings.TrimSpace(name))
		}
	}
	for _, f := range m.MediaName.Formats {
		pt, err := strconv.ParseUint(f, 10, 7)
		if err != nil {
			continue
		}
		name, mapped := names[f]
		name = strings.TrimSuffix(name, "/1") // one channel
		c := codec{pt: uint8(pt)}
		switch {
		case !mapped && pt == 0, name == "PCMU/8000":
			c.law = g711.MuLaw
		case !mapped && pt == 8, name == "PCMA/8000":
			c.law = g711.ALaw
		case name == "TELEPHONE-EVENT/8000":
			c.events = true
		default:
			continue
		}
		codecs = append(codecs, c)
	}
	return codecs
}

// mend puts the lines of a description into the order of RFC 4566 §5 and adds
// those that it can't do without.
func mend(text []byte) []byte {
	const order = "vosiuepcbtrzka" // §5, session level
	const media = "micbka"         // §5, media level
	var session [256][]string
	var streams [][256][]string
	for line := range bytes.Lines(text) {
		s := strings.TrimRight(string(line), " \t\r\n\x00")
		if len(s) < 2 || s[1] != '=' {
			continue
		}
		key, value := s[0], strings.TrimSpace(s[2:])
		switch {
		case key == 'm':
			streams = append(streams, [256][]string{'m': {known(value)}})
		case len(streams) > 0 && strings.IndexByte(media, key) >= 0:
			st := &streams[len(streams)-1]
			st[key] = append(st[key], value)
		case strings.IndexByte(order, key) >= 0: // session level, or s= and t= behind m=, as printed in 1999
			session[key] = append(session[key], value)
		}
	}
	supply := func(key byte, value string) {
		if len(session[key]) == 0 || session[key][0] == "" {
			session[key] = []string{value}
		}
		session[key] = session[key][:1]
	}
	supply('v', "0")
	supply('o', "- 0 0 IN IP4 0.0.0.0")
	supply('s', "-")
	supply('t', "0 0")
	for _, drop := range "iueprzk" { // nothing that we use, much that may be malformed
		session[drop] = nil
	}
	var b strings.Builder
	put := func(lines *[256][]string, order string) {
		for i := 0; i < len(order); i++ {
			values := lines[order[i]]
			if order[i] == 'c' && len(values) > 1 {
				values = values[:1]
			}
			for _, v := range values {
				b.WriteByte(order[i])
				b.WriteByte('=')
				b.WriteString(v)
				b.WriteString("\r\n")
			}
		}
	}
	put(&session, order)
	for i := range streams {
		streams[i]['i'], streams[i]['k'] = nil, nil
		put(&streams[i], media)
	}
	return []byte(b.String())
}

// known writes the m= line of a stream that we would not use so that the
// library takes it: it refuses a description for a kind or a protocol, such as
// a fax's "image" over "udptl", that it does not know.
func known(line string) string {
	f := strings.Fields(line)
	if len(f) < 4 || strings.EqualFold(f[0], "audio") && strings.HasPrefix(strings.ToUpper(f[2]), "RTP/") {
		return line
	}
	return "application " + f[1] + " RTP/AVP 0"
}

func lower(s string) string { return strings.ToLower(s) }
