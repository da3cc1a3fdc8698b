package main

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua"
	"crosspoint/b2bua/leg"
	"crosspoint/internal/exposition"
	"crosspoint/media"
)

// TestMetrics asks an office for its metrics by HTTP, as a monitor does.
func TestMetrics(t *testing.T) {
	sample := strings.Replace(guideBlock(t, "[metrics]"), ":9760", ":0", 1) // any port
	o, _ := serveTest(t, testOffice+testLines+sample)
	get := func() exposition.Values {
		t.Helper()
		time.Sleep(metricsFresh) // a page of its own
		res, err := http.Get("http://" + o.monitored.at.String() + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != exposition.ContentType {
			t.Fatalf("%s, %s, %v", res.Status, res.Header.Get("Content-Type"), err)
		}
		values, err := exposition.Read(string(text))
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		return values
	}
	defer http.DefaultClient.CloseIdleConnections()
	alice, bob := phoneOf(t, o, "101"), phoneOf(t, o, "102")
	soon(t, "the lines come into service", func() bool { return get()[`crosspoint_line_state{line="fxo1",state="idle"}`] == 1 })
	call, in := connect(t, alice, bob, "102")
	soon(t, "audio flows", func() bool { return get()[`crosspoint_rtp_packets_total{direction="in"}`] > 4 })
	now := get()
	call.Hangup()
	soon(t, "the hang-up arrives", closed(in.Done()))
	soon(t, "the call has ended", func() bool { return len(o.exchange.Ended()) == 1 })
	after := get()
	for name, want := range map[string][2]float64{ // while the call goes on, and after it
		"crosspoint_calls_in_progress":                                  {1, 0},
		`crosspoint_calls_ended_total{cause="16",answered="yes"}`:       {0, 1},
		"crosspoint_call_talk_seconds_count":                            {0, 1},
		`crosspoint_call_jitter_seconds_count{direction="from_caller"}`: {0, 1},
		"crosspoint_registrations":                                      {2, 2},
		`crosspoint_phone_registered{extension="101"}`:                  {1, 1},
		`crosspoint_card_up{card="card1"}`:                              {1, 1},
		`crosspoint_line_state{line="fxo1",state="failed"}`:             {0, 0},
		`crosspoint_trunk_lines{trunk="pstn",state="idle"}`:             {1, 1},
		`crosspoint_trunk_calls{trunk="pstn"}`:                          {0, 0},
		"crosspoint_rtp_port_pairs":                                     {2500, 2500},
		"crosspoint_rtp_port_pairs_in_use":                              {2, 0},
		"crosspoint_rtp_ports_exhausted_total":                          {0, 0},
		`crosspoint_rtp_packets_dropped_total{reason="stranger"}`:       {0, 0},
		"crosspoint_sip_retransmissions_total":                          {0, 0},
		"crosspoint_recordings_total":                                   {0, 0},
	} {
		for i, v := range [...]exposition.Values{now, after} {
			if got, ok := v[name]; got != want[i] || !ok && want[i] != 0 {
				t.Errorf("%s is %v (told: %v), not %v", name, got, ok, want[i])
			}
		}
	}
	for _, name := range []string{"crosspoint_sip_dialogs", `crosspoint_sip_messages_total{direction="out"}`, "process_cpu_seconds_total",
		"process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_start_time_seconds", "go_goroutines", "go_memstats_heap_alloc_bytes"} {
		if now[name] <= 0 {
			t.Errorf("%s is %v", name, now[name])
		}
	}
	if _, err := openMetrics(o.monitored.at, o, o.log); err == nil || !strings.Contains(err.Error(), "is in use by this program itself: stop that program, or give [metrics] listen another port") {
		t.Errorf("the port is taken: %v", err)
	}
	for name, was := range now {
		if strings.Contains(name, "_total") && after[name] < was {
			t.Errorf("%s fell from %v to %v", name, was, after[name])
		}
	}
}

// TestMetricsAreDocumented: the operator's guide names each metric, and none
// that is not there.
func TestMetricsAreDocumented(t *testing.T) {
	o, _ := serveTest(t, testOffice)
	guide, err := os.ReadFile(filepath.Join(top, "docs", "operators-guide.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := o.metrics()
	names := func(pattern string, in string) map[string]bool {
		found := map[string]bool{}
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(in, -1) {
			found[m[1]] = true
		}
		return found
	}
	there, told := names(`(?m)^# HELP (\S+)`, page), names(`\b((?:crosspoint|process|go)_[a-z0-9_]+)\b`, string(guide))
	for name := range there {
		if !told[name] {
			t.Errorf("the guide does not tell of %s", name)
		}
	}
	for name := range told {
		if !there[name] {
			t.Errorf("the guide tells of %s, which is not there", name)
		}
	}
}

func TestTally(t *testing.T) {
	tl := newTally()
	began := time.Unix(1_000_000, 0)
	tl.count(b2bua.Record{Began: began, Ended: began.Add(time.Minute), Cause: leg.Busy})
	tl.count(b2bua.Record{Began: began, Ended: began.Add(time.Minute), Cause: leg.Cause{Q850: 4711}, TapeFault: "not recorded: disk full"})
	for _, mos := range []float64{4.4, 3.7} {
		tl.count(b2bua.Record{
			Began: began, Answered: began, Ended: began.Add(90 * time.Second), Cause: leg.NormalClearing, Tape: "a.wav", Silent: []string{"102"},
			Audio: []b2bua.Audio{
				{Hears: media.Quality{R: 92, MOS: mos}, Stats: media.Stats{Received: 90, Lost: 10, Jitter: 3 * time.Millisecond}},
				{Hears: media.Quality{R: 65, MOS: 3.3}}, // never heard
			},
		})
	}
	var p exposition.Page
	tl.show(&p)
	got, err := exposition.Read(p.String())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{
		`crosspoint_calls_ended_total{cause="17",answered="no"}`:               1,
		`crosspoint_calls_ended_total{cause="0",answered="no"}`:                1,
		`crosspoint_calls_ended_total{cause="16",answered="yes"}`:              2,
		"crosspoint_call_talk_seconds_sum":                                     180,
		`crosspoint_call_mos_bucket{direction="to_caller",le="4.34"}`:          1,
		`crosspoint_call_mos_count{direction="to_caller"}`:                     2,
		`crosspoint_call_mos_bucket{direction="to_answerer",le="3.6"}`:         2,
		`crosspoint_call_r_factor_bucket{direction="to_answerer",le="70"}`:     2,
		`crosspoint_call_r_factor_bucket{direction="to_answerer",le="60"}`:     0,
		`crosspoint_call_jitter_seconds_sum{direction="from_caller"}`:          0.006,
		`crosspoint_call_loss_ratio_bucket{direction="from_caller",le="0.1"}`:  2,
		`crosspoint_call_loss_ratio_bucket{direction="from_caller",le="0.05"}`: 0,
		`crosspoint_call_loss_ratio_count{direction="from_answerer"}`:          0,
		"crosspoint_recordings_total":                                          2,
		"crosspoint_calls_silent_total":                                        2,
		"crosspoint_recordings_failed_total":                                   1,
	} {
		if v, ok := got[name]; v != want || !ok {
			t.Errorf("%s is %v (told: %v), not %v", name, v, ok, want)
		}
	}
}

// A pipes is a listener on a network in memory, under fake time.
type pipes struct {
	conns chan net.Conn
	over  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.over:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.over); return nil }
func (p *pipes) Addr() net.Addr { return new(net.TCPAddr) }

// counting is an office that counts how often it is asked.
type counting struct {
	informed
	made *int
}

func (c counting) metrics() string { *c.made++; return "" }

// dial connects to the listener.
func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours
}

// TestBadMonitors: whoever is slow, greedy or asks for something else is turned
// away, and the next is served.
func TestBadMonitors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{make(chan net.Conn), make(chan struct{})}
		s := serveMetrics(l, informed{}, slog.New(slog.DiscardHandler))
		defer s.Close()
		// ask sends a text and returns what comes back until the end, and when that was.
		ask := func(c net.Conn, text string) (string, time.Duration) {
			began := time.Now()
			c.SetWriteDeadline(began.Add(time.Second)) // what is not read is not waited for
			io.WriteString(c, text)
			answer, _ := io.ReadAll(c)
			c.Close()
			return string(answer), time.Since(began)
		}
		made := 0
		asked := metricsPage(counting{made: &made})
		for range 10 {
			asked(httptest.NewRecorder(), nil)
			time.Sleep(metricsFresh / 2)
		}
		if made != 5 {
			t.Errorf("%d pages were made for ten who asked within half a second", made)
		}
		const head = " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
		if got, _ := ask(l.dial(), "GET /metrics"+head); !strings.HasSuffix(got, "# a page\n") {
			t.Errorf("answered\n%s", got)
		}
		if got, after := ask(l.dial(), "GET /metrics HTTP/1.1\r\n"); after != metricsPatience {
			t.Errorf("half a request is waited for: %v, %s", after, got)
		}
		for text, want := range map[string]string{
			"POST /metrics" + head: "405", "GET /secrets" + head: "404", "nonsense\r\n\r\n": "400",
			"GET /" + head: "see /metrics", "GET /metrics HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 1<<14) + "\r\n\r\n": "431",
		} {
			if got, _ := ask(l.dial(), text); !strings.Contains(got, want) {
				t.Errorf("%.40q: %s", text, got)
			}
		}
		slow := l.dial() // asks, and does not read
		go io.WriteString(slow, "GET /metrics"+head)
		time.Sleep(metricsPatience + time.Second)
		if text, _ := io.ReadAll(bufio.NewReader(slow)); strings.Contains(string(text), "a page") {
			t.Errorf("the answer waited for who did not read: %s", text)
		}
		slow.Close()

		var idle []net.Conn
		for range metricsConns {
			idle = append(idle, l.dial())
		}
		synctest.Wait()
		if got, after := ask(l.dial(), "GET /metrics"+head); got != "" || after != 0 {
			t.Errorf("one too many is answered: %v %s", after, got)
		}
		for _, c := range idle {
			c.Close()
		}
		synctest.Wait()
		if got, _ := ask(l.dial(), "GET /metrics"+head); !strings.HasSuffix(got, "# a page\n") {
			t.Errorf("answered\n%s", got)
		}
	})
}
