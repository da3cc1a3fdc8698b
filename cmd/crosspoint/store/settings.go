package store

import (
	"fmt"

	"crosspoint/dialplan"
)

// Settings are what the user of an extension has set.
func (s *Store) Settings(extension string) dialplan.Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings[extension]
}

// Change keeps what the function makes of an extension's settings. On an error
// they are as before.
func (s *Store) Change(extension string, to func(*dialplan.Settings)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.settings[extension]
	to(&set)
	_, err := s.db.Exec(`INSERT OR REPLACE INTO setting VALUES (?, ?, ?, ?, ?, ?, ?)`,
		extension, set.ForwardAlways, set.ForwardBusy, set.ForwardNoAnswer, set.DoNotDisturb, set.Withhold, set.CallWaiting)
	if err != nil {
		return fmt.Errorf("the store %s: %w", s.path, err)
	}
	s.settings[extension] = set
	return nil
}

func (s *Store) readSettings() error {
	s.settings = make(map[string]dialplan.Settings)
	rows, err := s.db.Query(`SELECT extension, forward_always, forward_busy, forward_no_answer, do_not_disturb, withhold, call_waiting FROM setting`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var extension string
		var set dialplan.Settings
		if err := rows.Scan(&extension, &set.ForwardAlways, &set.ForwardBusy, &set.ForwardNoAnswer, &set.DoNotDisturb, &set.Withhold, &set.CallWaiting); err != nil {
			return err
		}
		s.settings[extension] = set
	}
	return rows.Err()
}
