package store

import (
	"fmt"

	"crosspoint/b2bua/mwi"
)

// Messages are what was known of waiting messages as the file was opened, by
// extension.
func (s *Store) Messages() map[string]mwi.Summary { return s.messages }

// KeepMessages keeps what is told of an extension's messages. On an error it is as
// before.
func (s *Store) KeepMessages(extension string, m mwi.Summary) error {
	change, values := `INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?)`, []any{extension, m.Waiting, m.New, m.Old, m.UrgentNew, m.UrgentOld}
	if m == (mwi.Summary{}) {
		change, values = `DELETE FROM message WHERE extension = ?`, values[:1]
	}
	if _, err := s.db.Exec(change, values...); err != nil {
		return fmt.Errorf("the store %s: %w", s.path, err)
	}
	return nil
}

func (s *Store) readMessages() error {
	s.messages = make(map[string]mwi.Summary)
	rows, err := s.db.Query(`SELECT extension, waiting, new, old, urgent_new, urgent_old FROM message`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var extension string
		var m mwi.Summary
		if err := rows.Scan(&extension, &m.Waiting, &m.New, &m.Old, &m.UrgentNew, &m.UrgentOld); err != nil {
			return err
		}
		s.messages[extension] = m
	}
	return rows.Err()
}
