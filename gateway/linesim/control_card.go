package linesim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// commandCard: unplug [CARD] [TIME], plug [CARD], reboot [CARD], alarm [CARD] WHAT.
// Without a name the first card is meant.
func (s *Sim) commandCard(what string, args []string) error {
	var names []string
	for _, c := range s.cards {
		names = append(names, c.cfg.Name)
	}
	if len(names) == 0 {
		return fmt.Errorf("%s: there is no card", what)
	}
	values := 1
	if what == "plug" || what == "reboot" {
		values = 0
	}
	i, value, err := named(what, names, args, values)
	if err != nil {
		return err
	}
	switch c := s.cards[i]; what {
	case "plug":
		return c.Plug()
	case "alarm":
		return c.Alarm(value)
	case "reboot":
		c.Reboot()
	case "unplug":
		d := time.Duration(0)
		if value != "" {
			var err error
			if d, err = time.ParseDuration(value); err != nil || d <= 0 {
				return fmt.Errorf("unplug %s: write a card (there are %s), a time such as 5s, or nothing", value, strings.Join(names, ", "))
			}
		}
		c.Unplug(d)
	}
	return nil
}

// commandCable: errors RATE [CARD | MODEM], loss RATE [CARD | MODEM]. Without a
// name the first one is meant.
func (s *Sim) commandCable(what string, args []string) error {
	var names []string
	var cables []*atomic.Pointer[Impairment]
	for _, c := range s.cards {
		names, cables = append(names, c.cfg.Name), append(cables, &c.cable)
	}
	for _, m := range s.modems {
		names, cables = append(names, m.cfg.Name), append(cables, &m.cable)
	}
	i, value, err := named(what, names, args, 1)
	if err != nil {
		return err
	}
	rate, err := strconv.ParseFloat(value, 64)
	if err != nil || rate < 0 || rate > 0.5 {
		return fmt.Errorf("%s %s: write a rate from 0 to 0.5, such as 1e-4", what, value)
	}
	im := *cables[i].Load()
	if what == "errors" {
		im.BitErrors = rate
	} else {
		im.LostBytes = rate
	}
	cables[i].Store(&im)
	return nil
}

// named finds which of the names stands among a command's words, the first if none
// does, and the word that is no name; values is how many such words it may have.
func named(what string, names, args []string, values int) (which int, value string, err error) {
	for _, a := range args {
		i := slices.Index(names, a)
		switch {
		case i >= 0:
			which = i
		case values > 0:
			value, values = a, values-1
		default:
			return 0, "", fmt.Errorf("%s: there is no %q: there are %s", what, a, strings.Join(names, ", "))
		}
	}
	return which, value, nil
}
