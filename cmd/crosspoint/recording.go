package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"crosspoint/b2bua"
	"crosspoint/media/wav"
)

// open is what opens a call's file; nil: no call is recorded.
func (r Recording) open() func(b2bua.Record) (b2bua.Tape, error) {
	if r.Directory == "" {
		return nil
	}
	return r.record
}

// of tells whether what these say is recorded.
func (r Recording) of(talking []string) bool {
	return len(r.Of) == 0 || slices.ContainsFunc(talking, func(name string) bool { return slices.Contains(r.Of, name) })
}

// record opens the file of a call.
func (r Recording) record(call b2bua.Record) (b2bua.Tape, error) {
	name := fmt.Sprintf("%s-%s-%s-%s.wav", call.Began.Format("20060102-150405"), call.ID, plain(call.Source.Name), plain(call.Dialed))
	f, err := os.OpenFile(filepath.Join(r.Directory, name), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%s: [recording] directory: %w", r.Key("directory"), err)
	}
	w, err := wav.NewWriter(f, wav.Format{Channels: 2})
	if err != nil {
		f.Close()
		os.Remove(f.Name()) // there is nothing in it
		return nil, fmt.Errorf("%s: [recording] directory: %w", r.Key("directory"), err)
	}
	return &tapeFile{w, f}, nil
}

// plain leaves of a number what may stand in a file's name: others chose it.
func plain(number string) string {
	const longest = 32
	safe := strings.Map(func(c rune) rune {
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '+':
			return c
		}
		return '_'
	}, number)
	return safe[:min(len(safe), longest)]
}

// checkDirectory tells, as the exchange starts, that recordings could not be kept.
func (r Recording) checkDirectory() error {
	if r.Directory == "" {
		return nil
	}
	info, err := os.Stat(r.Directory)
	if err == nil && !info.IsDir() {
		err = errors.New("it is no directory")
	}
	if err != nil {
		return fmt.Errorf("%s: [recording] directory: %w: make it, readable only by who may hear the calls", r.Key("directory"), err)
	}
	return nil
}

// A tapeFile is a WAV file of a call.
type tapeFile struct {
	wav  *wav.Writer
	file *os.File
}

func (t *tapeFile) Name() string            { return t.file.Name() }
func (t *tapeFile) Write(pcm []int16) error { return t.wav.Write(pcm) }
func (t *tapeFile) Close() error            { return errors.Join(t.wav.Close(), t.file.Close()) }
