package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"crosspoint/gateway"
)

// What an operator does with one line: crosspoint lines test NAME, busy-out NAME
// and return NAME.

// lineTestTime is how long a line test may take: it waits out the line's guard
// time and for dial tone, and measures for 7 s.
const lineTestTime = 45 * time.Second

// lineWorker does it.
type lineWorker interface {
	testLine(ctx context.Context, line string) (lineTestView, error)
	busyOutLine(line string, out bool) (lineView, error)
}

// lineTestView is the report of a line test.
type lineTestView struct {
	Line  string         `json:"line"`
	Port  string         `json:"port"`
	At    time.Time      `json:"at"`
	OK    bool           `json:"ok"`
	Steps []lineTestStep `json:"steps"`
}

type lineTestStep struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Result string `json:"result"`
	Hint   string `json:"hint,omitempty"`
}

// lineRoutes adds what the control socket understands of it.
func lineRoutes(mux *http.ServeMux, office lineWorker) {
	answer := func(w http.ResponseWriter, v any, err error) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		reply(w, v)
	}
	mux.HandleFunc("POST /line/test", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		ctx, cancel := context.WithTimeout(r.Context(), lineTestTime)
		defer cancel()
		v, err := office.testLine(ctx, r.FormValue("line"))
		answer(w, v, err)
	})
	for path, out := range map[string]bool{"POST /line/busy-out": true, "POST /line/return": false} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			v, err := office.busyOutLine(r.FormValue("line"), out)
			answer(w, v, err)
		})
	}
}

// testLine implements informant.
func (o *office) testLine(ctx context.Context, line string) (lineTestView, error) {
	<-o.ready
	r, err := o.gateway.Test(ctx, line)
	if err != nil {
		return lineTestView{}, err
	}
	v := lineTestView{Line: r.Line, Port: r.Port, At: r.At, OK: r.OK()}
	for _, s := range r.Steps {
		v.Steps = append(v.Steps, lineTestStep{s.Name, s.OK, s.Result, s.Hint})
	}
	return v, nil
}

// busyOutLine implements informant.
func (o *office) busyOutLine(line string, out bool) (lineView, error) {
	<-o.ready
	if err := o.gateway.BusyOut(line, out); err != nil {
		return lineView{}, err
	}
	for deadline := time.Now().Add(time.Second); ; time.Sleep(5 * time.Millisecond) { // the line's owner obeys when it comes to it
		for _, s := range o.gateway.Lines() {
			if s.Line == line && (s.BusiedOut == out || time.Now().After(deadline)) {
				return viewLine(s), nil
			}
		}
	}
}

// lineWork is `crosspoint lines WHAT NAME`.
func lineWork(ctx context.Context, c console, t target, args []string) error {
	what := args[0]
	if what != "test" && what != "busy-out" && what != "return" {
		return usagef("%q is not test, busy-out or return", what)
	}
	switch {
	case len(args) < 2:
		return usagef("which line? crosspoint lines shows their names")
	case len(args) > 2:
		return none(args[2:])
	}
	a, err := t.asker()
	if err != nil {
		return err
	}
	form := url.Values{"line": {args[1]}}
	if what == "test" {
		a.patience = lineTestTime + 5*time.Second
		var v lineTestView
		if err := a.order(ctx, "/line/test", form, &v); err != nil {
			return err
		}
		return showLineTest(c, t.json, v)
	}
	var v lineView
	if err := a.order(ctx, "/line/"+what, form, &v); err != nil {
		return err
	}
	if t.json {
		return printJSON(c, v)
	}
	c.printf("line %s: %s%s\n", v.Line, v.State, map[bool]string{true: "; a call on it goes on, no other is placed", false: ""}[what == "busy-out" && v.State != "busied out"])
	return nil
}

// showLineTest prints the report; a line that is not good makes the command fail.
func showLineTest(c console, asJSON bool, v lineTestView) error {
	if asJSON {
		if err := printJSON(c, v); err != nil {
			return err
		}
	} else {
		r := gateway.TestReport{Line: v.Line, Port: v.Port, At: v.At}
		for _, s := range v.Steps {
			r.Steps = append(r.Steps, gateway.TestStep{Name: s.Name, OK: s.OK, Result: s.Result, Hint: s.Hint})
		}
		fmt.Fprint(c.out, r)
	}
	if !v.OK {
		return errSaid
	}
	return nil
}
