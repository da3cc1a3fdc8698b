package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	if err := goleak.Find(); err != nil && code == 0 {
		os.Stderr.WriteString(err.Error() + "\n")
		code = 1
	}
	os.Exit(code)
}

// packageOf is the Debian package that brings a program.
var packageOf = map[string]string{"sipp": "sip-tester", "baresip": "baresip-core", "git": "git", "make": "make", "gcc": "gcc libc6-dev"}

// real tells that a test talks to real programs: it is skipped unless
// CROSSPOINT_REAL=1, and then fails if one of them is missing.
func real(t *testing.T, programs ...string) {
	t.Helper()
	var packages []string
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			packages = append(packages, packageOf[p])
		}
	}
	install := "apt-get install " + strings.Join(packages, " ")
	switch {
	case os.Getenv("CROSSPOINT_REAL") == "" && len(packages) > 0:
		t.Skipf("needs CROSSPOINT_REAL=1 and: %s", install)
	case os.Getenv("CROSSPOINT_REAL") == "":
		t.Skip("talks to real programs: needs CROSSPOINT_REAL=1, or run: make test")
	case len(packages) > 0:
		t.Fatalf("missing programs; run: %s", install)
	}
}

// built is the exchange's program, built once for all tests.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// program is the path of the exchange's program as it is delivered: without
// the race detector, which would measure itself.
func program(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "crosspoint-interop"); built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-o", filepath.Join(built.dir, "crosspoint"), "./cmd/crosspoint")
		build.Dir = "../.."
		if out, err := build.CombinedOutput(); err != nil {
			built.err = err
			os.Stderr.Write(out)
		}
	})
	if built.err != nil {
		t.Fatalf("go build ./cmd/crosspoint: %v", built.err)
	}
	return filepath.Join(built.dir, "crosspoint")
}

// eventually waits in real time, for real programs are waited for.
func eventually(t *testing.T, what string, patience time.Duration, true func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !true(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %v still not: %s", patience, what)
		}
	}
}
