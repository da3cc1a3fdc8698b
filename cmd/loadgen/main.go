//go:build linux

// Command loadgen measures what the exchange carries: it sets up real calls by
// SIP, speaks and listens at both ends of each, and raises their number until
// packets are lost or late. It measures rtpengine in the same run by the same
// rules if that is installed. The table is printed; -out names where the JSON
// and the plot go.
//
//	loadgen -crosspoint bin/crosspoint -out out/bench
package main

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"crosspoint/internal/load"
	"crosspoint/internal/load/design"
)

// options are what the command line says.
type options struct {
	program string
	out     string
	relays  string
	levels  string
	cores   string
	rates   string
	step    int
	runs    int
	length  time.Duration
	limit   time.Duration
	most    int  // calls of all levels
	add     bool // keep what load.json has and is not measured now
}

func main() {
	var o options
	flag.StringVar(&o.program, "crosspoint", "bin/crosspoint", "the `program` to measure")
	flag.StringVar(&o.out, "out", "out/bench", "`directory` for load.json, load.md, cost.svg and the programs' logs")
	flag.StringVar(&o.relays, "relays", "none,crosspoint,rtpengine", "what to measure; none is the generator by itself; rtpengine is left out if it is not installed; NAME=PATH is another build of the exchange; bare-NAME is a design of decision 10; empty: with -add, only the table and the plot are made anew: "+strings.Join(design.Names(), ", "))
	flag.StringVar(&o.levels, "levels", "10,30,100,300,500,1000,1500,2000,2500,3000", "numbers of calls to measure, before the search between the last two")
	flag.StringVar(&o.cores, "cores", "one,all", "one: the relay on core 0, the generator on core 1; all: both on all cores")
	flag.StringVar(&o.rates, "rates", "500,1000,1500,2000,2500,3000", "calls per second to set up and tear down; empty: none")
	flag.BoolVar(&o.add, "add", false, "keep what load.json has and this run does not measure")
	flag.IntVar(&o.step, "step", 50, "how exactly to search, in `calls`")
	flag.IntVar(&o.runs, "runs", 3, "`runs` of each number of calls, of which the median counts")
	flag.DurationVar(&o.length, "for", 2*time.Second, "`length` of a run")
	flag.DurationVar(&o.limit, "limit", 20*time.Minute, "`time` after which the bench gives up")
	serve := flag.Bool("serve", false, "be a bare relay, for the bench itself")
	flag.Parse()
	if *serve {
		if err := load.Serve(flag.Args()); err != nil {
			fmt.Fprintln(os.Stderr, "loadgen:", err)
			os.Exit(1)
		}
		return
	}
	time.AfterFunc(o.limit, func() {
		fmt.Fprintln(os.Stderr, "loadgen: not done after", o.limit)
		os.Exit(1) // the programs under test end with us
	})
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
}

func (o *options) run() error {
	levels, err := numbers(o.levels)
	if err != nil {
		return err
	}
	o.most = max(4, slices.Max(append(levels, 0)))
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	report := &load.Report{When: time.Now(), Machine: load.ThisMachine(), Goal: "loss < 0.1 %, p99 added delay < 20 ms, 20 ms PCMU both ways, loopback"}
	pump, err := load.NewPump(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		return err
	}
	defer pump.Close()
	bench := &load.Bench{Pump: pump, For: o.length, Runs: o.runs, Tell: func(f string, a ...any) { fmt.Printf(f+"\n", a...) }}
	for _, cores := range strings.Split(o.cores, ",") {
		if err := o.generatorFor(cores); err != nil {
			return err
		}
		for _, relay := range strings.FieldsFunc(o.relays, func(r rune) bool { return r == ',' }) {
			part, err := o.measure(bench, relay, cores, levels)
			if errors.Is(err, exec.ErrNotFound) {
				fmt.Println(relay, "is not installed: left out (Debian: apt-get install rtpengine-daemon)")
				continue
			}
			if err != nil {
				return err
			}
			report.Relays = append(report.Relays, part)
		}
	}
	if report.SetUp, err = o.setUp(pump); err != nil {
		return err
	}
	if o.add {
		earlier, err := load.ReadReport(filepath.Join(o.out, "load.json"))
		if err != nil {
			return err
		}
		report.Add(earlier)
	}
	return o.write(report)
}

// place is where the relay runs.
func (o *options) place(cores string) load.Place {
	p := load.Place{First: true, LogDir: o.out, Env: []string{"GOMAXPROCS=" + strconv.Itoa(count(cores))}}
	if cores == "one" {
		p.Cores = "0"
	}
	return p
}

func count(cores string) int {
	if cores == "one" {
		return 1
	}
	return runtime.NumCPU()
}

// generatorFor puts this process where the relay is not, or everywhere.
func (o *options) generatorFor(cores string) error {
	p := load.Place{First: true, Cores: "1"}
	if cores != "one" {
		all := make([]string, runtime.NumCPU())
		for i := range all {
			all[i] = strconv.Itoa(i)
		}
		p.Cores = strings.Join(all, ",")
	}
	if err := p.Stay(); err != nil {
		return fmt.Errorf("%w: the bench needs two cores, and root to run before other programs", err)
	}
	return nil
}

// start starts a relay.
func (o *options) start(relay, cores string, pump *load.Pump) (load.Target, error) {
	_, program, another := strings.Cut(relay, "=")
	bare, isBare := strings.CutPrefix(relay, "bare-")
	switch {
	case isBare:
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		return load.StartBare(o.place(cores), self, bare, count(cores), o.most, pump.Addr)
	case relay == "none":
		return load.Direct{Pump: pump}, nil
	case relay == "crosspoint":
		return load.StartExchange(o.place(cores), o.program, "warn", pump.Addr)
	case another:
		return load.StartExchange(o.place(cores), program, "warn", pump.Addr)
	case relay == "rtpengine":
		if _, err := exec.LookPath(relay); err != nil {
			return nil, err
		}
		return load.StartEngine(o.place(cores), count(cores), pump.Addr)
	}
	return nil, fmt.Errorf("no relay is called %q: there are none, crosspoint, rtpengine, and NAME=PATH for another build of the exchange", relay)
}

func (o *options) measure(b *load.Bench, relay, cores string, levels []int) (load.RelayPart, error) {
	name, _, _ := strings.Cut(relay, "=")
	part := load.RelayPart{Relay: name, Cores: count(cores)}
	t, err := o.start(relay, cores, b.Pump)
	if err != nil {
		return part, err
	}
	fmt.Printf("%s, cores: %s\n", relay, cores)
	part.Best, part.Points, err = b.Climb(t, levels, o.step)
	if err == nil {
		part.Half, err = b.Half(t, part.Best)
	}
	b.Pump.Talk(nil)
	if closing := t.Close(); err == nil {
		err = closing
	}
	return part, err
}

// setUp raises the rate of calls on one core until one fails or is repeated,
// twice.
func (o *options) setUp(pump *load.Pump) ([]load.Rate, error) {
	rates, err := numbers(o.rates)
	if err != nil || len(rates) == 0 {
		return nil, err
	}
	if err := o.generatorFor("one"); err != nil {
		return nil, err
	}
	t, err := o.start("crosspoint", "one", pump)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	fmt.Println("calls set up and torn down on one core")
	var all []load.Rate
	number := 0
	for _, rate := range rates {
		var r load.Rate
		for range 2 {
			if r, err = t.(*load.Exchange).SetUp(float64(rate), o.length, number); err != nil {
				return all, err
			}
			number += r.Calls
			fmt.Printf("  %5d calls/s: %d failed, %d repeated, set-up p50 %.2f p99 %.2f ms, %.2f cores\n", rate, r.Failed, r.Repeated, r.P50, r.P99, r.Cores)
			if r.Passed {
				break
			}
		}
		all = append(all, r)
		if !r.Passed {
			break
		}
	}
	return all, nil
}

// write leaves the report in files, and prints the table.
func (o *options) write(r *load.Report) error {
	files := map[string]func(*os.File) error{
		"load.json": func(f *os.File) error { return r.WriteJSON(f) },
		"load.md":   func(f *os.File) error { return r.WriteTable(f) },
		"cost.svg":  func(f *os.File) error { return load.Plot(f, r.Relays) },
	}
	for name, write := range files {
		f, err := os.Create(filepath.Join(o.out, name))
		if err != nil {
			return err
		}
		err = write(f)
		if closing := f.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return err
		}
	}
	fmt.Println()
	return r.WriteTable(os.Stdout)
}

// numbers reads "10,30,100".
func numbers(s string) ([]int, error) {
	var all []int
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(word)
		if err != nil || n <= 0 {
			return nil, fmt.Errorf("%q is not a list of numbers", s)
		}
		all = append(all, n)
	}
	return all, nil
}
