// Package witness lets tests hear what independent programs say of our signals.
// The programs are Debian packages that `make test` installs.
package witness

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"crosspoint/media/wav"
)

// Need skips the test if one of the programs is missing, and names what to
// install. With CROSSPOINT_REAL=1, as `make test` sets it, it fails instead.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	var missing []string
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing = append(missing, p)
		}
	}
	if len(missing) > 0 {
		lacks(t, missing, missing)
	}
}

// lacks skips the test or fails, as Need has it.
func lacks(t testing.TB, what, packages []string) {
	t.Helper()
	if os.Getenv("CROSSPOINT_REAL") == "" {
		t.Skipf("not compared with %s: to compare, run: apt-get install %s", strings.Join(what, " and "), strings.Join(packages, " "))
		return
	}
	t.Fatalf("%s is missing; run: apt-get install %s", strings.Join(what, " and "), strings.Join(packages, " "))
}

// WAV writes pcm to a file that lasts as long as the test, and gives its path.
func WAV(t testing.TB, pcm []int16) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signal.wav")
	Save(t, path, pcm)
	return path
}

// Save writes pcm to a WAV file.
func Save(t testing.TB, path string, pcm []int16) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := wav.NewWriter(f, wav.Format{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(pcm); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// Load is what a program wrote to a WAV file.
func Load(t testing.TB, path string) []int16 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pcm, err := wav.Load(f)
	if err != nil {
		t.Fatal(err)
	}
	return pcm
}

// Run runs a shell command with the arguments as $1, $2 … and gives what it
// printed. That the programs end with an error at the end of a file is no failure.
func Run(t testing.TB, stdin, command string, args ...string) string {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", command, "sh"}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.Output()
	if err != nil && len(out) == 0 {
		t.Logf("%s: %v", command, err)
	}
	return string(out)
}
