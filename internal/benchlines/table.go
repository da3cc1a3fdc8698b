package main

import (
	"fmt"
	"io"
	"strings"
)

// A table is one comparison of the report.
type table struct {
	title, about string
	columns      []string // of a row, before the verdict
	rows         []row
}

// A row is one measurement: its cells, and by how much ours is better. Less
// than zero is worse.
type row struct {
	cells  []string
	better float64
}

func (t *table) add(better float64, cells ...string) { t.rows = append(t.rows, row{cells, better}) }

func (t table) write(w io.Writer) {
	fmt.Fprintf(w, "## %s\n\n%s\n\n", t.title, t.about)
	fmt.Fprintf(w, "| %s | ours is |\n|%s---|\n", strings.Join(t.columns, " | "), strings.Repeat("---|", len(t.columns)))
	worse := 0
	for _, r := range t.rows {
		verdict := "as good"
		switch {
		case r.better > 0:
			verdict = "better"
		case r.better < 0:
			verdict = "**worse**"
			worse++
		}
		fmt.Fprintf(w, "| %s | %s |\n", strings.Join(r.cells, " | "), verdict)
	}
	fmt.Fprintf(w, "\nOurs is worse in %d of %d rows.\n\n", worse, len(t.rows))
}
