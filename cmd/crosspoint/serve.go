package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"crosspoint/dialplan"
	"crosspoint/internal/tomlfile"
)

func serveCommand() command {
	var level, format string
	return command{name: "serve", args: "FILE", brief: "Runs the exchange that an office file describes, until SIGTERM or Ctrl-C",
		about: `
On SIGTERM or Ctrl-C no new calls are taken and calls in progress may finish
within [shutdown] wait of the file; then they are hung up. A second signal hangs
them up at once. Telephone lines are left on-hook. On SIGHUP the file
is read again, as by crosspoint reload.`,
		flags: func(fs *flag.FlagSet) runner {
			fs.StringVar(&level, "log-level", "", "debug, info, warn or error, instead of the file's `LEVEL`")
			fs.StringVar(&format, "log-format", "", "text or json, instead of the file's `FORMAT`")
			return func(ctx context.Context, c console, args []string) error {
				path, err := fileArgument(args)
				if err != nil {
					return err
				}
				return serve(ctx, c, path, Log{Level: level, Format: format})
			}
		}}
}

// fileArgument is the one office file that a command is given.
func fileArgument(args []string) (string, error) {
	switch len(args) {
	case 0:
		example := ""
		if _, err := os.Stat("configs/demo.toml"); err == nil {
			example = ", such as configs/demo.toml"
		}
		return "", usagef("name the office FILE%s", example)
	case 1:
		return args[0], nil
	}
	return "", usagef("name one office FILE, not %d", len(args))
}

// loadOffice reads a file for a command that needs it to be right. It prints
// what is wrong.
func loadOffice(c console, path string) (*Config, *dialplan.Plan, error) {
	cfg, plan, problems := loadConfig(path)
	fmt.Fprint(c.err, tomlfile.Text(problems))
	if plan == nil {
		return nil, nil, fmt.Errorf("%s cannot be used until this is corrected", path)
	}
	return cfg, plan, nil
}

func serve(ctx context.Context, c console, path string, over Log) error {
	cfg, plan, err := loadOffice(c, path)
	if err != nil {
		return err
	}
	logging := cfg.Log
	logging.Level, logging.Format = orElse(over.Level, logging.Level), orElse(over.Format, logging.Format)
	log, err := newLog(c.err, logging)
	if err != nil {
		return usageError{err}
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)

	o, err := openOffice(cfg, plan, log)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	o.announce(c)
	why := "asked to"
	for stop := false; !stop; {
		select {
		case <-again:
			o.reload()
		case s := <-signals:
			why, stop = s.String(), true
		case <-ctx.Done():
			stop = true
		}
	}
	patience := o.inForce.Load().wait()
	log.Info("stopping", "why", why, "calls", len(o.exchange.Calls()), "wait", patience)
	wait, hurry := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer hurry()
	go func() { // ends with the first of a second signal and the wait
		select {
		case <-signals:
			hurry()
		case <-wait.Done():
		}
	}()
	began := time.Now()
	cut := o.close(wait)
	log.Info("stopped", "after", time.Since(began).Round(time.Millisecond), "calls_hung_up", cut)
	return nil
}
