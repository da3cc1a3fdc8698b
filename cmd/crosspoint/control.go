package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// informant is who the control socket asks: the office.
type informant interface {
	status() statusView
	lines() []lineView
	// metrics are the office's as text.
	metrics() string
	calls() []callView
	// history are the latest ended calls kept, oldest first; negative: all.
	history(most int) ([]callView, error)
	// dial calls an extension and connects it with a number; it returns the call's id.
	dial(from, number string) (string, error)
	// reload reads the office file again.
	reload() reloadView
	lineWorker
	postman
	// call is one call with its ladder; an empty id is the latest. False: there is none.
	call(id string, times bool) (callView, bool)
}

// A control is the unix socket by which the tools ask the running office, in
// JSON over HTTP. Only its owner may connect.
type control struct {
	path   string
	server *http.Server
	done   chan struct{} // closed as Serve returns
}

// openControl listens at path; an empty path gives a control that does nothing.
func openControl(path string, office informant, log *slog.Logger) (*control, error) {
	c := &control{path: path, done: make(chan struct{})}
	if path == "" {
		close(c.done)
		return c, nil
	}
	listener, err := listenUnix(path)
	if err != nil {
		return nil, err
	}
	c.server = &http.Server{Handler: routes(office), ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	go func() { // ended by Close
		defer close(c.done)
		if err := c.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Warn("the control socket is gone: crosspoint lines, calls and ladder have no answer", "socket", path, "error", err)
		}
	}()
	return c, nil
}

// listenUnix opens the socket for its owner alone. One that a dead process has
// left is replaced; one that answers is another exchange's.
func listenUnix(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("control socket %s: %w: give [control] socket another path", path, err)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
			conn.Close()
			who := "another exchange"
			if v, err := (asker{path: path}).status(context.Background()); err == nil {
				who = fmt.Sprintf("another exchange, process %d (%s)", v.PID, v.File)
			}
			return nil, fmt.Errorf("control socket %s is in use by %s: stop that one, or give [control] socket another path", path, who)
		}
		_ = os.Remove(path)
	}
	old := syscall.Umask(0o177) // the socket is never open to others, not even for a moment
	listener, err := net.Listen("unix", path)
	syscall.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("control socket %s: %w: give [control] socket another path", path, err)
	}
	return listener, nil
}

// maxForm bounds what is read of a request, in bytes.
const maxForm = 1 << 16

func routes(office informant) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) { reply(w, office.status()) })
	mux.HandleFunc("GET /lines", func(w http.ResponseWriter, r *http.Request) { reply(w, office.lines()) })
	mux.HandleFunc("GET /metrics", metricsPage(office))
	mux.HandleFunc("GET /calls", func(w http.ResponseWriter, r *http.Request) { reply(w, office.calls()) })
	mux.HandleFunc("GET /history", func(w http.ResponseWriter, r *http.Request) {
		most, err := strconv.Atoi(orElse(r.URL.Query().Get("last"), "-1"))
		if err != nil {
			http.Error(w, "last is not a number", http.StatusBadRequest)
			return
		}
		calls, err := office.history(most)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		reply(w, calls)
	})
	mux.HandleFunc("POST /dial", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		id, err := office.dial(r.FormValue("from"), r.FormValue("number"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		reply(w, dialView{Call: id})
	})
	mux.HandleFunc("POST /reload", func(w http.ResponseWriter, r *http.Request) { reply(w, office.reload()) })
	lineRoutes(mux, office)
	messageRoutes(mux, office)
	mux.HandleFunc("GET /call", func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Query().Get("id")
		call, ok := office.call(id, r.URL.Query().Has("times"))
		if !ok {
			http.Error(w, fmt.Sprintf("there is no call %q among those in progress and those kept", id), http.StatusNotFound)
			return
		}
		reply(w, call)
	})
	return mux
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// Close takes the socket away.
func (c *control) Close() error {
	if c.server == nil {
		return nil
	}
	err := c.server.Close()
	<-c.done
	return err
}

// An asker asks a running office over its control socket.
type asker struct {
	path     string
	patience time.Duration // for the answer. Zero means 10 s
}

func (a asker) status(ctx context.Context) (v statusView, err error) {
	err = a.ask(ctx, "/status", &v)
	return v, err
}

// ask gets a view. Its errors say what is not running.
func (a asker) ask(ctx context.Context, path string, into any) error {
	return a.do(ctx, http.MethodGet, path, nil, into)
}

// order posts a form and gets what came of it.
func (a asker) order(ctx context.Context, path string, form url.Values, into any) error {
	return a.do(ctx, http.MethodPost, path, form, into)
}

// text gets a page as it is.
func (a asker) text(ctx context.Context, path string) (text string, err error) {
	err = a.do(ctx, http.MethodGet, path, nil, &text)
	return text, err
}

// do asks, and decodes the JSON that comes, or copies what comes into a string.
func (a asker) do(ctx context.Context, method, path string, form url.Values, into any) error {
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", a.path)
	}}
	defer transport.CloseIdleConnections()
	patience := a.patience
	if patience == 0 {
		patience = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, (&url.URL{Scheme: "http", Host: "crosspoint"}).String()+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return a.explain(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		return errors.New(strings.TrimSpace(string(text)))
	}
	if text, ok := into.(*string); ok {
		all, err := io.ReadAll(res.Body)
		*text = string(all)
		return err
	}
	return json.NewDecoder(res.Body).Decode(into)
}

func (a asker) explain(err error) error {
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no exchange answers at %s: is it running? Start it with: crosspoint serve FILE; if its file names another [control] socket, add --config FILE", a.path)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s belongs to another user: run this as the user who runs the exchange", a.path)
	}
	return fmt.Errorf("%s: %w", a.path, err)
}
