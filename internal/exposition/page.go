// Package exposition writes measurements as a page in the text format of
// Prometheus, version 0.0.4, which nearly every monitoring system reads, and
// reads such a page as strictly as the format's description allows. It does not
// measure and serves nothing.
//
// The format: https://prometheus.io/docs/instrumenting/exposition_formats/; how
// metrics are named: https://prometheus.io/docs/practices/naming/.
package exposition

import (
	"math"
	"strconv"
	"strings"
)

// ContentType is what a page is sent as by HTTP.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// A Kind is the type of a metric.
type Kind string

const (
	Counter Kind = "counter" // only grows, but for a restart; its name ends in _total
	Gauge   Kind = "gauge"   // goes up and down
)

const histogram Kind = "histogram"

// A Page is a text being written. Its zero value is empty. What belongs to one
// metric is written in one go: Metric or Histograms begins one.
type Page struct{ text strings.Builder }

// String is the page.
func (p *Page) String() string { return p.text.String() }

// Metric begins a metric. Its name has its unit, a base unit such as seconds or
// bytes; help is a sentence without its full stop.
func (p *Page) Metric(kind Kind, name, help string) *Metric {
	p.text.WriteString("# HELP " + name + " " + escape(help, false) + "\n# TYPE " + name + " " + string(kind) + "\n")
	return &Metric{p, name}
}

// One is a metric with a single value and no label.
func (p *Page) One(kind Kind, name, help string, value float64) {
	p.Metric(kind, name, help).Add(value)
}

// A Metric is a metric of a page.
type Metric struct {
	page *Page
	name string
}

// Add writes a value. Labels are names and values in turn.
func (m *Metric) Add(value float64, labels ...string) { m.sample(m.name, value, labels) }

func (m *Metric) sample(name string, value float64, labels []string) {
	t := &m.page.text
	t.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		t.WriteByte("{,"[min(i, 1)])
		t.WriteString(labels[i] + `="` + escape(labels[i+1], true) + `"`)
	}
	if len(labels) > 1 {
		t.WriteByte('}')
	}
	t.WriteByte(' ')
	t.WriteString(number(value))
	t.WriteByte('\n')
}

// number writes a value as the format has it: as Go does.
func number(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// escape writes a help text, or, quoted, the value of a label. What is not
// UTF-8 is replaced: it may have come from outside.
func escape(s string, quoted bool) string {
	s = strings.ToValidUTF8(s, "�")
	s = strings.ReplaceAll(s, `\`, `\\`)
	s = strings.ReplaceAll(s, "\n", `\n`)
	if quoted {
		s = strings.ReplaceAll(s, `"`, `\"`)
	}
	return s
}
