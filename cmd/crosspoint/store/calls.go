package store

import (
	"fmt"
	"time"

	"crosspoint/b2bua"
)

// A Call is what is kept of a call that has ended.
type Call struct {
	ID                     string
	Began, Answered, Ended time.Time // Answered is zero if nobody did
	Source, Caller, Dialed string
	Answerer, Route        string
	Cause, Status          int // Q.850, SIP
	By, Why                string
	Trail                  string  // how the route was found, for people
	Tape, TapeFault        string  // as b2bua.Record has them
	CallerMOS, AnswererMOS float64 // how well either heard the other (ITU-T G.107); zero: not known
}

// Keep adds the records of calls, all or none.
func (s *Store) Keep(records ...b2bua.Record) error {
	if err := s.keep(records); err != nil {
		return fmt.Errorf("the store %s: the records of %d calls are lost: %w", s.path, len(records), err)
	}
	return nil
}

func (s *Store) keep(records []b2bua.Record) error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	for _, r := range records {
		_, err := tx.Exec(`INSERT INTO call (`+callColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.ID, r.Began.UnixMilli(), millis(r.Answered), millis(r.Ended), r.Source.Name, r.From.String(), r.Dialed,
			r.Answerer, r.Route.Rule, r.Cause.Filled().Q850, r.Cause.Filled().Status, r.Cause.By, r.Why,
			r.Trail.String(), r.Tape, r.TapeFault, mos(r, 0), mos(r, 1))
		if err != nil {
			return err
		}
		for payer, talked := range r.Toll() {
			if _, err := tx.Exec(`INSERT INTO toll VALUES (?, ?, ?)`, payer, r.Ended.UnixMilli(), talked.Milliseconds()); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

// mos is how well the caller, 0, or who answered, 1, heard the other.
func mos(r b2bua.Record, who int) float64 {
	if who >= len(r.Audio) {
		return 0
	}
	return r.Audio[who].Hears.MOS
}

// Forget drops the records of calls that began before t.
func (s *Store) Forget(t time.Time) error {
	for _, old := range []string{`DELETE FROM call WHERE began < ?`, `DELETE FROM toll WHERE ended < ?`} {
		if _, err := s.db.Exec(old, t.UnixMilli()); err != nil {
			return fmt.Errorf("the store %s: old records of calls are not forgotten: %w", s.path, err)
		}
	}
	return nil
}

// Toll is what has been talked since t, by who pays, on toll calls.
func (s *Store) Toll(t time.Time) (map[string]time.Duration, error) {
	rows, err := s.db.Query(`SELECT payer, SUM(talked) FROM toll WHERE ended >= ? GROUP BY payer`, t.UnixMilli())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	talked := make(map[string]time.Duration)
	for rows.Next() {
		var payer string
		var ms int64
		if err := rows.Scan(&payer, &ms); err != nil {
			return nil, err
		}
		talked[payer] = time.Duration(ms) * time.Millisecond
	}
	return talked, rows.Err()
}

const callColumns = `id, began, answered, ended, source, caller, dialed, answerer, route, cause, status, by_whom, why, trail,
	tape, tape_fault, caller_mos, answerer_mos`

// Calls are the latest calls, at most so many, the latest first. Negative: all.
func (s *Store) Calls(most int) ([]Call, error) {
	return s.calls(`SELECT `+callColumns+` FROM call ORDER BY began DESC, rowid DESC LIMIT ?`, most)
}

// Call is the latest call of an id; false: there is none. Ids begin anew after
// a million calls.
func (s *Store) Call(id string) (Call, bool, error) {
	found, err := s.calls(`SELECT `+callColumns+` FROM call WHERE id = ? ORDER BY began DESC, rowid DESC LIMIT 1`, id)
	if err != nil || len(found) == 0 {
		return Call{}, false, err
	}
	return found[0], true, nil
}

func (s *Store) calls(query string, args ...any) ([]Call, error) {
	rows, err := s.db.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Call
	for rows.Next() {
		var c Call
		var began, answered, ended int64
		err := rows.Scan(&c.ID, &began, &answered, &ended, &c.Source, &c.Caller, &c.Dialed, &c.Answerer, &c.Route, &c.Cause, &c.Status, &c.By, &c.Why, &c.Trail,
			&c.Tape, &c.TapeFault, &c.CallerMOS, &c.AnswererMOS)
		if err != nil {
			return nil, err
		}
		c.Began, c.Answered, c.Ended = moment(began), moment(answered), moment(ended)
		all = append(all, c)
	}
	return all, rows.Err()
}

// millis and moment keep the zero time as 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
