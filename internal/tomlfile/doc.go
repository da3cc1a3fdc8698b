// Package tomlfile reads TOML configuration strictly: every key must be known,
// every value of the right type, and every mistake is reported with file, line
// and what to write instead. All mistakes of a file are reported together.
//
// Structs take part by field tags: `toml:"name"` names the key ("-" is not
// read), `required:"true"` refuses an absent or empty value, `enum:"a,b"` lists
// the only words that a string, or each of a list, may be, `secret:"true"` keeps
// the value out of messages, and `doc:"…"` explains the key to an editor by way
// of Schema. A struct that embeds Pos learns where its table stands.
//
// The syntax of TOML is go-toml's; what a document means for a struct, and how
// a mistake is explained, is this package's.
package tomlfile
