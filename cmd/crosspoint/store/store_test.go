package store

import (
	"database/sql"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua"
	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/mwi"
	"crosspoint/b2bua/registrar"
	"crosspoint/dialplan"
	"crosspoint/media"
)

func openFile(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// again closes a store and opens its file as the next start does.
func again(t *testing.T, s *Store) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return openFile(t, s.path)
}

func TestSettingsSurvive(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "new folder", "what? 100%#.db"))
	if s.Settings("101") != (dialplan.Settings{}) {
		t.Error("a new store has settings")
	}
	want := dialplan.Settings{ForwardAlways: "103", ForwardBusy: "104", ForwardNoAnswer: "95551234", DoNotDisturb: true, Withhold: true, CallWaiting: dialplan.WaitingOff}
	if err := s.Change("101", func(set *dialplan.Settings) { *set = want }); err != nil {
		t.Fatal(err)
	}
	s = again(t, s)
	if got := s.Settings("101"); got != want {
		t.Errorf("after a restart: %+v", got)
	}
	s.Change("101", func(set *dialplan.Settings) { set.ForwardAlways = "" })
	s = again(t, s)
	if got := s.Settings("101"); got.ForwardAlways != "" || got.ForwardBusy != "104" {
		t.Errorf("after a change: %+v", got)
	}
}

// For whom messages wait is known after a restart; of those who have none nothing
// is kept.
func TestMessagesSurvive(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "a.db"))
	want := map[string]mwi.Summary{"101": {Waiting: true, New: 2, Old: 8, UrgentOld: 1}, "102": {Waiting: true}}
	for _, extension := range []string{"101", "102", "103"} {
		if err := s.KeepMessages(extension, mwi.Summary{Waiting: true, New: 7}); err != nil {
			t.Fatal(err)
		}
		if err := s.KeepMessages(extension, want[extension]); err != nil {
			t.Fatal(err)
		}
	}
	s = again(t, s)
	if got := s.Messages(); !maps.Equal(got, want) {
		t.Errorf("after a restart: %+v, want %+v", got, want)
	}
	s.Close()
	if err := s.KeepMessages("101", mwi.Summary{}); err == nil || !strings.Contains(err.Error(), s.path) {
		t.Errorf("of a closed store: %v", err)
	}
}

// A file of the first version keeps its settings, and takes those of later ones.
func TestOlderFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(schema + `PRAGMA user_version = 1; INSERT INTO setting VALUES ('101', '103', '', '', 0, 1);
		INSERT INTO call VALUES ('7f3', 1, 2, 3, '101', '101', '102', '102', '', 16, 200, '102', '102 hung up', '')`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	s := openFile(t, path)
	want := dialplan.Settings{ForwardAlways: "103", Withhold: true}
	if got := s.Settings("101"); got != want {
		t.Errorf("of the older file: %+v", got)
	}
	if c, ok, err := s.Call("7f3"); err != nil || !ok || c.Why != "102 hung up" || c.Tape != "" || c.CallerMOS != 0 {
		t.Errorf("of the older file: %+v %v", c, err)
	}
	if len(s.Messages()) != 0 || s.KeepMessages("101", mwi.Summary{Waiting: true}) != nil {
		t.Errorf("the older file takes no messages, or has some: %v", s.Messages())
	}
	want.CallWaiting = dialplan.WaitingOn
	if err := s.Change("101", func(set *dialplan.Settings) { *set = want }); err != nil {
		t.Fatal(err)
	}
	s = again(t, s)
	if got := s.Settings("101"); got != want {
		t.Errorf("after a change: %+v", got)
	}
}

func TestSettingThatCannotBeKept(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "a.db"))
	s.Close()
	err := s.Change("101", func(set *dialplan.Settings) { set.DoNotDisturb = true })
	if err == nil || !strings.Contains(err.Error(), s.path) {
		t.Errorf("error %v", err)
	}
	if s.Settings("101").DoNotDisturb {
		t.Error("the setting holds though it was not kept")
	}
}

func TestBindingsSurvive(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "a.db"))
	at := time.UnixMilli(1_700_000_000_123)
	want := []registrar.Binding{
		{AOR: "101", URI: "sip:101@192.0.2.7:5060;line=a", Q: 0.5, Expires: at.Add(time.Hour), CallID: "x", CSeq: 4_000_000_000,
			Instance: "<urn:uuid:1>", UserAgent: "phone/1", Transport: "UDP", Source: netip.MustParseAddrPort("[2001:db8::1]:5060"), Since: at},
		{AOR: "101", URI: "sip:101@192.0.2.8", Q: 1, Expires: at, CallID: "y", CSeq: 1, Transport: "TCP", Since: at},
	}
	if err := s.Bindings().Save("101", want); err != nil {
		t.Fatal(err)
	}
	s.Bindings().Save("102", want[:1])
	s.Bindings().Save("102", nil)
	s = again(t, s)
	got, err := s.Bindings().Load()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("after a restart: %+v, %v", got, err)
	}
}

func TestCallsAreKept(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "a.db"))
	at := time.UnixMilli(1_700_000_000_000)
	for i, id := range []string{"one", "two", "three"} {
		r := b2bua.Record{
			ID: id, Began: at.Add(time.Duration(i) * time.Hour), Ended: at.Add(time.Duration(i)*time.Hour + time.Minute),
			Source: leg.Source{Kind: leg.Phone, Name: "101"}, From: leg.Party{Number: "101"}, Dialed: "102",
			Answered: at.Add(time.Duration(i) * time.Hour), Route: dialplan.Route{Class: dialplan.National}, Payer: "103",
			Trail: dialplan.Trail{{Rule: "rule \"local\"", Verdict: "fits"}},
			Cause: leg.Busy.GivenBy("102"), Why: "102: user busy",
			Tape: "/tapes/" + id + ".wav", TapeFault: "not whole", Audio: []b2bua.Audio{{Hears: media.Quality{MOS: 4.25}}, {Hears: media.Quality{MOS: 3.5}}},
		}
		if err := s.Keep(r); err != nil {
			t.Fatal(err)
		}
	}
	s = again(t, s)
	if err := s.Forget(at.Add(30 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	calls, err := s.Calls(10)
	if err != nil || len(calls) != 2 || calls[0].ID != "three" || calls[1].ID != "two" {
		t.Fatalf("kept: %+v, %v", calls, err)
	}
	if c := calls[0]; c.Answered != c.Began || c.Cause != 17 || c.Status != 486 || c.Why != "102: user busy" || !c.Began.Equal(at.Add(2*time.Hour)) {
		t.Errorf("record: %+v", c)
	}
	if toll, err := s.Toll(at.Add(90 * time.Minute)); err != nil || toll["101"] != time.Minute || toll["103"] != time.Minute {
		t.Errorf("toll talk time since the second call: %v, %v", toll, err)
	}
	if c := calls[1]; c.Tape != "/tapes/two.wav" || c.TapeFault != "not whole" || c.CallerMOS != 4.25 || c.AnswererMOS != 3.5 {
		t.Errorf("record: %+v", c)
	}
	if c, ok, err := s.Call("two"); !ok || err != nil || !strings.Contains(c.Trail, "rule \"local\": fits") {
		t.Errorf("call two: %+v, %v", c, err)
	}
	if _, ok, err := s.Call("one"); ok || err != nil {
		t.Errorf("the forgotten call is found: %v", err)
	}
	if calls, _ := s.Calls(-1); len(calls) != 2 {
		t.Errorf("asked for all, got %d", len(calls))
	}
	if calls, _ := s.Calls(1); len(calls) != 1 {
		t.Errorf("asked for one, got %d", len(calls))
	}
}

func TestMemoryIsForgotten(t *testing.T) {
	for range 2 {
		s := openFile(t, Memory)
		if s.Settings("101").DoNotDisturb {
			t.Error("a store in memory has outlived itself")
		}
		if err := s.Change("101", func(set *dialplan.Settings) { set.DoNotDisturb = true }); err != nil || !s.Settings("101").DoNotDisturb {
			t.Errorf("it does not keep a setting: %v", err)
		}
		s.Close()
	}
}

func TestFileThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	newer := filepath.Join(dir, "newer.db")
	db, err := sql.Open("sqlite", newer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	noise := filepath.Join(dir, "noise.db")
	if err := os.WriteFile(noise, []byte(strings.Repeat("this is no database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		newer:                              "newer crosspoint",
		noise:                              "move the file away",
		filepath.Join(noise, "below a.db"): "give [store] file another place",
	} {
		_, err := Open(path)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
}
