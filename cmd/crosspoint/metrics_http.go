package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"crosspoint/internal/exposition"
)

// Limits of who asks for metrics: a monitor asks once in some seconds and reads
// the answer at once. Whoever does otherwise is cut off, and takes nothing from
// calls.
const (
	metricsPatience = 5 * time.Second // for a request, and for the answer to be read
	metricsIdle     = 2 * time.Minute // between two requests of one connection
	metricsHeader   = 8 << 10         // bytes
	metricsConns    = 8               // connections at once; further ones are closed

	metricsFresh = 100 * time.Millisecond // for how long a page is given to others who ask
)

// A metricsServer serves /metrics by HTTP.
type metricsServer struct {
	at     netip.AddrPort // with the port that it got
	server *http.Server
	done   chan struct{} // closed as Serve returns
}

// openMetrics listens there; an invalid address gives nil, which serves nothing.
func openMetrics(at netip.AddrPort, office informant, log *slog.Logger) (*metricsServer, error) {
	if !at.IsValid() {
		return nil, nil
	}
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
	if err != nil {
		return nil, explainListen(socket{"tcp", at}, "[metrics] listen", err)
	}
	m := serveMetrics(l, office, log)
	m.at = l.Addr().(*net.TCPAddr).AddrPort()
	return m, nil
}

// serveMetrics serves by a listener.
func serveMetrics(l net.Listener, office informant, log *slog.Logger) *metricsServer {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", metricsPage(office))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Crosspoint: see /metrics\n") })
	m := &metricsServer{
		done: make(chan struct{}),
		server: &http.Server{
			Handler: mux, ReadHeaderTimeout: metricsPatience, ReadTimeout: metricsPatience, WriteTimeout: metricsPatience,
			IdleTimeout: metricsIdle, MaxHeaderBytes: metricsHeader, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
	}
	go func() { // ended by Close
		defer close(m.done)
		if err := m.server.Serve(newFewAtOnce(l, metricsConns)); !errors.Is(err, http.ErrServerClosed) {
			log.Warn("metrics are served no more", "listen", l.Addr(), "error", err)
		}
	}()
	return m
}

// Close ends it; on nil it does nothing.
func (m *metricsServer) Close() {
	if m == nil {
		return
	}
	_ = m.server.Close()
	<-m.done
}

// metricsPage answers with the office's metrics. Whoever asks too often gets the
// same page again.
func metricsPage(office informant) http.HandlerFunc {
	var mu sync.Mutex
	var page string
	var made time.Time // when page was
	return func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		if time.Since(made) >= metricsFresh {
			page, made = office.metrics(), time.Now()
		}
		text := page
		mu.Unlock()
		w.Header().Set("Content-Type", exposition.ContentType)
		_, _ = io.WriteString(w, text) // whoever has gone misses nothing
	}
}

// fewAtOnce is a listener that closes connections beyond a number at once.
type fewAtOnce struct {
	net.Listener
	places chan struct{} // one is taken for each connection
}

func newFewAtOnce(l net.Listener, most int) *fewAtOnce {
	return &fewAtOnce{l, make(chan struct{}, most)}
}

// Accept returns the next connection for which there is a place.
func (l *fewAtOnce) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.places <- struct{}{}:
			return &placed{Conn: c, places: l.places}, nil
		default:
			c.Close()
		}
	}
}

// placed gives its place back when it is closed.
type placed struct {
	net.Conn
	places chan struct{}
	left   sync.Once
}

func (c *placed) Close() error {
	c.left.Do(func() { <-c.places })
	return c.Conn.Close()
}
