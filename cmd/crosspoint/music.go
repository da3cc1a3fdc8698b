package main

import (
	"errors"
	"fmt"
	"os"

	"crosspoint/media/wav"
)

// loadMusic reads the file that held parties hear; nil is silence.
func loadMusic(m Music) ([]int16, error) {
	if m.File == "" {
		return nil, nil
	}
	f, err := os.Open(m.File)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: [music] file: there is no %s", m.Key("file"), m.File)
	} else if err != nil {
		return nil, fmt.Errorf("%s: [music] file: %w", m.Key("file"), err)
	}
	defer f.Close()
	pcm, err := wav.Load(f)
	if err != nil {
		return nil, fmt.Errorf("%s: [music] file %s: %w", m.Key("file"), m.File, err)
	}
	return pcm, nil
}

// saveWAV writes samples as a WAV file.
func saveWAV(path string, pcm []int16) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w, err := wav.NewWriter(f, wav.Format{})
	if err != nil {
		return err
	}
	if err := w.Write(pcm); err != nil {
		return err
	}
	return w.Close()
}
