package wiring

import "crosspoint/gateway/callerid"

// callerIDStandard is what the caller_id of a line means to the gateway: the
// office file names the modulation, as line cards' manuals do, and the country
// decides what is sent by it and when. Empty is the country's own standard.
func callerIDStandard(kind, country string) string {
	own := callerid.Of(country)
	switch kind {
	case "bell202":
		return callerid.Bellcore.String()
	case "v23":
		if own == callerid.ETSIAlert {
			return own.String()
		}
		return callerid.ETSI.String()
	case "uk":
		return callerid.BT.String()
	case "japan":
		return callerid.NTT.String()
	case "dtmf":
		switch own {
		case callerid.DTMFA, callerid.DTMFD, callerid.DTMFHash:
			return own.String()
		}
		return callerid.DTMFA.String()
	}
	return ""
}

// or is s, or other if s is empty.
func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
