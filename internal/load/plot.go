//go:build linux

package load

import (
	"fmt"
	"io"
	"math"
	"slices"
)

// Plot draws the cost of a packet over the number of calls, a line for each
// relay, as SVG. Both axes are logarithmic: a cost that stays is a level line.
func Plot(w io.Writer, parts []RelayPart) error {
	const width, height, left, bottom, top = 760, 420, 70, 370, 30
	const leastCalls, mostCalls, leastCost, mostCost = 8, 3000, 0.002, 0.2
	x := func(calls float64) float64 {
		return left + (width-left-180)*math.Log(calls/leastCalls)/math.Log(mostCalls/leastCalls)
	}
	y := func(cost float64) float64 {
		cost = min(max(cost, leastCost), mostCost)
		return bottom - (bottom-top)*math.Log(cost/leastCost)/math.Log(mostCost/leastCost)
	}
	colors := []string{"#0b6e99", "#b3501d", "#4a7c2a", "#7a4e9c"}
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(w, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	for _, c := range []float64{10, 30, 100, 300, 1000, 2000} {
		fmt.Fprintf(w, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%.0f</text>`+"\n", x(c), x(c), top, bottom, x(c), bottom+18, c)
	}
	for _, c := range []float64{0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2} {
		fmt.Fprintf(w, `<line x1="%d" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n", left, x(mostCalls), y(c), y(c), left-6, y(c)+4, c)
	}
	fmt.Fprintf(w, `<text x="%d" y="%d">calls</text><text x="10" y="16">CPU-seconds per 1,000 packets/s</text>`+"\n", left+200, bottom+38)
	parts = slices.DeleteFunc(slices.Clone(parts), func(p RelayPart) bool { return p.Relay == "none" }) // its cost is the generator's
	for i, p := range parts {
		color := colors[i%len(colors)]
		fmt.Fprintf(w, `<polyline fill="none" stroke="%s" stroke-width="2" points="`, color)
		for _, q := range p.Points {
			if q.Passed {
				fmt.Fprintf(w, "%.1f,%.1f ", x(float64(q.Calls)), y(q.CPU))
			}
		}
		fmt.Fprintf(w, `"/>`+"\n")
		for _, q := range p.Points {
			if q.Passed {
				fmt.Fprintf(w, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, x(float64(q.Calls)), y(q.CPU), color)
			}
		}
		fmt.Fprintf(w, `<text x="%d" y="%d" fill="%s">%s, %d core(s)</text>`+"\n", width-170, top+20+18*i, color, p.Relay, p.Cores)
	}
	_, err := fmt.Fprintln(w, "</svg>")
	return err
}
