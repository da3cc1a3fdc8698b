package main

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/gateway/linecard"
	"crosspoint/gateway/modem"
)

// kindModem is the kind of a [[card]] that is a voice modem.
const kindModem = "modem"

// modemBaud is a modem's speed where the file names none: audio takes 80 kbit/s
// each way, and up to twice as much when many samples must be shielded.
const modemBaud = 230400

// simulatedLead is the lead that a simulated card begins with: its clock is
// this machine's, and stands still with it when the machine is busy.
const simulatedLead = 120 * time.Millisecond

// A device is a [[card]]: a line card or a modem.
type device interface {
	port(n int) jack.Port
	view() cardView
	Close() error
}

// openDevice takes up what is at path.
func openDevice(cfg *Config, cc Card, path string, log *slog.Logger) device {
	serial := linecard.Serial{Path: path, Baud: cc.Baud, RTSCTS: cc.RTSCTS}
	if cc.Kind == kindModem && serial.Baud == 0 {
		serial.Baud = modemBaud
	}
	open := func() (io.ReadWriteCloser, error) { return serial.Open() }
	if cc.Kind != kindModem {
		card := linecard.Config{Name: cc.Name, Device: path, Log: log, Open: open}
		if cc.Port == simulated {
			card.Lead = simulatedLead
		}
		return lineCard{linecard.New(card)}
	}
	return voiceModem{modem.New(modem.Config{Name: cc.Name, Device: path, Log: log, Open: open, RTSCTS: cc.RTSCTS, CallerID: modemCallerID(cfg, cc.Name)})}
}

// modemCallerID is the caller_id of the line on a modem, or what its country has.
func modemCallerID(cfg *Config, name string) string {
	for _, l := range cfg.Lines {
		if l.Card != name {
			continue
		}
		if l.CallerIDKind != "" && l.CallerIDKind != "none" {
			return l.CallerIDKind
		}
		switch orElse(l.Country, cfg.Country) {
		case "gb", "uk":
			return "uk"
		case "jp":
			return "japan"
		case "dk", "se", "fi", "nl", "br", "in":
			return "dtmf"
		case "at", "be", "ch", "de", "es", "fr", "it", "no", "pl", "pt":
			return "v23"
		case "us", "ca":
			return "bell202"
		}
	}
	return ""
}

type lineCard struct{ *linecard.Card }

func (c lineCard) port(n int) jack.Port { return c.Port(n) }

func (c lineCard) view() cardView {
	i := c.Info()
	v := cardView{Name: i.Name, Device: i.Device, State: i.State, Up: i.Up}
	if i.Problem != "" {
		v.State += ": " + i.Problem
	}
	return v
}

type voiceModem struct{ *modem.Modem }

func (m voiceModem) port(int) jack.Port { return m.Modem }

func (m voiceModem) view() cardView {
	i := m.Info()
	v := cardView{Name: i.Name, Device: i.Device, State: i.State, Up: i.Up}
	switch {
	case i.Up:
		v.State += fmt.Sprintf(" (%s, %s, %s)", orElse(i.Model, "a modem of no name"), i.Family, i.Coding)
	case i.Problem != "":
		v.State += ": " + i.Problem
	}
	return v
}
