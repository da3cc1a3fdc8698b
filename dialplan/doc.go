// Package dialplan decides where a call goes. A Config, read from the office's
// TOML file, is compiled once into a Plan; Match is then a pure function from
// who calls, what was dialled and when, to a Route and the Trail of how it was
// found. A forwarding service is a plan: a Route is a list of stages, each of
// which rings some targets for a time and names what leads on to the next.
//
// The package owns what the file says about numbers: phones and their
// forwarding, groups, rules, contexts, trunks, permissions, schedules,
// screening, emergency numbers, the plan's own tests. A Plan cannot be wrong:
// Compile refuses what is, naming the line and what to write instead.
//
// It places no call, keeps no state and starts no goroutine. What a phone's
// user set (do not disturb) and what is going on (who is busy) come in with the
// Query. A Plan may be asked by any number of goroutines at once.
package dialplan
