// Package linesim is telephone-line hardware without hardware: line cards
// that speak the protocol of docs/linecard-protocol.md behind a pseudo
// terminal or a pipe, a small town exchange behind their FXO ports, and analog
// telephones behind their FXS ports. It shares with the driver only the codec
// of frames and messages.
//
// One goroutine owns a Sim and everything in it: cards, lines, calls,
// telephones. It lives by the sample clocks of the cards, in steps of 10 ms, and
// so precisely a telephone measures the ring voltage on its line: the cadence that
// it tells is what was rung, not what anybody ordered.
// Exported methods ask it and wait for the answer; none may be called from a
// function that it calls (Config.OnEvent).
//
// What the exchange under test makes of the lines is not its business.
package linesim
