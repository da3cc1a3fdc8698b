package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// newLog makes the log that the office writes: a line an event, but a drawing
// (a call's ladder at debug level) as it is drawn.
func newLog(w io.Writer, l Log) (*slog.Logger, error) {
	var level slog.Level
	if l.Level != "" {
		if err := level.UnmarshalText([]byte(l.Level)); err != nil {
			return nil, fmt.Errorf("log level %q is not one of debug, info, warn, error", l.Level)
		}
	}
	options := &slog.HandlerOptions{Level: level}
	switch l.Format {
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	case "", "text":
		return slog.New(newDrawing(w, options)), nil
	}
	return nil, fmt.Errorf("log format %q is not text or json", l.Format)
}

// drawing is a text handler that writes what follows the first line of a
// message below the line, unquoted.
type drawing struct {
	slog.Handler
	out *lockedBuffer
}

// lockedBuffer holds one record until it is written whole.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
	w   io.Writer
}

func newDrawing(w io.Writer, options *slog.HandlerOptions) drawing {
	out := &lockedBuffer{w: w}
	return drawing{slog.NewTextHandler(&out.buf, options), out}
}

func (d drawing) Handle(ctx context.Context, r slog.Record) error {
	head, figure, drawn := strings.Cut(r.Message, "\n")
	r.Message = head
	d.out.mu.Lock()
	defer d.out.mu.Unlock()
	d.out.buf.Reset()
	if err := d.Handler.Handle(ctx, r); err != nil {
		return err
	}
	if drawn {
		d.out.buf.WriteString(strings.TrimRight(figure, "\n") + "\n")
	}
	_, err := d.out.w.Write(d.out.buf.Bytes())
	return err
}

func (d drawing) WithAttrs(attrs []slog.Attr) slog.Handler {
	return drawing{d.Handler.WithAttrs(attrs), d.out}
}

func (d drawing) WithGroup(name string) slog.Handler {
	return drawing{d.Handler.WithGroup(name), d.out}
}
