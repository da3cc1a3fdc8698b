package interop

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// An ear is the loudspeaker of a baresip: an ALSA device that writes into a
// pipe. The pipe is short and read at the pace of a sound card, so that baresip
// plays in real time without one.
type ear struct {
	config string // ALSA's configuration, which has the device "ear"
	pipe   *os.File
	done   chan struct{}

	mu  sync.Mutex
	pcm []int16
}

func openEar(t *testing.T, dir string) *ear {
	t.Helper()
	path := filepath.Join(dir, "ear")
	e := &ear{config: filepath.Join(dir, "asound.conf"), done: make(chan struct{})}
	text := fmt.Sprintf("pcm.nothing { type null }\npcm.ear { type file file %q format \"raw\" slave.pcm \"nothing\" }\n", path)
	if err := os.WriteFile(e.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if e.pipe, err = os.OpenFile(path, os.O_RDWR, 0); err != nil { // nobody waits for the other end
		t.Fatal(err)
	}
	raw, err := e.pipe.SyscallConn() // Fd would make reads block, also for Close
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { _, err = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, 4096) }); err != nil { // a quarter of a second
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	go e.listen() // ended by the clean-up
	t.Cleanup(func() {
		e.pipe.Close()
		<-e.done
	})
	return e
}

func (e *ear) listen() {
	defer close(e.done)
	var frame [320]byte
	for next := time.Now(); ; {
		n, err := e.pipe.Read(frame[:])
		if err != nil {
			return
		}
		e.mu.Lock()
		for i := 0; i+1 < n; i += 2 {
			e.pcm = append(e.pcm, int16(binary.LittleEndian.Uint16(frame[i:])))
		}
		e.mu.Unlock()
		if late := time.Since(next); late > time.Second { // nothing was played for a while
			next = time.Now()
		}
		next = next.Add(20 * time.Millisecond)
		time.Sleep(time.Until(next)) // a sound card's pace
	}
}

// heard is all that was played.
func (e *ear) heard() []int16 { return e.since(0) }

// mark is now, for since.
func (e *ear) mark() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.pcm)
}

// since is what was played after a mark.
func (e *ear) since(mark int) []int16 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return since(mark, e.pcm)
}
