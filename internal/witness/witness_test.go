package witness

import (
	"fmt"
	"os"
	"path/filepath"
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

// TestNeedSpandsp takes the compiler away, and then leaves one that finds no library.
func TestNeedSpandsp(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	t.Setenv("CROSSPOINT_REAL", "")
	skips := &told{TB: t}
	if NeedSpandsp(skips); skips.failed != "" || skips.skipped != "not compared with gcc: to compare, run: apt-get install gcc libc6-dev libspandsp-dev" {
		t.Errorf("%+v", skips)
	}
	gcc := "#!/bin/sh\necho 'fatal error: spandsp.h: No such file or directory'\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "gcc"), []byte(gcc), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CROSSPOINT_REAL", "1")
	fails := &told{TB: t}
	if NeedSpandsp(fails); fails.skipped != "" || fails.failed != "libspandsp is missing; run: apt-get install libspandsp-dev" {
		t.Errorf("%+v", fails)
	}
}
