package witness

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed csrc/spandsp.c
var spandspSource []byte

// A Spandsp is a program of ours that has libspandsp do what csrc/spandsp.c says.
type Spandsp struct {
	t    testing.TB
	path string
}

// NeedSpandsp compiles the program for the test. Without gcc or libspandsp it
// does what Need does without a program.
func NeedSpandsp(t testing.TB) Spandsp {
	t.Helper()
	s := Spandsp{t, filepath.Join(t.TempDir(), "spandsp")}
	if _, err := exec.LookPath("gcc"); err != nil {
		lacks(t, []string{"gcc"}, []string{"gcc", "libc6-dev", "libspandsp-dev"})
		return s
	}
	cmd := exec.Command("gcc", "-x", "c", "-o", s.path, "-", "-lspandsp", "-lm")
	cmd.Stdin = bytes.NewReader(spandspSource)
	switch out, err := cmd.CombinedOutput(); {
	case err == nil:
	case strings.Contains(string(out), "spandsp.h") || strings.Contains(string(out), "-lspandsp"):
		lacks(t, []string{"libspandsp"}, []string{"libspandsp-dev"})
	default:
		t.Fatalf("csrc/spandsp.c: %v\n%s", err, out)
	}
	return s
}

// Hears is what the program prints of samples.
func (s Spandsp) Hears(pcm []int16, args ...string) string {
	s.t.Helper()
	var in bytes.Buffer
	if args[0] == "dtmf" { // which takes more than one signal
		binary.Write(&in, binary.NativeEndian, uint32(len(pcm))) // to memory: cannot fail
	}
	binary.Write(&in, binary.NativeEndian, pcm)
	return string(s.run(&in, args))
}

// Says is the samples that the program writes.
func (s Spandsp) Says(args ...string) []int16 {
	s.t.Helper()
	raw := s.run(new(bytes.Buffer), args)
	pcm := make([]int16, len(raw)/2)
	if err := binary.Read(bytes.NewReader(raw), binary.NativeEndian, pcm); err != nil {
		s.t.Fatal(err)
	}
	return pcm
}

func (s Spandsp) run(in *bytes.Buffer, args []string) []byte {
	s.t.Helper()
	cmd := exec.Command(s.path, args...)
	cmd.Stdin, cmd.Stderr = in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("spandsp %s: %v", strings.Join(args, " "), err)
	}
	return out
}
