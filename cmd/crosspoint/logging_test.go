package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestLogDraws(t *testing.T) {
	var out bytes.Buffer
	log, err := newLog(&out, Log{Level: "debug"})
	if err != nil {
		t.Fatal(err)
	}
	log.With("call", "7f3").Debug("ladder\n 101      b2bua\n  |--INVITE->|\n", "n", 1)
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 4 || !strings.Contains(lines[0], "msg=ladder call=7f3 n=1") || lines[1] != " 101      b2bua" || lines[2] != "  |--INVITE->|" {
		t.Errorf("logged\n%s", out.String())
	}
}

func TestLogLevels(t *testing.T) {
	for level, lines := range map[string]int{"": 1, "info": 1, "debug": 2, "error": 0} {
		for _, format := range []string{"", "text", "json"} {
			var out bytes.Buffer
			log, err := newLog(&out, Log{Level: level, Format: format})
			if err != nil {
				t.Fatal(err)
			}
			log.Debug("a")
			log.Info("b")
			if n := strings.Count(out.String(), "\n"); n != lines {
				t.Errorf("level %q, format %q: %d lines, not %d", level, format, n, lines)
			}
		}
	}
	if _, err := newLog(new(bytes.Buffer), Log{Level: "loud"}); err == nil {
		t.Error("level loud was taken")
	}
	if _, err := newLog(new(bytes.Buffer), Log{Format: "xml"}); err == nil {
		t.Error("format xml was taken")
	}
}
