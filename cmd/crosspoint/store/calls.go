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
}

// Keep adds the record of a call.
func (s *Store) Keep(r b2bua.Record) error {
	_, err := s.db.Exec(`INSERT INTO call VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.Began.UnixMilli(), millis(r.Answered), millis(r.Ended), r.Source.Name, r.From.String(), r.Dialed,
		r.Answerer, r.Route.Rule, r.Cause.Filled().Q850, r.Cause.Filled().Status, r.Cause.By, r.Why)
	if err != nil {
		return fmt.Errorf("the store %s: the record of call %s is lost: %w", s.path, r.ID, err)
	}
	return nil
}

// Forget drops the records of calls that began before t.
func (s *Store) Forget(t time.Time) error {
	_, err := s.db.Exec(`DELETE FROM call WHERE began < ?`, t.UnixMilli())
	return err
}

// Calls are the latest calls, at most so many, the latest first.
func (s *Store) Calls(most int) ([]Call, error) {
	rows, err := s.db.Query(`SELECT id, began, answered, ended, source, caller, dialed, answerer, route, cause, status, by_whom, why
		FROM call ORDER BY began DESC, rowid DESC LIMIT ?`, most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Call
	for rows.Next() {
		var c Call
		var began, answered, ended int64
		err := rows.Scan(&c.ID, &began, &answered, &ended, &c.Source, &c.Caller, &c.Dialed, &c.Answerer, &c.Route, &c.Cause, &c.Status, &c.By, &c.Why)
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
