package store

import (
	"net/netip"
	"time"

	"crosspoint/b2bua/registrar"
)

// Bindings is the store as a registrar.Store.
func (s *Store) Bindings() registrar.Store { return bindings{s} }

type bindings struct{ *Store }

// Load returns all bindings kept, also expired ones.
func (s bindings) Load() ([]registrar.Binding, error) {
	rows, err := s.db.Query(`SELECT aor, uri, q, expires, call_id, cseq, instance, user_agent, transport, source, since FROM binding`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []registrar.Binding
	for rows.Next() {
		var b registrar.Binding
		var expires, since int64
		var source string
		err := rows.Scan(&b.AOR, &b.URI, &b.Q, &expires, &b.CallID, &b.CSeq, &b.Instance, &b.UserAgent, &b.Transport, &source, &since)
		if err != nil {
			return nil, err
		}
		b.Expires, b.Since = time.UnixMilli(expires), time.UnixMilli(since)
		b.Source, _ = netip.ParseAddrPort(source) // not valid: the phone was not heard
		all = append(all, b)
	}
	return all, rows.Err()
}

// Save replaces the bindings of one address of record.
func (s bindings) Save(aor string, list []registrar.Binding) error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	if _, err := tx.Exec(`DELETE FROM binding WHERE aor = ?`, aor); err != nil {
		return err
	}
	for _, b := range list {
		_, err := tx.Exec(`INSERT INTO binding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			aor, b.URI, b.Q, b.Expires.UnixMilli(), b.CallID, b.CSeq, b.Instance, b.UserAgent,
			b.Transport, b.Source.String(), b.Since.UnixMilli())
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}
