// Crosspoint is an office telephone exchange in one program: it joins SIP
// phones, telephone lines on serial-attached hardware and SIP trunks by the
// rules of one TOML file. This package wires the parts together and gives them
// a command line; what they do is in the packages that it joins.
//
// Each subcommand is a file: serve.go, check.go, route.go, … The office itself,
// all that runs while it is served, is in office.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // it did not work, or what was asked about is wrong
	exitUsage  = 2 // the command line makes no sense
)

// console is where a command writes. Answers go to out, complaints to err.
type console struct {
	out, err io.Writer
}

func (c console) printf(format string, args ...any) { fmt.Fprintf(c.out, format, args...) }

// A command is one subcommand.
type command struct {
	name  string
	args  string // after the flags, for the usage line
	brief string // what it does, in a line
	about string // more of it, for `crosspoint help NAME`; may be empty
	flags func(*flag.FlagSet) runner
}

// runner does a command's work once its flags are read.
type runner func(ctx context.Context, c console, args []string) error

// commands in the order in which the usage lists them.
func commands() []command {
	return []command{
		serveCommand(), checkCommand(), schemaCommand(), routeCommand(), reloadCommand(), statusCommand(), linesCommand(), callsCommand(), ladderCommand(), metricsCommand(), dialCommand(), messagesCommand(), demoCommand(),
	}
}

// usageError is a mistake on the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errSaid is returned by a command that failed and has already said why.
var errSaid = errors.New("failed")

func main() {
	os.Exit(run(context.Background(), console{os.Stdout, os.Stderr}, os.Args[1:]))
}

// run executes a command line and returns the exit code.
func run(ctx context.Context, c console, args []string) int {
	if len(args) == 0 {
		usage(c.err)
		return exitUsage
	}
	name, args := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		return help(c, args)
	}
	cmd, ok := find(name)
	if !ok {
		fmt.Fprintf(c.err, "crosspoint: there is no command %q\n\n", name)
		usage(c.err)
		return exitUsage
	}
	fs := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	do := cmd.flags(fs)
	rest, err := parse(fs, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		cmd.usage(c.out)
		return exitOK
	case err != nil:
		fmt.Fprintf(c.err, "crosspoint %s: %v\n\n", cmd.name, err)
		cmd.usage(c.err)
		return exitUsage
	}
	err = do(ctx, c, rest)
	var wrong usageError
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE): // whoever reads us, such as head, has enough
		return exitOK
	case errors.Is(err, errSaid):
		return exitFailed
	case errors.As(err, &wrong):
		fmt.Fprintf(c.err, "crosspoint %s: %v\n\n", cmd.name, err)
		cmd.usage(c.err)
		return exitUsage
	}
	fmt.Fprintf(c.err, "crosspoint %s: %v\n", cmd.name, err)
	return exitFailed
}

// parse reads flags wherever they stand: `lines --config x` and `check x --json`
// alike. What is not a flag is returned. After "--" nothing is a flag.
func parse(fs *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		left := fs.Args()
		if len(left) == 0 {
			return rest, nil
		}
		if n := len(args) - len(left); n > 0 && args[n-1] == "--" {
			return append(rest, left...), nil
		}
		rest = append(rest, left[0])
		args = left[1:]
	}
}

func find(name string) (command, bool) {
	for _, cmd := range commands() {
		if cmd.name == name {
			return cmd, true
		}
	}
	return command{}, false
}

func help(c console, args []string) int {
	if len(args) == 0 {
		usage(c.out)
		return exitOK
	}
	cmd, ok := find(args[0])
	if !ok {
		fmt.Fprintf(c.err, "crosspoint: there is no command %q\n\n", args[0])
		usage(c.err)
		return exitUsage
	}
	cmd.usage(c.out)
	return exitOK
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Crosspoint is an office telephone exchange.\n\nUsage: crosspoint COMMAND\n\n")
	for _, cmd := range commands() {
		fmt.Fprintf(w, "  %-8s %s\n", cmd.name, cmd.brief)
	}
	fmt.Fprint(w, "\nStart with: crosspoint serve configs/demo.toml\nMore on a command: crosspoint help COMMAND\n")
}

func (cmd command) usage(w io.Writer) {
	fmt.Fprintf(w, "Usage: crosspoint %s [flags] %s\n\n%s.\n", cmd.name, cmd.args, cmd.brief)
	if cmd.about != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(cmd.about))
	}
	fs := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	cmd.flags(fs)
	head := "\nFlags:\n"
	fs.VisitAll(func(f *flag.Flag) {
		value, text := flag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" {
			text += " (" + f.DefValue + " if not given)"
		}
		fmt.Fprintf(w, "%s  --%s %s\n        %s\n", head, f.Name, value, text)
		head = ""
	})
}
