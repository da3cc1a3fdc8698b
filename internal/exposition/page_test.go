package exposition

import (
	"math"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	var p Page
	p.One(Gauge, "calls", "Calls now", 3)
	m := p.Metric(Counter, "ended_total", "Calls that are over, by cause\nand \\ by who")
	m.Add(12, "cause", "16", "by", `the "boss" \o/`+"\n\xff")
	m.Add(math.Inf(1))
	p.Metric(Gauge, "none", "Nothing is known of it")
	h := NewHistogram(0.1, 1)
	for _, v := range []float64{0.05, 0.1, 0.5, 7} {
		h.Observe(v)
	}
	s := p.Histogram("wait_seconds", "How long")
	s.Add(h)
	s.Add(h, "to", "caller")
	const want = `# HELP calls Calls now
# TYPE calls gauge
calls 3
# HELP ended_total Calls that are over, by cause\nand \\ by who
# TYPE ended_total counter
ended_total{cause="16",by="the \"boss\" \\o/\n�"} 12
ended_total +Inf
# HELP none Nothing is known of it
# TYPE none gauge
# HELP wait_seconds How long
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.1"} 2
wait_seconds_bucket{le="1"} 3
wait_seconds_bucket{le="+Inf"} 4
wait_seconds_sum 7.65
wait_seconds_count 4
wait_seconds_bucket{to="caller",le="0.1"} 2
wait_seconds_bucket{to="caller",le="1"} 3
wait_seconds_bucket{to="caller",le="+Inf"} 4
wait_seconds_sum{to="caller"} 7.65
wait_seconds_count{to="caller"} 4
`
	if got := p.String(); got != want {
		t.Errorf("wrote\n%s", got)
	}
	values, err := Read(p.String())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"calls": 3, `wait_seconds_bucket{to="caller",le="1"}`: 3, "wait_seconds_count": 4, "ended_total": math.Inf(1)} {
		if values[name] != want {
			t.Errorf("%s is %v, not %v", name, values[name], want)
		}
	}
}

func TestReadFindsWhatIsWrong(t *testing.T) {
	const head = "# HELP a_total A\n# TYPE a_total counter\n"
	const buckets = "# HELP h H\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\n"
	for text, want := range map[string]string{
		head + "a_total 1":                         "not whole",
		"a 1\n":                                    "help and type are missing",
		head + "b 1\n":                             "among the values of a_total",
		head + "a_total 1\n" + head:                "was there before",
		head + "a_total 1\na_total 2\n":            "twice",
		head + "a_total -1\n":                      "never below zero",
		head + "a_total one\n":                     "no number",
		head + "a_total{x=y} 1\n":                  "no value",
		head + "a_total{x=\"\\q\"} 1\n":            "no value",
		head + "a_total  1\n":                      "no value",
		"# HELP a A\n# TYPE a counter\n":           "_total",
		"# HELP a_total A\n# TYPE a_total gauge\n": "_total",
		"# HELP a A\n# TYPE a thing\n":             "no such type",
		"# HELP a A\n# TYPE b gauge\n":             "does not follow",
		"# HELP a \n":                              "help is empty",
		"# HELP 4a A\n":                            "no name",
		"# HELP a A\n# HELP b B\n":                 "type of a is missing",
		buckets + "h_bucket{le=\"+Inf\"} 1\n":      "less than in the bucket before",
		buckets + "h_bucket{le=\"+Inf\"} 3\n":      "a count of h is missing",
		buckets + "h_count 2\n":                    "not what the last bucket holds",
		buckets + "h_bucket 2\n":                   "has no bound",
		buckets + "h 2\n":                          "among the values of h",
	} {
		if _, err := Read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, not %q", text, err, want)
		}
	}
	if v, err := Read("# a comment\n\n" + head); err != nil || len(v) != 0 {
		t.Errorf("%v %v", v, err)
	}
}
