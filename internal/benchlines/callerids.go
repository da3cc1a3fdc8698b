package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"crosspoint/gateway/callerid"
	"crosspoint/internal/dsp"
	"crosspoint/internal/g168"
	"crosspoint/media/wav"
)

// callerIDs compares the reading of Bell 202 caller ID with minimodem.
func callerIDs(trials int) (table, error) {
	t := table{
		title: "Caller ID",
		about: fmt.Sprintf("%d Bell 202 messages for each level and each noise, with number, name and time, through µ-law. "+
			"Read is a message whose number and name are right; minimodem is `minimodem --rx callerid`.", trials),
		columns: []string{"level", "noise", "ours read", "minimodem read"},
	}
	dir, err := os.MkdirTemp("", "benchlines")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(dir)
	type line struct{ level, below float64 } // below: dB of the noise below the message; zero: none
	var lines []line
	for _, level := range []float64{-5, -13.5, -25, -32, -38} {
		lines = append(lines, line{level, 0})
	}
	for _, below := range []float64{25, 20, 15, 12, 9, 6} {
		lines = append(lines, line{-13.5, below})
	}
	for _, l := range lines {
		ours, theirs := 0, 0
		for i := range trials {
			id := callerid.CallerID{Number: fmt.Sprintf("201555%04d", 100+37*i), Name: fmt.Sprintf("CALLER %d", i), Time: callerid.Time{Month: 6, Day: 1 + i%28, Hour: i % 24, Minute: 7 * i % 60}}
			pcm := message(id, l.level, l.below, uint64(i+1))
			if got, ok := callerid.NewReceiver().Receive(pcm); ok && got == id {
				ours++
			}
			ok, err := minimodemReads(filepath.Join(dir, "id.wav"), pcm, id)
			if err != nil {
				return t, err
			}
			if ok {
				theirs++
			}
		}
		noise := "none"
		if l.below > 0 {
			noise = fmt.Sprintf("%.0f dB below", l.below)
		}
		t.add(float64(ours-theirs), fmt.Sprintf("%.1f dBm0", l.level), noise, share(ours, trials), share(theirs, trials))
	}
	return t, nil
}

// message is what a line carries between the first ring and the second.
func message(id callerid.CallerID, level, below float64, seed uint64) []int16 {
	pcm := make([]int16, 2*dsp.SampleRate)
	s := callerid.NewSender(id, callerid.Config{Level: level})
	s.Read(pcm[dsp.SampleRate/2:])
	if below > 0 {
		for i, n := range g168.WhiteNoise(seed, level-below, len(pcm)) {
			pcm[i] = dsp.Clip(float64(pcm[i]) + float64(n))
		}
	}
	return g168.Coded(pcm)
}

func minimodemReads(path string, pcm []int16, id callerid.CallerID) (bool, error) {
	f, err := os.Create(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	w, err := wav.NewWriter(f, wav.Format{})
	if err != nil {
		return false, err
	}
	if err := w.Write(pcm); err != nil {
		return false, err
	}
	if err := w.Close(); err != nil {
		return false, err
	}
	out, err := exec.Command("minimodem", "--rx", "callerid", "-q", "-R", "8000", "-f", path).Output()
	if _, failed := err.(*exec.ExitError); err != nil && !failed { // it ends with an error when it heard nothing
		return false, err
	}
	plain := strings.ReplaceAll(string(out), "-", "") // 201-555-0100
	return strings.Contains(plain, id.Number) && strings.Contains(string(out), id.Name), nil
}
