//go:build linux

package load

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A Report is what a run of the bench found, as it is written to JSON.
type Report struct {
	When    time.Time   `json:"when"`
	Machine Machine     `json:"machine"`
	Goal    string      `json:"goal"`
	Relays  []RelayPart `json:"relays"`
	SetUp   []Rate      `json:"set_up"`
}

// A RelayPart is one relay on one set of cores.
type RelayPart struct {
	Relay  string  `json:"relay"`
	Cores  int     `json:"cores"`
	Best   Point   `json:"best"`
	Half   Point   `json:"half"` // at half of the best
	Points []Point `json:"points"`
}

// Machine is where the bench ran.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
	Load   string `json:"load_average"` // others may share the machine
}

// ThisMachine describes it.
func ThisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), Go: runtime.Version()}
	info, _ := os.ReadFile("/proc/cpuinfo")
	for _, line := range strings.Split(string(info), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	m.Kernel = strings.TrimSpace(string(kernel))
	load, _ := os.ReadFile("/proc/loadavg")
	m.Load = strings.TrimSpace(string(load))
	return m
}

// WriteJSON writes the report.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// perCall is the memory of a call in kB where most calls were measured; zero:
// it is not known, or the relay sets up none.
func (p *RelayPart) perCall() float64 {
	if p.Relay == "none" || strings.HasPrefix(p.Relay, "bare-") {
		return 0
	}
	kB, most := 0.0, 0
	for _, q := range p.Points {
		if q.PerCall > 0 && q.Calls > most {
			kB, most = q.PerCall, q.Calls
		}
	}
	return kB
}

// Add takes over what an earlier report of the same machine has and this one
// has not: relays on other numbers of cores, and the rates of calls. The report
// began when the earlier one did.
func (r *Report) Add(earlier *Report) {
	r.When, r.Machine = earlier.When, earlier.Machine
	for _, p := range earlier.Relays {
		measured := func(q RelayPart) bool { return q.Relay == p.Relay && q.Cores == p.Cores }
		if !slices.ContainsFunc(r.Relays, measured) {
			r.Relays = append(r.Relays, p)
		}
	}
	slices.SortStableFunc(r.Relays, func(a, b RelayPart) int { return a.Cores - b.Cores })
	if r.SetUp == nil {
		r.SetUp = earlier.SetUp
	}
}

// ReadReport reads what WriteJSON wrote.
func ReadReport(file string) (*Report, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := new(Report)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

// WriteTable writes the report as Markdown.
func (r *Report) WriteTable(w io.Writer) error {
	fmt.Fprintf(w, "%s, %d cores, Linux %s, %s; %s; load average as it began: %s\n\n",
		r.Machine.CPU, r.Machine.Cores, r.Machine.Kernel, r.Machine.Go, r.When.Format("2006-01-02"), r.Machine.Load)
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintf(t, "| Relay\t| cores\t| calls carried\t| loss\t| p50 / p99 / p99.9 added\t| the same at half\t| CPU-s per 1,000 pkt/s\t| at half\t| memory a call\t| generator late, p99\t| other programs\t|\n")
	fmt.Fprintf(t, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|\n")
	for _, p := range r.Relays {
		b, h := p.Best, p.Half
		memory := ""
		if kB := p.perCall(); kB > 0 {
			memory = fmt.Sprintf("%.0f kB", kB)
		}
		fmt.Fprintf(t, "| %s\t| %d\t| %d\t| %.3f %%\t| %.2f / %.2f / %.2f ms\t| %.2f / %.2f / %.2f ms\t| %.4f\t| %.4f\t| %s\t| %.2f ms\t| %.2f cores\t|\n",
			p.Relay, p.Cores, b.Calls, 100*b.Loss, b.P50, b.P99, b.P999, h.P50, h.P99, h.P999, b.CPU, h.CPU, memory, b.LateP99, b.Others)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nCPU-s per 1,000 pkt/s and p99 at equal load:\n\n")
	r.equalLoad(t)
	if err := t.Flush(); err != nil {
		return err
	}
	if len(r.SetUp) > 0 {
		fmt.Fprintf(w, "\nCalls set up and torn down, on one core:\n\n")
		fmt.Fprintf(t, "| calls/s\t| failed\t| repeated messages\t| set-up p50 / p99\t| cores busy\t|\n|---\t|---\t|---\t|---\t|---\t|\n")
		for _, s := range r.SetUp {
			fmt.Fprintf(t, "| %.0f\t| %d\t| %d\t| %.2f / %.2f ms\t| %.2f\t|\n", s.PerSecond, s.Failed, s.Repeated, s.P50, s.P99, s.Cores)
		}
	}
	return t.Flush()
}

// equalLoad is a row for each number of calls that more than one relay was
// measured with.
func (r *Report) equalLoad(w io.Writer) {
	seen := map[int]int{}
	for _, p := range r.Relays {
		for _, q := range p.Points {
			seen[q.Calls]++
		}
	}
	fmt.Fprintf(w, "| calls\t")
	for _, p := range r.Relays {
		fmt.Fprintf(w, "| %s, %d core(s)\t", p.Relay, p.Cores)
	}
	fmt.Fprintf(w, "|\n|---\t%s|\n", strings.Repeat("|---\t", len(r.Relays)))
	for n := 0; n <= 10000; n++ {
		if seen[n] < 2 {
			continue
		}
		fmt.Fprintf(w, "| %d\t", n)
		for _, p := range r.Relays {
			cell := "—"
			for _, q := range p.Points {
				switch {
				case q.Calls != n:
				case p.Relay == "none": // its cost is the generator's
					cell = fmt.Sprintf("%.2f ms", q.P99)
				default:
					cell = fmt.Sprintf("%.4f, %.2f ms", q.CPU, q.P99)
				}
			}
			fmt.Fprintf(w, "| %s\t", cell)
		}
		fmt.Fprintf(w, "|\n")
	}
}
