package witness

import (
	"fmt"
	"testing"
)

// told is a test that notes how it was ended.
type told struct {
	testing.TB
	skipped, failed string
}

func (t *told) Helper()                           {}
func (t *told) Skipf(format string, args ...any)  { t.skipped = fmt.Sprintf(format, args...) }
func (t *told) Fatalf(format string, args ...any) { t.failed = fmt.Sprintf(format, args...) }

// TestNeed takes the programs away: a test skips, but fails under make test.
func TestNeed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("CROSSPOINT_REAL", "")
	skips := &told{TB: t}
	if Need(skips, "minimodem", "sox"); skips.failed != "" ||
		skips.skipped != "not compared with minimodem and sox: to compare, run: apt-get install minimodem sox" {
		t.Errorf("%+v", skips)
	}
	t.Setenv("CROSSPOINT_REAL", "1")
	fails := &told{TB: t}
	if Need(fails, "minimodem"); fails.skipped != "" || fails.failed != "minimodem is missing; run: apt-get install minimodem" {
		t.Errorf("%+v", fails)
	}
}
