package lab

import (
	"strings"
	"testing"
	"time"

	"crosspoint/gateway/linesim"
)

// The exchange in the town gets the hook-flash of a telephone that may give one, by
// keys during the talk and after the telephone's own flash, and the talk goes on.
func TestFlashToTheTown(t *testing.T) {
	lines := []linesim.LineConfig{{Reversal: true, Flash: time.Second}, {Reversal: true}}
	flashes := func(o *analogOffice) (n int) {
		for _, e := range o.Town.Events() {
			if e.Where == "fxo1" && strings.HasPrefix(e.What, "flash") {
				n++
			}
		}
		return n
	}
	analog(t, analogCase{lines: lines, keys: map[string]string{"Kitchen": "line_flash = true"}}, func(o *analogOffice) {
		o.townCalls("fxo1", "2015550123")
		o.answers("kitchen")
		o.townTalks("fxo1")
		o.dialsOn("kitchen", "*0")
		o.eventually("the town has a flash", func() bool { return flashes(o) == 1 })
		time.Sleep(time.Second)
		o.talk("kitchen fxo1")
		o.flashes("kitchen")
		o.dialsOn("kitchen", "*0")
		o.eventually("the town has another flash", func() bool { return flashes(o) == 2 })
		time.Sleep(time.Second)
		o.talk("kitchen fxo1")
		o.down("kitchen")
		o.free("fxo1")
	})
}
