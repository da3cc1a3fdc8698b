// Package design holds the bare relays that docs/decisions/0010 compares: each
// forwards the audio of many calls between two sockets a call, and does to a
// packet the least that any relay must. They differ only in how they wait, read
// and send, so what they cost is what the design costs. Nothing in the exchange
// uses them. The package runs on Linux alone.
package design
