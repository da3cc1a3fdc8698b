package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// file is a writer in memory that can seek, as an os.File can.
type file struct {
	b  []byte
	at int
}

func (f *file) Write(p []byte) (int, error) {
	if need := f.at + len(p); need > len(f.b) {
		f.b = append(f.b, make([]byte, need-len(f.b))...)
	}
	f.at += copy(f.b[f.at:], p)
	return len(p), nil
}

func (f *file) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
		f.at = int(offset)
	case io.SeekEnd:
		f.at = len(f.b) + int(offset)
	}
	return int64(f.at), nil
}

// write makes a file of pcm.
func write(t *testing.T, format Format, pcm []int16) []byte {
	t.Helper()
	var f file
	w, err := NewWriter(&f, format)
	if err != nil {
		t.Fatal(err)
	}
	for len(pcm) > 0 {
		n := min(len(pcm), 333)
		if err := w.Write(pcm[:n]); err != nil {
			t.Fatal(err)
		}
		pcm = pcm[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.b
}

// readAll reads all samples in odd pieces.
func readAll(t *testing.T, b []byte) (Format, []int16) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	var pcm []int16
	block := make([]int16, 777)
	for {
		n, err := r.Read(block)
		pcm = append(pcm, block[:n]...)
		if err == io.EOF {
			return r.Format(), pcm
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func sine(hz, peak float64, rate, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(math.Round(peak * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
	}
	return pcm
}

func strength(pcm []int16, hz float64) float64 {
	var re, im float64
	for i, s := range pcm {
		w := 2 * math.Pi * hz * float64(i) / 8000
		re += float64(s) * math.Cos(w)
		im += float64(s) * math.Sin(w)
	}
	return 2 * math.Hypot(re, im) / float64(len(pcm))
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	pcm := sine(440, 20000, 8000, 4001)
	for _, f := range []Format{
		{PCM16, 1, 8000}, {PCM16, 2, 8000}, {MuLaw, 1, 8000}, {ALaw, 1, 8000}, {PCM16, 1, 44100},
	} {
		b := write(t, f, pcm)
		if size := binary.LittleEndian.Uint32(b[4:]); int(size) != len(b)-8 || len(b)%2 != 0 {
			t.Errorf("%v: the header says %d bytes, the file has %d", f, size, len(b))
		}
		format, got := readAll(t, b)
		if format != f || len(got) != len(pcm) {
			t.Errorf("%v: read %v, %d samples of %d", f, format, len(got), len(pcm))
			continue
		}
		for i := range pcm {
			if d := math.Abs(float64(got[i]) - float64(pcm[i])); d > 520 || (f.Encoding == PCM16 && d != 0) {
				t.Errorf("%v: sample %d is %d, was %d", f, i, got[i], pcm[i])
				break
			}
		}
	}
}

func TestZeroFormatIsTelephonePCM(t *testing.T) {
	format, got := readAll(t, write(t, Format{}, []int16{1, -2, 3}))
	if format != (Format{PCM16, 1, 8000}) || !slices.Equal(got, []int16{1, -2, 3}) {
		t.Errorf("%v %v", format, got)
	}
}

func TestRecordingThatWasCutOffCanBeRead(t *testing.T) {
	var f file
	w, err := NewWriter(&f, Format{Channels: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write([]int16{1, 2, 3, 4}); err != nil {
		t.Fatal(err)
	}
	if _, got := readAll(t, f.b); !slices.Equal(got, []int16{1, 2, 3, 4}) { // Close was never called
		t.Errorf("%v", got)
	}
	if _, got := readAll(t, f.b[:len(f.b)-3]); !slices.Equal(got, []int16{1, 2}) {
		t.Errorf("%v", got)
	}
}

// broken fails after some bytes, as a full disk does.
type broken struct {
	file
	room int
}

var errFull = errors.New("no space left on device")

func (b *broken) Write(p []byte) (int, error) {
	if len(p) > b.room {
		return 0, errFull
	}
	b.room -= len(p)
	return b.file.Write(p)
}

func TestWriterKeepsItsFirstError(t *testing.T) {
	w, err := NewWriter(&broken{room: 100}, Format{})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		err = w.Write(make([]int16, 20))
	}
	if !errors.Is(err, errFull) || !errors.Is(w.Close(), errFull) {
		t.Errorf("Write says %v, Close %v", err, w.Close())
	}
	if _, err := NewWriter(&broken{room: 10}, Format{}); !errors.Is(err, errFull) {
		t.Errorf("NewWriter says %v", err)
	}
	w = &Writer{w: &file{}, format: Format{PCM16, 1, 8000}, size: maxData - 1}
	if err := w.Write([]int16{1}); !errors.Is(err, ErrFull) {
		t.Errorf("beyond 4 GiB: %v", err)
	}
	for _, f := range []Format{{Encoding: 85}, {Channels: 33}, {Rate: -1}} {
		if _, err := NewWriter(&file{}, f); err == nil {
			t.Errorf("%v was accepted", f)
		}
	}
}

func TestLoadMakesTelephoneAudioOfAnything(t *testing.T) {
	for _, test := range []struct {
		rate, channels int
	}{{8000, 1}, {8000, 2}, {16000, 1}, {44100, 2}, {48000, 1}, {11025, 1}, {6000, 1}} {
		mono := sine(1000, 10000, test.rate, test.rate)
		var pcm []int16
		for _, s := range mono {
			for range test.channels {
				pcm = append(pcm, s)
			}
		}
		got, err := Load(bytes.NewReader(write(t, Format{PCM16, test.channels, test.rate}, pcm)))
		if err != nil || len(got) != 8000 {
			t.Errorf("%+v: %d samples of a second, %v", test, len(got), err)
			continue
		}
		if s := strength(got[800:7200], 1000); s < 9800 || s > 10200 {
			t.Errorf("%+v: 1 kHz of 10000 became %.0f", test, s)
		}
	}
}

func TestLoadKeepsWhatTelephonesCannotCarryOut(t *testing.T) {
	// 6 kHz at 48 kHz would come back as 2 kHz at 8 kHz.
	got, err := Load(bytes.NewReader(write(t, Format{Rate: 48000}, sine(6000, 10000, 48000, 48000))))
	if err != nil {
		t.Fatal(err)
	}
	if s := strength(got[800:7200], 2000); s > 30 {
		t.Errorf("6 kHz came back as 2 kHz at %.0f", s)
	}
}

func TestLoadMixesChannels(t *testing.T) {
	got, err := Load(bytes.NewReader(write(t, Format{Channels: 2}, []int16{100, 300, -5, 5, 32767, 32767})))
	if err != nil || !slices.Equal(got, []int16{200, 0, 32767}) {
		t.Errorf("%v, %v", got, err)
	}
}

// chunked builds a file of any chunks.
func chunked(chunks ...any) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WAVE")
	for i := 0; i < len(chunks); i += 2 {
		body := chunks[i+1].([]byte)
		b = append(b, chunks[i].(string)...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
		b = append(b, body...)
		if len(body)%2 != 0 {
			b = append(b, 0)
		}
	}
	return b
}

func TestUnusualFiles(t *testing.T) {
	format := Format{PCM16, 1, 8000}.put(nil)
	audio := []byte{1, 0, 2, 0}
	ext := append(slices.Clone(format), make([]byte, 24)...)
	binary.LittleEndian.PutUint16(ext, uint16(extensible))
	binary.LittleEndian.PutUint16(ext[24:], uint16(PCM16))
	for name, b := range map[string][]byte{
		"a list before the audio": chunked("LIST", []byte("odd"), "fmt ", format, "fact", audio, "data", audio),
		"a longer format":         chunked("fmt ", append(slices.Clone(format), 0, 0), "data", audio),
		"an extensible format":    chunked("fmt ", ext, "data", audio),
		"something after it":      chunked("fmt ", format, "data", audio, "LIST", []byte("tail")),
	} {
		if _, got := readAll(t, b); !slices.Equal(got, []int16{1, 2}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWhatCannotBePlayedIsRefusedWithAReason(t *testing.T) {
	format := func(change func(b []byte)) []byte {
		b := Format{PCM16, 1, 8000}.put(nil)
		change(b)
		return chunked("fmt ", b, "data", []byte{0, 0})
	}
	put := binary.LittleEndian.PutUint16
	for want, b := range map[string][]byte{
		"does not begin with RIFF":                  []byte("ID3\x03 this is no WAV file"),
		"ends before its audio begins":              chunked("fmt ", Format{PCM16, 1, 8000}.put(nil)),
		"begins before its format":                  chunked("data", []byte{0, 0}),
		"format chunk has 4 bytes":                  chunked("fmt ", []byte{1, 0, 1, 0}),
		"format 0x55; convert it: sox":              format(func(b []byte) { put(b, 0x55) }), // MP3
		"its samples have 24 bits; convert it: sox": format(func(b []byte) { put(b[14:], 24) }),
		"0 channels":                                format(func(b []byte) { put(b[2:], 0) }),
		"0 Hz":                                      format(func(b []byte) { binary.LittleEndian.PutUint32(b[4:], 0) }),
	} {
		_, err := Load(bytes.NewReader(b))
		if !errors.Is(err, ErrFormat) || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if _, err := Load(bytes.NewReader(nil)); !errors.Is(err, ErrFormat) {
		t.Errorf("an empty file: %v", err)
	}
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errFull }

func TestReadErrorsAreNotTheEnd(t *testing.T) {
	b := write(t, Format{}, make([]int16, 100))
	r, err := NewReader(io.MultiReader(bytes.NewReader(b[:60]), errorReader{}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]int16, 100)); !errors.Is(err, errFull) {
		t.Errorf("%v", err)
	}
}

func TestFileOnDisk(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.wav")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWriter(f, Format{Channels: 2})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if err := w.Write(make([]int16, 320)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if format, pcm := readAll(t, b); format.Channels != 2 || len(pcm) != 16000 {
		t.Errorf("%v, %d samples", format, len(pcm))
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(chunked("fmt ", Format{MuLaw, 2, 11025}.put(nil), "data", []byte{1, 2, 3, 4, 5}))
	f.Add(chunked("LIST", []byte("x"), "fmt ", Format{PCM16, 1, 8000}.put(nil), "data", []byte{1, 2, 3}))
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		pcm, err := Load(bytes.NewReader(b))
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Errorf("an error that does not say what is wrong: %v", err)
		}
		if len(pcm) > 2*len(b) { // a rate of 4000 is the lowest
			t.Errorf("%d bytes became %d samples", len(b), len(pcm))
		}
	})
}
