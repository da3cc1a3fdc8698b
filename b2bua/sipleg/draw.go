package sipleg

import (
	"strconv"

	"github.com/emiago/sipgo/sip"
)

// drawStatus is a response in a ladder: "200", "183 (SDP)".
func drawStatus(res *sip.Response) string {
	text := strconv.Itoa(res.StatusCode)
	if res.StatusCode > 100 && res.StatusCode < 200 && len(res.Body()) > 0 {
		text += " (SDP)"
	}
	return text
}

// fresh tells whether a response is drawn: not if it is a repetition, or says
// again what its dialog has said.
func (r *request) fresh(res *sip.Response) bool {
	key := drawStatus(res) + toTag(res)
	if res.StatusCode < 200 {
		key += value(res, "RSeq")
	}
	for _, k := range r.drawn {
		if k == key {
			return false
		}
	}
	if len(r.drawn) < 50 { // a callee that rings for hours need not be remembered whole
		r.drawn = append(r.drawn, key)
	}
	return true
}
