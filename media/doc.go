// Package media carries the audio of calls: who hears whom (Bridge), what is
// played to a party (Source, Player), and what it takes to get from packets
// to a steady clock and back (JitterBuffer, mixer, InBand, Meter, Recorder).
//
// It works by pushing: whoever receives audio writes each packet to the Sink
// that Stream.Feed named. So two parties of one law are joined by feeding each
// to the other, and their packets pass untouched. Only what has a clock of its
// own waits for it: players and mixers share the one goroutine of a Pacer, a
// telephone line reads its JitterBuffer at its card's pace.
//
// The package knows no sockets (media/rtp) and no call states.
package media
