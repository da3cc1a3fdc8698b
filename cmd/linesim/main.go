// Command linesim shows a town to play with: simulated line cards on pseudo
// terminals, a telephone exchange with subscribers behind their FXO ports, and
// analog telephones behind their FXS ports. Crosspoint, or any other program
// that speaks docs/linecard-protocol.md, takes such a card for a real one.
//
// It only reads flags and commands; the town is gateway/linesim's.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"crosspoint/gateway/linesim"
	"crosspoint/internal/tomlfile"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

const usage = `linesim runs a small town with telephone lines, without any hardware.

  linesim                      a card with 2 FXO and 2 FXS ports; its terminal is printed
  linesim -fxo 8 -fxs 24       other ports
  linesim -tdm 24              a T1 instead: timeslots to another exchange, E&M wink start;
                               -signalling fxs-loop-start and others: a channel bank
  linesim -modems 1 -family usr  a voice modem beside the card; -cards 0 for modems only
  linesim -town FILE.toml      a town of your own
  linesim -link /tmp/card1 -control /tmp/town.sock
                               a card at /tmp/card1, port = "/tmp/card1" of the office
                               file, and a socket that takes commands
  linesim -do 'ring fxo1 from 5551234' -control SOCKET
                               a command to a town that runs already

Type commands at it while it runs; "help" lists them. docs/simulator.md tells
how to join an office to it, what a town file has, and how to break a line.

`

// options are the flags.
type options struct {
	country, town, link, control, do string
	family                           string
	signalling                       string
	modems                           int
	cards, fxo, fxs, tdm             int
	skew, errors                     float64
	quiet                            bool
}

// parse reads the flags; what is wrong with them is printed already when it
// returns an error.
func parse(args []string, stderr io.Writer) (o options, err error) {
	f := flag.NewFlagSet("linesim", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprint(stderr, usage)
		f.PrintDefaults()
	}
	f.StringVar(&o.country, "country", "us", "`code` of the country whose tones and bells the town has")
	f.StringVar(&o.town, "town", "", "TOML `file` with cards, lines, telephones and subscribers")
	f.StringVar(&o.link, "link", "", "`path` of the link to the first card's terminal (default: in a new directory)")
	f.StringVar(&o.control, "control", "", "`path` of a Unix socket that takes commands")
	f.StringVar(&o.do, "do", "", "send one `command` to the socket of -control and print the answer")
	f.IntVar(&o.cards, "cards", 1, "`number` of cards")
	f.IntVar(&o.modems, "modems", 0, "`number` of voice modems, each with a line of its own")
	f.StringVar(&o.family, "family", "v253", "whose `dialect` the modems speak: v253, conexant, usr or lucent")
	f.IntVar(&o.fxo, "fxo", 2, "FXO `ports` of each card")
	f.IntVar(&o.fxs, "fxs", 2, "FXS `ports` of each card")
	f.IntVar(&o.tdm, "tdm", 0, "`timeslots` of each card's T1 or E1, instead of FXO and FXS ports unless these are given as well")
	f.StringVar(&o.signalling, "signalling", string(linesim.WinkStart), "`names` of what is at the far end of the timeslots: wink-start, immediate-start, fxo-loop-start, fxo-ground-start, fxs-loop-start or fxs-ground-start, separated by commas; the last is for all that follow")
	f.Float64Var(&o.skew, "skew", 0, "by how much the cards' crystals are fast, in `ppm`")
	f.Float64Var(&o.errors, "errors", 0, "bit error `rate` of the serial lines, such as 1e-4")
	f.BoolVar(&o.quiet, "quiet", false, "do not print what happens")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if err := o.check(f); err != nil {
		fmt.Fprintf(stderr, "linesim: %v\n", err)
		return o, err
	}
	return o, nil
}

// check refuses flags that contradict each other or make no town.
func (o *options) check(f *flag.FlagSet) error {
	set := map[string]bool{}
	f.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if o.tdm > 0 && !set["fxo"] && !set["fxs"] {
		o.fxo, o.fxs = 0, 0
	}
	for name := range strings.SplitSeq(o.signalling, ",") {
		if _, err := linesim.ParseSignalling(name); err != nil {
			return fmt.Errorf("-signalling: %w", err)
		}
	}
	switch {
	case f.NArg() > 0:
		return fmt.Errorf("%q is not a flag: linesim -h lists them", f.Arg(0))
	case o.do != "" && o.control == "":
		return errors.New("-do needs -control: the socket of the town that runs")
	case o.modems < 0 || o.modems > 16:
		return fmt.Errorf("-modems %d: write 0 to 16", o.modems)
	case o.cards < 0 || o.cards > 8 || o.cards+o.modems == 0:
		return fmt.Errorf("-cards %d: write 1 to 8, or 0 with -modems", o.cards)
	case o.fxo < 0 || o.fxs < 0 || o.tdm < 0 || o.fxo+o.fxs+o.tdm < 1 || o.fxo+o.fxs+o.tdm > 32:
		return fmt.Errorf("-fxo %d -fxs %d -tdm %d: a card has 1 to 32 ports", o.fxo, o.fxs, o.tdm)
	case set["signalling"] && o.tdm == 0:
		return errors.New("-signalling is for timeslots: add -tdm 24")
	case o.errors < 0 || o.errors > 0.5:
		return fmt.Errorf("-errors %v: write a rate from 0 to 0.5, such as 1e-4", o.errors)
	}
	for _, name := range []string{"country", "cards", "modems", "family", "fxo", "fxs", "tdm", "signalling", "skew", "errors"} {
		if o.town != "" && set[name] {
			return fmt.Errorf("-%s and -town contradict each other: write it into %s", name, o.town)
		}
	}
	return nil
}

// config is the town that the flags describe.
func (o *options) config(stderr io.Writer) (linesim.Config, bool) {
	if o.town == "" {
		cfg := linesim.Config{Country: o.country}
		for range o.cards {
			cfg.Cards = append(cfg.Cards, linesim.CardConfig{FXO: o.fxo, FXS: o.fxs, Timeslots: o.timeslots(), SkewPPM: o.skew,
				Impairment: linesim.Impairment{BitErrors: o.errors}})
		}
		for range o.modems {
			cfg.Modems = append(cfg.Modems, linesim.ModemConfig{Family: o.family, SkewPPM: o.skew,
				Impairment: linesim.Impairment{BitErrors: o.errors}})
		}
		linkFirst(&cfg, o.link)
		return cfg, true
	}
	cfg, problems := linesim.Load(o.town)
	if len(problems) > 0 {
		fmt.Fprint(stderr, tomlfile.Text(problems))
	}
	if tomlfile.Fatal(problems) {
		return cfg, false
	}
	linkFirst(&cfg, o.link)
	return cfg, true
}

// timeslots are those of each card.
func (o *options) timeslots() (slots []linesim.TimeslotConfig) {
	names := strings.Split(o.signalling, ",")
	for i := range o.tdm {
		slots = append(slots, linesim.TimeslotConfig{Signalling: linesim.Signalling(names[min(i, len(names)-1)])})
	}
	return slots
}

// linkFirst says where the link to the first card, or modem, is put.
func linkFirst(cfg *linesim.Config, link string) {
	switch {
	case link == "":
	case len(cfg.Cards) > 0:
		cfg.Cards[0].Link = link
	case len(cfg.Modems) > 0:
		cfg.Modems[0].Link = link
	default:
		cfg.Cards = []linesim.CardConfig{{Link: link}}
	}
}

// run is the command; it returns the exit code: 0, 1 for a town that cannot
// run, 2 for wrong flags.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case o.do != "":
		return ask(o, stdout, stderr)
	}
	cfg, ok := o.config(stderr)
	if !ok {
		return 2
	}
	out := &lockedWriter{w: stdout}
	if !o.quiet {
		events := make(chan linesim.Event, 1000)
		cfg.OnEvent = func(e linesim.Event) {
			select {
			case events <- e:
			default: // a terminal that is held up must not hold up the town
			}
		}
		go tell(ctx, events, out)
	}
	var listener net.Listener
	if o.control != "" { // before the start: a second town must not take the first one's links
		var err error
		if listener, err = listen(o.control); err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		defer listener.Close()
	}
	sim, err := linesim.Start(cfg)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	defer sim.Close()
	if listener != nil {
		var served sync.WaitGroup
		served.Go(func() { sim.Serve(listener) }) // ends with the listener
		defer func() {
			listener.Close()
			served.Wait()
		}()
	}
	fmt.Fprint(out, welcome(sim, o.control))
	go converse(sim, stdin, out) // ends with standard input, or with the process
	<-ctx.Done()
	return 0
}

// tell prints what happens until the command ends.
func tell(ctx context.Context, events <-chan linesim.Event, out io.Writer) {
	for {
		select {
		case e := <-events:
			fmt.Fprintf(out, "%s %s\n", e.At.Format("15:04:05.000"), e)
		case <-ctx.Done():
			return
		}
	}
}

// welcome says what there is and how to use it.
func welcome(sim *linesim.Sim, control string) string {
	var b strings.Builder
	b.WriteString("A town is running.\n")
	if len(sim.Cards()) > 0 {
		b.WriteString("\nLine cards, for port = \"…\" of a [[card]] in a Crosspoint configuration:\n")
	}
	for _, c := range sim.Cards() {
		fmt.Fprintf(&b, "  %-8s %s\n", c.Name(), c.Path())
	}
	if modems := sim.Modems(); len(modems) > 0 {
		b.WriteString("\nVoice modems, for a [[card]] with kind = \"modem\":\n")
		for _, m := range modems {
			fmt.Fprintf(&b, "  %-8s %s, line %s\n", m.Name(), m.Path(), m.Line().Name())
		}
	}
	b.WriteString("\nNumbers to dial from an FXO line:\n")
	for _, l := range strings.Split(sim.Town().Directory(), "\n") {
		b.WriteString("  " + l + "\n")
	}
	if phones := sim.Phones(); len(phones) > 0 {
		b.WriteString("\nTelephones on FXS ports:\n ")
		for _, p := range phones {
			b.WriteString(" " + p.Name())
		}
		b.WriteString("\n")
	}
	b.WriteString("\nThings to try, here")
	if control != "" {
		fmt.Fprintf(&b, " or by linesim -control %s -do '…'", control)
	}
	b.WriteString(":\n")
	if lines := sim.Town().Lines(); len(lines) > 0 {
		name, dial := lines[0].Name(), ""
		if _, trunk := lines[0].Trunk(); trunk {
			dial = " dial 101"
		}
		fmt.Fprintf(&b, "  ring %s from 5551234 name \"Joe\"%s\n  hangup %s\n", name, dial, name)
		if further := lines[0].Config().Further; len(further) > 0 && dial == "" {
			fmt.Fprintf(&b, "  ring %s from 5551234\n", further[0].Number)
		}
		if dial != "" {
			b.WriteString("  alarm signal\n  alarm clear\n")
		}
	}
	if len(sim.Phones()) > 0 {
		b.WriteString("  phone fxs1 offhook\n  phone fxs1 dial 101\n  phone fxs1 onhook\n")
	}
	if len(sim.Cards()) > 0 {
		b.WriteString("  unplug 5s\n")
	}
	if modems := sim.Modems(); len(modems) > 0 {
		fmt.Fprintf(&b, "  hang %s 5s\n", modems[0].Name())
	}
	b.WriteString("  errors 1e-4\n  status\n  help\n\nCtrl-C ends the town. docs/simulator.md tells more.\n\n")
	return b.String()
}

// converse takes commands from standard input.
func converse(sim *linesim.Sim, stdin io.Reader, out io.Writer) {
	lines := bufio.NewScanner(stdin)
	for lines.Scan() {
		text, err := sim.Command(lines.Text())
		if err != nil {
			text = "error: " + err.Error()
		}
		if text != "" {
			fmt.Fprintln(out, text)
		}
	}
}

// listen opens a Unix socket that only this user can reach. A socket that nobody
// listens on any more is replaced.
func listen(path string) (net.Listener, error) {
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		conn.Close()
		return nil, fmt.Errorf("linesim: another town listens on %s: end it or choose another path", path)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSocket != 0 {
		os.Remove(path)
	}
	old := syscall.Umask(0o177)
	listener, err := net.Listen("unix", path)
	syscall.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("linesim: no control socket: %w", err)
	}
	return listener, nil
}

// ask sends one command to a running town.
func ask(o options, stdout, stderr io.Writer) int {
	conn, err := net.DialTimeout("unix", o.control, 2*time.Second)
	if err != nil {
		fmt.Fprintf(stderr, "linesim: no town listens on %s: start one with linesim -control %s\n", o.control, o.control)
		return 1
	}
	defer conn.Close()
	if _, err := fmt.Fprintln(conn, strings.ReplaceAll(o.do, "\n", " ")); err != nil {
		fmt.Fprintf(stderr, "linesim: %v\n", err)
		return 1
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() && lines.Text() != "" {
		if text, failed := strings.CutPrefix(lines.Text(), "error: "); failed {
			fmt.Fprintf(stderr, "linesim: %s\n", text)
			return 1
		}
		fmt.Fprintln(stdout, lines.Text())
	}
	return 0
}

// lockedWriter keeps what several goroutines print in whole pieces.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
