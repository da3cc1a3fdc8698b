package exposition

import "slices"

// A Histogram counts values by size. It may be used by one goroutine at a time.
type Histogram struct {
	bounds []float64 // upper bounds of the buckets, rising; one more has no bound
	counts []uint64  // by bucket
	sum    float64
}

// NewHistogram returns an empty histogram whose buckets end at the bounds,
// which rise.
func NewHistogram(bounds ...float64) *Histogram {
	return &Histogram{bounds: bounds, counts: make([]uint64, len(bounds)+1)}
}

// Observe counts a value.
func (h *Histogram) Observe(v float64) {
	i, _ := slices.BinarySearch(h.bounds, v) // a bucket holds its bound
	h.counts[i]++
	h.sum += v
}

// Histogram begins a metric whose values are histograms.
func (p *Page) Histogram(name, help string) *Histograms {
	return &Histograms{p.Metric(histogram, name, help)}
}

// Histograms are a metric of a page.
type Histograms struct{ metric *Metric }

// Add writes a histogram. Labels are names and values in turn.
func (m *Histograms) Add(h *Histogram, labels ...string) {
	total := uint64(0)
	for i, n := range h.counts {
		total += n
		bound := "+Inf"
		if i < len(h.bounds) {
			bound = number(h.bounds[i])
		}
		m.metric.sample(m.metric.name+"_bucket", float64(total), append(slices.Clone(labels), "le", bound))
	}
	m.metric.sample(m.metric.name+"_sum", h.sum, labels)
	m.metric.sample(m.metric.name+"_count", float64(total), labels)
}
