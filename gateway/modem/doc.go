// Package modem is the driver of voice modems: FXO lines by USB or serial
// modems that speak AT commands and pass audio by ITU-T V.253 (Conexant,
// USRobotics, Lucent/Agere and whatever follows the recommendation). A Modem is
// one jack.Port.
//
// One goroutine owns a Modem; a link's two goroutines only read and write. It
// keeps the modem in voice mode, on-hook, until it is ordered off-hook; then it
// opens the duplex stream (+VTR) and leaves everything else to the gateway,
// which dials and listens in the audio. The driver's own part is the commands
// with their dialects (family.go), the compression (vsm.go), the shielding of
// data (dle.go), what the modem tells by itself (report.go, cadence.go, callerid.go), and a
// modem that stops answering (modem.go).
package modem
