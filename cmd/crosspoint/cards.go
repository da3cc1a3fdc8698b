package main

import (
	"fmt"
	"log/slog"
	"sync"

	"crosspoint/dialplan"
	"crosspoint/gateway/jack"
	"crosspoint/gateway/linecard"
	"crosspoint/gateway/linesim"
)

// cards are the line cards of the office, and the towns behind those that are
// simulated.
type cards struct {
	mu     sync.Mutex // over the fields: a reload may add cards
	names  []string
	byName map[string]device
	sims   []*linesim.Sim
	sim    map[string]*linesim.Sim // by card
}

// openCards takes up all cards. One that is not plugged in is no error: it is
// taken up when it comes.
func openCards(cfg *Config, log *slog.Logger) (*cards, error) {
	c := &cards{byName: map[string]device{}, sim: map[string]*linesim.Sim{}}
	if err := c.add(cfg, log); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// add takes up the cards of the file that are not yet there.
func (c *cards) add(cfg *Config, log *slog.Logger) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cc := range cfg.Cards {
		if c.byName[cc.Name] != nil {
			continue
		}
		path := cc.Port
		if path == simulated {
			sim, err := startTown(cfg, cc, log)
			if err != nil {
				return fmt.Errorf("card %s: simulated card: %w", cc.Name, err)
			}
			c.sims = append(c.sims, sim)
			c.sim[cc.Name] = sim
			path = sim.Path()
		}
		c.names = append(c.names, cc.Name)
		c.byName[cc.Name] = openDevice(cfg, cc, path, log)
	}
	return nil
}

// startTown starts a simulated card on a pseudo terminal, with a port for each
// line that is configured on it, and a small town behind it.
func startTown(cfg *Config, cc Card, log *slog.Logger) (*linesim.Sim, error) {
	if cc.Kind == kindModem {
		return linesim.Start(linesim.Config{Country: cfg.Country, Modems: []linesim.ModemConfig{{Name: cc.Name}}, Log: log.With("town", cc.Name)})
	}
	card := linesim.CardConfig{Name: cc.Name, Timeslots: timeslots(cfg, cc)}
	for _, l := range cfg.Lines {
		switch {
		case l.Card != cc.Name || len(card.Timeslots) > 0:
		case l.Kind == "fxs":
			card.FXS = max(card.FXS, 1)
		default:
			card.FXO = max(card.FXO, l.Port)
		}
	}
	for _, l := range cfg.Lines { // FXS ports follow the FXO ports
		if l.Card == cc.Name && l.Kind == "fxs" && len(card.Timeslots) == 0 {
			card.FXS = max(card.FXS, l.Port-card.FXO)
		}
	}
	return linesim.Start(linesim.Config{Country: cfg.Country, Cards: []linesim.CardConfig{card}, Log: log.With("town", cc.Name)})
}

// timeslots are those of a simulated card, with what the lines expect at their
// far ends. A card is a T1 or E1 if one of its lines is a timeslot by what the
// file says of it; nil: it is none.
func timeslots(cfg *Config, cc Card) []linesim.TimeslotConfig {
	slots, span := make([]linesim.TimeslotConfig, linecard.MaxPorts), false
	last := 0
	for _, l := range cfg.Lines {
		if l.Card != cc.Name || l.Port < 1 || l.Port > len(slots) {
			continue
		}
		last, span = max(last, l.Port), span || l.Kind == "tdm" || l.Signalling != ""
		slots[l.Port-1].Signalling = farEnd(l)
	}
	if !span {
		return nil
	}
	return slots[:last]
}

// farEnd is what a line on a timeslot expects there.
func farEnd(l dialplan.Line) linesim.Signalling {
	switch {
	case l.Kind == "tdm" && l.Signalling == "immediate-start":
		return linesim.ImmediateStart
	case l.Kind == "tdm":
		return linesim.WinkStart
	case l.Kind == "fxs" && l.Signalling == "ground-start":
		return linesim.FXSGroundStart
	case l.Kind == "fxs":
		return linesim.FXSLoopStart
	case l.Signalling == "ground-start":
		return linesim.FXOGroundStart
	}
	return linesim.FXOLoopStart
}

// port is a jack of a card.
func (c *cards) port(card string, n int) jack.Port {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byName[card].port(n)
}

func (c *cards) view() []cardView {
	c.mu.Lock()
	defer c.mu.Unlock()
	var views []cardView
	for _, name := range c.names {
		v := c.byName[name].view()
		if c.sim[name] != nil {
			v.Device += " (simulated)"
		}
		views = append(views, v)
	}
	return views
}

// close leaves all lines idle and ends the towns.
func (c *cards) close() {
	for _, card := range c.byName {
		_ = card.Close() // leaves its lines on-hook if it answers
	}
	for _, sim := range c.sims {
		sim.Close()
	}
}
