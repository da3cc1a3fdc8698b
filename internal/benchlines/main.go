// Benchlines measures what the exchange does with telephone audio side by side
// with programs of others on the same signals: DTMF detection and echo
// cancelling with spandsp, caller ID with minimodem. `make bench-lines` runs it
// and keeps what it writes, a page in Markdown. Rows in which ours is the worse
// say so.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
)

func main() {
	spandsp := flag.String("spandsp", "", "the program made of csrc/spandsp.c")
	minutes := flag.Int("talk-off", 10, "minutes of speech in which no digit may be heard")
	trials := flag.Int("trials", 10, "caller IDs for each level and each noise")
	flag.Parse()
	if *spandsp == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "benchlines: run it by: make bench-lines")
		os.Exit(2)
	}
	out := bufio.NewWriter(os.Stdout)
	for _, section := range []func() (table, error){
		func() (table, error) { return digits(*spandsp, *minutes) },
		func() (table, error) { return echoes(*spandsp) },
		func() (table, error) { return callerIDs(*trials) },
	} {
		t, err := section()
		if err != nil {
			fmt.Fprintln(os.Stderr, "benchlines:", err)
			os.Exit(1)
		}
		t.write(out)
	}
	if err := out.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "benchlines:", err)
		os.Exit(1)
	}
}
