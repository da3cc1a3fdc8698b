package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua"
	"crosspoint/dialplan"
	"crosspoint/internal/softphone"
	"crosspoint/internal/tomlfile"
)

// restarted are offices that follow one another on the same port and store.
type restarted struct {
	t    *testing.T
	text string
	o    *office
}

// again closes the office, if there is one, and opens the next.
func (r *restarted) again() *office {
	r.t.Helper()
	r.stop()
	cfg, plan, problems := decodeConfig("office.toml", []byte(r.text))
	if plan == nil {
		r.t.Fatal(tomlfile.Text(problems))
	}
	o, err := openOffice(cfg, plan, slog.New(slog.DiscardHandler))
	if err != nil {
		r.t.Fatal(err)
	}
	r.o = o
	return o
}

func (r *restarted) stop() {
	if r.o != nil {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		r.o.close(now)
		r.o = nil
	}
}

// TestRestart: after a restart a phone that registered before is called, what
// users set holds, calls are remembered with their trail, and the day's toll talk
// time counts.
func TestRestart(t *testing.T) {
	db := filepath.Join(t.TempDir(), "office.db")
	text := strings.NewReplacer(
		`["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]`, fmt.Sprintf(`"udp:%s"`, freeUDP(t)), `file = "off"`, fmt.Sprintf("file = %q", db),
	).Replace(testOffice) + `
[features]
do_not_disturb = "*78"
do_not_disturb_off = "*79"
`
	r := &restarted{t: t, text: text}
	defer r.stop()
	o := r.again()
	alice, bob := phoneOf(t, o, "101"), phoneOf(t, o, "102")
	out, in := connect(t, alice, bob, "102")
	out.Hangup()
	soon(t, "the hang-up arrives", closed(in.Done()))
	soon(t, "the call has ended", func() bool { return len(o.exchange.Ended()) == 1 })
	first := o.exchange.Ended()[0].ID

	o = r.again()
	if n := len(o.registrar.List()); n != 2 {
		t.Errorf("%d phones are registered after a restart, not 2", n)
	}
	out, in = connect(t, alice, bob, "102")
	out.Hangup()
	soon(t, "the hang-up arrives", closed(in.Done()))
	settle(t, bob, "*78")
	kept, err := o.history(-1)
	if err != nil || len(kept) != 3 || kept[0].ID != first || kept[0].Why != "101 hung up" || kept[0].Talked <= 0 {
		t.Errorf("calls kept: %+v, %v", kept, err)
	}
	if v, ok := o.call(first, false); !ok || !strings.Contains(v.Trail, "102") || v.Route == "" {
		t.Errorf("the call before the restart: %+v %v", v, ok)
	}
	talked := b2bua.Record{ID: "dear", Route: dialplan.Route{Class: dialplan.International}}
	talked.Source.Name, talked.Began = "101", time.Now()
	talked.Answered, talked.Ended = talked.Began, talked.Began.Add(time.Hour)
	o.memory.keep(talked)

	o = r.again()
	if d := o.memory.toll["101"]; d != time.Hour {
		t.Errorf("101 has talked %v on toll calls today, not 1 h", d)
	}
	call, err := alice.Call(context.Background(), "102")
	if err != nil {
		t.Fatal(err)
	}
	soon(t, "102 is not disturbed, also after a restart", closed(call.Done()))
	if call.Err() == nil {
		t.Error("the call to 102 did not fail")
	}
	settle(t, bob, "*79")
	out, _ = connect(t, alice, bob, "102")
	out.Hangup()
}

// settle dials a feature code and waits until it is done.
func settle(t *testing.T, phone *softphone.Phone, code string) {
	t.Helper()
	call, err := phone.Call(context.Background(), code)
	if err != nil {
		t.Fatal(err)
	}
	soon(t, code+" is confirmed and ended", closed(call.Done()))
	if call.Err() != nil || !closed(call.Answered())() {
		t.Fatalf("%s: %v", code, call.Err())
	}
}

// TestOldRecordsGo: records are kept for a time, and at least for the day.
func TestOldRecordsGo(t *testing.T) {
	m, err := openMemory(filepath.Join(t.TempDir(), "a.db"), 0, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	for i, age := range []time.Duration{time.Hour, 25 * time.Hour, 100 * time.Hour} {
		m.keep(b2bua.Record{ID: fmt.Sprint(i), Began: time.Now().Add(-age)})
	}
	if calls, err := m.calls(-1); len(calls) != 3 || err != nil {
		t.Errorf("%d kept, %v", len(calls), err)
	}
	m.keepCalls(50 * time.Hour)
	if calls, _ := m.calls(-1); len(calls) != 2 {
		t.Errorf("after a limit of 50 h %d are kept, not 2", len(calls))
	}
	m.keepCalls(0)
	if calls, _ := m.calls(-1); len(calls) != 1 || calls[0].ID != "0" {
		t.Errorf("without a limit %v are kept, not today's", calls)
	}
}

func TestWhereTheStoreIs(t *testing.T) {
	cfg := &Config{}
	cfg.File = "/etc/crosspoint/front.toml"
	t.Setenv("XDG_STATE_HOME", "/var/tmp/state")
	t.Setenv("STATE_DIRECTORY", "")
	if got := cfg.storePath(); got != "/var/tmp/state/crosspoint/front.db" {
		t.Errorf("for a user: %s", got)
	}
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", "/nowhere/alice")
	if got := cfg.storePath(); got != "/nowhere/alice/.local/state/crosspoint/front.db" {
		t.Errorf("without XDG_STATE_HOME: %s", got)
	}
	t.Setenv("STATE_DIRECTORY", "/var/lib/crosspoint:/var/lib/other")
	if got := cfg.storePath(); got != "/var/lib/crosspoint/front.db" {
		t.Errorf("under systemd: %s", got)
	}
	cfg.Store.File = "/srv/calls.db"
	if got := cfg.storePath(); got != "/srv/calls.db" {
		t.Errorf("as written: %s", got)
	}
	cfg.Store.File = "off"
	if got := cfg.storePath(); got != "" {
		t.Errorf("off: %s", got)
	}
}

// TestDial: click to dial rings the phone and connects it; what the plan refuses
// rings nobody.
func TestDial(t *testing.T) {
	o, _ := serveTest(t, testOffice)
	alice, bob := phoneOf(t, o, "101"), phoneOf(t, o, "102")
	for number, want := range map[string]string{"": "no number", "999": "may not be connected with 999: 404"} {
		if _, err := o.dial("101", number); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("dial %q: %v", number, err)
		}
	}
	if _, err := o.dial("110", "102"); err == nil || !strings.Contains(err.Error(), `"110" is no phone`) {
		t.Errorf("for a stranger: %v", err)
	}
	id, err := o.dial("101", "102")
	if err != nil {
		t.Fatal(err)
	}
	first, second := <-alice.Incoming(), (*softphone.Call)(nil)
	first.Answer()
	select {
	case second = <-bob.Incoming():
	case <-time.After(10 * time.Second):
		t.Fatal("102 does not ring")
	}
	second.Answer()
	soon(t, "102 is connected", closed(second.Answered()))
	if v, ok := o.call(id, false); !ok || v.Dialed != "102" {
		t.Errorf("call %s: %+v", id, v)
	}
	first.Hangup()
	soon(t, "both have hung up", closed(second.Done()))
}
