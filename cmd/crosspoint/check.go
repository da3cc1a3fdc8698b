package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"

	"crosspoint/internal/tomlfile"
)

func checkCommand() command {
	var format string
	return command{name: "check", args: "FILE…", brief: "Checks office files and runs the tests that they contain",
		about: `
Each mistake is printed with file, line and what to write instead. The exit code
is 0 if the exchange would start with every file, 1 if not. Warnings do not count.`,
		flags: func(fs *flag.FlagSet) runner {
			fs.StringVar(&format, "format", "text", "`FORMAT`: text, or json for editors")
			return func(_ context.Context, c console, args []string) error {
				if format != "text" && format != "json" {
					return usagef("--format %q is not text or json", format)
				}
				if len(args) == 0 {
					_, err := fileArgument(nil)
					return err
				}
				return check(c, args, format == "json")
			}
		}}
}

func check(c console, files []string, asJSON bool) error {
	all := []tomlfile.Problem{}
	var wrong error
	for _, file := range files {
		_, plan, problems := loadConfig(file)
		all = append(all, problems...)
		if plan == nil {
			wrong = errSaid
		}
		if asJSON {
			continue
		}
		fmt.Fprint(c.out, tomlfile.Text(problems))
		if plan != nil {
			n := len(plan.Config().Tests)
			c.printf("%s: good, %d of its tests passed%s\n", file, n, noTests(n))
		}
	}
	if asJSON {
		enc := json.NewEncoder(c.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(all); err != nil {
			return err
		}
	}
	return wrong
}

func noTests(n int) string {
	if n > 0 {
		return ""
	}
	return `; add some: [[test]] from = "101", dial = "102", expect = "102"`
}
