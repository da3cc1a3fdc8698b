package main

import (
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"time"

	"crosspoint/internal/exposition"
)

// showProcess tells of the process and of the Go runtime, by the names that
// Prometheus' own client libraries give. What this system does not tell is left
// out: /proc is Linux's.
func showProcess(p *exposition.Page, started time.Time) {
	p.One(exposition.Gauge, "process_start_time_seconds", "When the exchange was started, in seconds since 1970", float64(started.UnixMilli())/1000)
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		p.One(exposition.Counter, "process_cpu_seconds_total", "Processor time used, by the program and by the system for it",
			time.Duration(u.Utime.Nano()+u.Stime.Nano()).Seconds())
	}
	if pages, ok := residentPages(); ok {
		p.One(exposition.Gauge, "process_resident_memory_bytes", "Memory that the process occupies", float64(pages*uint64(os.Getpagesize())))
	}
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		p.One(exposition.Gauge, "process_open_fds", "Open files and sockets", float64(len(files)))
	}
	var most syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &most) == nil {
		p.One(exposition.Gauge, "process_max_fds", "How many files and sockets the process may open", float64(most.Cur))
	}
	p.One(exposition.Gauge, "go_goroutines", "Goroutines", float64(runtime.NumGoroutine()))
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	if metrics.Read(heap); heap[0].Value.Kind() == metrics.KindUint64 {
		p.One(exposition.Gauge, "go_memstats_heap_alloc_bytes", "Memory in use for Go objects", float64(heap[0].Value.Uint64()))
	}
}

// residentPages is the resident set size of proc_pid_statm(5); false: not known.
func residentPages() (uint64, bool) {
	text, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return 0, false
	}
	n, err := strconv.ParseUint(fields[1], 10, 64)
	return n, err == nil
}
