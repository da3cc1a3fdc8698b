// Package store keeps in one SQLite file what must survive a restart: where
// phones are registered, what users have set from their phones, for whom voice
// messages wait, and the records of calls. It is the exchange's only file besides the office file; a
// lost one costs registrations (phones register again within the hour),
// settings and history, never a call.
package store

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"crosspoint/b2bua/mwi"
	"crosspoint/dialplan"

	_ "modernc.org/sqlite" // the driver
)

// schema is the whole layout of version 1. Later versions add to it.
const schema = `
CREATE TABLE IF NOT EXISTS binding (
	aor TEXT NOT NULL, uri TEXT NOT NULL, q REAL NOT NULL, expires INTEGER NOT NULL,
	call_id TEXT NOT NULL, cseq INTEGER NOT NULL, instance TEXT NOT NULL, user_agent TEXT NOT NULL,
	transport TEXT NOT NULL, source TEXT NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (aor, uri));
CREATE TABLE IF NOT EXISTS setting (
	extension TEXT PRIMARY KEY, forward_always TEXT NOT NULL, forward_busy TEXT NOT NULL,
	forward_no_answer TEXT NOT NULL, do_not_disturb INTEGER NOT NULL, withhold INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS call (
	id TEXT NOT NULL, began INTEGER NOT NULL, answered INTEGER NOT NULL, ended INTEGER NOT NULL,
	source TEXT NOT NULL, caller TEXT NOT NULL, dialed TEXT NOT NULL, answerer TEXT NOT NULL,
	route TEXT NOT NULL, cause INTEGER NOT NULL, status INTEGER NOT NULL, by_whom TEXT NOT NULL, why TEXT NOT NULL,
	trail TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS toll (payer TEXT NOT NULL, ended INTEGER NOT NULL, talked INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS call_id ON call (id);
CREATE INDEX IF NOT EXISTS call_began ON call (began);`

// additions are what each version after the first has added.
var additions = [...]string{
	`ALTER TABLE setting ADD COLUMN call_waiting INTEGER NOT NULL DEFAULT 0;`,
	`ALTER TABLE call ADD COLUMN tape TEXT NOT NULL DEFAULT '';
	ALTER TABLE call ADD COLUMN tape_fault TEXT NOT NULL DEFAULT '';
	ALTER TABLE call ADD COLUMN caller_mos REAL NOT NULL DEFAULT 0;
	ALTER TABLE call ADD COLUMN answerer_mos REAL NOT NULL DEFAULT 0;`,
	`CREATE TABLE message (extension TEXT PRIMARY KEY, waiting INTEGER NOT NULL,
	new INTEGER NOT NULL, old INTEGER NOT NULL, urgent_new INTEGER NOT NULL, urgent_old INTEGER NOT NULL);`,
}

// version is what PRAGMA user_version says of a file that this program can use.
const version = 1 + len(additions)

// A Store is the open file. Its methods may be called from any goroutine.
type Store struct {
	db   *sql.DB
	path string

	mu       sync.Mutex
	settings map[string]dialplan.Settings // all of them: they are asked for at each call

	messages map[string]mwi.Summary // as the file was opened
}

// Memory is the path of a store that is no file: what it keeps is forgotten
// with it.
const Memory = ""

// Open opens the file, and makes it if there is none. An error names the file
// and what to do about it.
func Open(path string) (*Store, error) {
	if path == Memory {
		return open("memory", ":memory:")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("the store %s: its folder can't be made: %w: give [store] file another place", path, err)
	}
	return open(path, "file:"+strings.NewReplacer("?", "%3f", "#", "%23", "%", "%25").Replace(path)+
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
}

// open opens a data source; path is its name in messages.
func open(path, source string) (*Store, error) {
	db, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, fmt.Errorf("the store %s: %w", path, err)
	}
	db.SetMaxOpenConns(1) // one writer; reads are few and short
	s := &Store{db: db, path: path}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("the store %s can't be used: %w: move the file away to begin with an empty one", path, err), db.Close())
	}
	return s, nil
}

// prepare brings the file's layout up to date and reads the settings.
func (s *Store) prepare() error {
	var found int
	if err := s.db.QueryRow("PRAGMA user_version").Scan(&found); err != nil {
		return err
	}
	if found > version {
		return fmt.Errorf("it was written by a newer crosspoint (layout %d, this one knows %d)", found, version)
	}
	if _, err := s.db.Exec(missing(found)); err != nil {
		return err
	}
	return errors.Join(s.readSettings(), s.readMessages())
}

// missing is what brings a file of the given version, 0 for an empty one, up to
// date, as one step.
func missing(found int) string {
	all := "BEGIN;" + schema
	for _, add := range additions[max(found, 1)-1:] {
		all += add
	}
	return all + fmt.Sprintf("PRAGMA user_version = %d; COMMIT;", version)
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }
