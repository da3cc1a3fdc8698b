package linesim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Quirk gives a modem other quirks than it had, from now on; those of its
// family stay. The error lists what there is.
func (m *Modem) Quirk(quirks ...ModemQuirk) error {
	for _, q := range quirks {
		if !slices.Contains(modemQuirks, q) {
			return fmt.Errorf("no quirk %q: there are %v", q, modemQuirks)
		}
	}
	m.sim.do(func() { m.cfg.Quirks = slices.Clone(quirks) })
	return nil
}

// commandModem: hang MODEM [TIME], quirk MODEM [QUIRK …].
func (s *Sim) commandModem(what string, args []string) error {
	var names []string
	for _, m := range s.modems {
		names = append(names, m.cfg.Name)
	}
	if len(args) == 0 {
		return fmt.Errorf("which modem? There are %s", orNone(names))
	}
	m := s.Modem(args[0])
	if m == nil {
		return fmt.Errorf("no modem %q: there are %s", args[0], orNone(names))
	}
	if what == "quirk" {
		var quirks []ModemQuirk
		for _, a := range args[1:] {
			quirks = append(quirks, ModemQuirk(a))
		}
		return m.Quirk(quirks...)
	}
	d := 5 * time.Second
	if len(args) > 1 {
		var err error
		if d, err = time.ParseDuration(args[1]); err != nil || d <= 0 {
			return fmt.Errorf("hang %s: write a time such as 5s", args[1])
		}
	}
	m.Hang(d)
	return nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
