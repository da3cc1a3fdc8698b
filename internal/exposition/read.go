package exposition

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Values are those of a page by metric and labels as they stand there:
// `calls_total{cause="16"}`.
type Values map[string]float64

var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	sampleLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)((?:\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*",?)*\})?) ([^ ]+)$`)
)

// Read reads a page. It is an error if a line is not of the format, if a metric
// has no help, is told in two places, or has a name that does not fit its kind,
// or if a value is there twice.
func Read(text string) (Values, error) {
	if text != "" && !strings.HasSuffix(text, "\n") {
		return nil, errors.New("the last line is not whole")
	}
	r := reader{values: Values{}, done: map[string]bool{}}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if line == "" {
			continue
		}
		if err := r.line(line); err != nil {
			return nil, fmt.Errorf("line %d, %q: %w", i+1, line, err)
		}
	}
	return r.values, r.end()
}

// A reader reads a page line by line.
type reader struct {
	values Values
	done   map[string]bool // metrics seen
	name   string          // of the metric being read
	kind   Kind            // its type; empty: not told yet
	last   map[string]float64
	counts map[string]float64
}

func (r *reader) line(line string) error {
	switch {
	case strings.HasPrefix(line, "# HELP "):
		name, help, _ := strings.Cut(line[len("# HELP "):], " ")
		if err := r.end(); err != nil {
			return err
		}
		return r.begin(name, help)
	case strings.HasPrefix(line, "# TYPE "):
		name, kind, _ := strings.Cut(line[len("# TYPE "):], " ")
		return r.typed(name, Kind(kind))
	case strings.HasPrefix(line, "#"):
		return nil // a comment
	}
	return r.sample(line)
}

func (r *reader) begin(name, help string) error {
	switch {
	case !metricName.MatchString(name):
		return errors.New("this is no name of a metric")
	case help == "":
		return errors.New("the help is empty")
	case r.done[name]:
		return errors.New("the metric was there before")
	}
	r.name, r.kind, r.done[name] = name, "", true
	r.last, r.counts = map[string]float64{}, map[string]float64{}
	return nil
}

func (r *reader) typed(name string, kind Kind) error {
	switch {
	case name != r.name || r.kind != "":
		return errors.New("the type does not follow the metric's help")
	case kind != Counter && kind != Gauge && kind != histogram:
		return errors.New("there is no such type")
	case strings.HasSuffix(name, "_total") != (kind == Counter):
		return errors.New("_total is the end of a counter's name, and of no other")
	}
	r.kind = kind
	return nil
}

func (r *reader) sample(line string) error {
	m := sampleLine.FindStringSubmatch(line)
	if m == nil {
		return errors.New("this is no value")
	}
	value, err := strconv.ParseFloat(m[3], 64)
	if err != nil {
		return errors.New("this is no number")
	}
	key := m[1] + m[2]
	if _, twice := r.values[key]; twice {
		return errors.New("this value is there twice")
	}
	r.values[key] = value
	switch {
	case r.kind == "":
		return errors.New("the metric's help and type are missing")
	case r.kind != histogram && m[1] != r.name:
		return fmt.Errorf("it stands among the values of %s", r.name)
	case r.kind == Counter && !(value >= 0):
		return errors.New("a counter is never below zero")
	case r.kind == histogram:
		return r.ofHistogram(m[1], m[2], value)
	}
	return nil
}

var bound = regexp.MustCompile(`,?le="([^"]*)"`)

// ofHistogram checks that buckets hold what smaller ones do, and the last all.
func (r *reader) ofHistogram(name, labels string, value float64) error {
	switch name {
	case r.name + "_bucket":
		le := bound.FindStringSubmatch(labels)
		if le == nil {
			return errors.New("the bucket has no bound")
		}
		of := strings.TrimPrefix(bound.ReplaceAllString(labels, ""), "{}")
		if value < r.last[of] {
			return errors.New("it is less than in the bucket before")
		}
		r.last[of] = value
		if le[1] == "+Inf" {
			r.counts[of] = value
		}
	case r.name + "_count":
		if all, ok := r.counts[labels]; !ok || all != value {
			return errors.New("it is not what the last bucket holds")
		}
		delete(r.counts, labels)
	case r.name + "_sum":
	default:
		return fmt.Errorf("it stands among the values of %s", r.name)
	}
	return nil
}

// end looks whether the metric that was read is whole.
func (r *reader) end() error {
	switch {
	case r.name != "" && r.kind == "":
		return fmt.Errorf("the type of %s is missing", r.name)
	case len(r.counts) > 0:
		return fmt.Errorf("a count of %s is missing", r.name)
	}
	return nil
}
