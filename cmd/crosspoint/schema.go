package main

import (
	"context"
	"flag"

	"crosspoint/internal/tomlfile"
)

func schemaCommand() command {
	return command{name: "schema", brief: "Prints the JSON schema of office files, by which editors complete and explain them",
		about: `
Write it to a file, and name that in the first line of the office file:
#:schema ./office.schema.json (Even Better TOML, Taplo and other editors).`,
		flags: func(*flag.FlagSet) runner {
			return func(_ context.Context, c console, args []string) error {
				if err := none(args); err != nil {
					return err
				}
				text, err := tomlfile.Schema("Crosspoint office file", Config{})
				if err != nil {
					return err
				}
				c.printf("%s\n", text)
				return nil
			}
		}}
}
