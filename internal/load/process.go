//go:build linux

package load

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Place is where a program runs.
type Place struct {
	Cores  string   // such as "0" or "0,1"; empty: all
	First  bool     // before other programs, so that these disturb less
	Env    []string // added to its environment
	LogDir string   // what it says goes to a file there
}

// Start runs a program. It ends with us.
func (at Place) Start(program string, args ...string) (*exec.Cmd, error) {
	name := filepath.Join(at.LogDir, filepath.Base(program)+".log")
	if at.Cores != "" {
		program, args = "taskset", append([]string{"-c", at.Cores, program}, args...)
	}
	if at.First {
		program, args = "nice", append([]string{"-n", "-20", program}, args...)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), at.Env...)
	out, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setsid: at.First}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if at.First {
		ahead(cmd.Process.Pid)
	}
	return cmd, nil
}

// Stop ends a program, with force if it does not end by itself.
func Stop(cmd *exec.Cmd) error {
	if cmd == nil || cmd.Process == nil {
		return nil
	}
	cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }() // ends with the process
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		cmd.Process.Kill()
		<-done
	}
	return nil
}

// ahead puts the session of a process before others where the kernel shares
// time among sessions first (sched(7), autogroup): there a nice value counts
// only within one. Elsewhere there is nothing to do.
func ahead(pid int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/autogroup", pid), []byte("-20"), 0)
}

// Stay keeps this process to some cores, and gives it the place's priority.
// (Not SCHED_FIFO: rtpengine and Go's runtime both spin while they wait for a
// lock, and come to a standstill when its holder never runs.)
func (at Place) Stay() error {
	var set unix.CPUSet
	for _, c := range strings.Split(at.Cores, ",") {
		if n, err := strconv.Atoi(c); err == nil {
			set.Set(n)
		}
	}
	if at.First {
		unix.Setsid() // fails if we lead a group already: then our session is ours alone as a rule
		ahead(os.Getpid())
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range tasks {
		id, _ := strconv.Atoi(t.Name())
		if at.Cores != "" {
			if err := unix.SchedSetaffinity(id, &set); err != nil {
				return os.NewSyscallError("sched_setaffinity", err)
			}
		}
		if at.First {
			if err := unix.Setpriority(unix.PRIO_PROCESS, id, -20); err != nil {
				return os.NewSyscallError("setpriority", err)
			}
		}
	}
	return nil
}

// Usage is what a process has taken so far.
type Usage struct {
	CPU     time.Duration // of all its threads
	RSS     int64         // bytes
	Threads int
	Files   int // descriptors
}

// machineBusy is how much time all processors together have spent on anything
// but idling.
func machineBusy() (time.Duration, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	const idle, iowait, guest, tick = 3, 4, 8, 10 * time.Millisecond // guest's time is user's, too
	var busy int64
	for i, word := range strings.Fields(line)[1:] {
		if i == idle || i == iowait || i >= guest {
			continue
		}
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat: %w", err)
		}
		busy += n
	}
	return time.Duration(busy) * tick, nil
}

// UsageOf reads it from /proc.
func UsageOf(pid int) (Usage, error) {
	var u Usage
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, fmt.Errorf("the relay is gone: %w", err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+2:])) // from field 3 on
	const utime, stime, threads, rss, tick = 14 - 3, 15 - 3, 20 - 3, 24 - 3, 10 * time.Millisecond
	number := func(i int) int64 { n, _ := strconv.ParseInt(fields[i], 10, 64); return n }
	u.CPU = time.Duration(number(utime)+number(stime)) * tick
	u.RSS = number(rss) * int64(os.Getpagesize())
	u.Threads = int(number(threads))
	if fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)); err == nil {
		u.Files = len(fds)
	}
	return u, nil
}
