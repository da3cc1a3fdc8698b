package linesim_test

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/gateway/linesim"
	"crosspoint/internal/tomlfile"
)

// typist types at a modem, and reads what it answers.
type typist struct {
	t   *testing.T
	rw  io.ReadWriteCloser
	out chan string
}

func atModem(t *testing.T, cfg linesim.ModemConfig, body func(ty *typist, sim *linesim.Sim)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim, err := linesim.New(linesim.Config{Modems: []linesim.ModemConfig{cfg}})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		rw, err := sim.Modem("modem1").Open()
		if err != nil {
			t.Fatal(err)
		}
		defer rw.Close()
		ty := &typist{t, rw, make(chan string, 1000)}
		go func() { // ends as the line is closed
			defer close(ty.out)
			lines := bufio.NewScanner(rw)
			for lines.Scan() {
				if s := strings.Trim(lines.Text(), "\r"); s != "" {
					ty.out <- s
				}
			}
		}()
		body(ty, sim)
	})
}

// types sends a line and returns what comes back within the time.
func (ty *typist) types(line string, wait time.Duration) string {
	ty.t.Helper()
	if _, err := io.WriteString(ty.rw, line+"\r"); err != nil {
		ty.t.Fatal(err)
	}
	time.Sleep(wait)
	var all []string
	for {
		select {
		case s, ok := <-ty.out:
			if ok {
				all = append(all, s)
				continue
			}
		default:
		}
		return strings.Join(all, "|")
	}
}

// TestModemCommands: what a terminal program sees.
func TestModemCommands(t *testing.T) {
	atModem(t, linesim.ModemConfig{Family: "conexant"}, func(ty *typist, sim *linesim.Sim) {
		for _, c := range []struct {
			line string
			wait time.Duration
			want string
		}{
			{"AT", 100 * time.Millisecond, "AT|OK"},
			{"ATE0", 100 * time.Millisecond, "ATE0|OK"},
			{"at", 100 * time.Millisecond, "OK"},
			{"ATI3", 100 * time.Millisecond, "CX93001-EIS_V0.2013-V92|OK"},
			{"AT+VSM=?", 100 * time.Millisecond, "ERROR"}, // not in voice mode
			{"AT+FCLASS=?", 100 * time.Millisecond, "0,1,8|OK"},
			{"ATS0=0Q0V1+FCLASS=8;+FCLASS?", 100 * time.Millisecond, "8|OK"},
			{"AT+VSM=129,8000", 100 * time.Millisecond, "ERROR"},
			{"AT+VSM=131,8000;+VSD=0,0", 100 * time.Millisecond, "OK"},
			{"AT+XYZ", 100 * time.Millisecond, "ERROR"},
			{"AT#VBS=4", 100 * time.Millisecond, "ERROR"},
			{"hello", 100 * time.Millisecond, "ERROR"},
			{"AT+VTS=5", 100 * time.Millisecond, "ERROR"}, // on-hook
			{"ATD5550101", 20 * time.Second, "BUSY"},
			{"ATD7773660", 20 * time.Second, "VCON"},
			{"ATH", time.Second, "OK"},
			{"ATA", time.Second, "ERROR"}, // nobody rings
		} {
			if got := ty.types(c.line, c.wait); got != c.want {
				t.Errorf("%s: %q, not %q", c.line, got, c.want)
			}
		}
		if rec, ok := sim.Town().LastCall("7773660"); !ok || rec.Answered.IsZero() {
			t.Error("not answered")
		}
	})
}

// TestModemTones: what +VTS makes is what the town hears.
func TestModemTones(t *testing.T) {
	atModem(t, linesim.ModemConfig{}, func(ty *typist, sim *linesim.Sim) {
		ty.types("ATE0+FCLASS=8;+VLS=1", 2*time.Second)
		if got := ty.types("AT+VTS=7,7,{7,10},3,6,6,0", 3*time.Second); !strings.HasSuffix(got, "OK") {
			t.Errorf("%q", got)
		}
		time.Sleep(3 * time.Second)
		if st := sim.Modem("modem1").Line().Status(); st.Dialed != "7773660" || st.State != "talking" {
			t.Errorf("%+v", st)
		}
		if got := ty.types("AT+VTS=x", time.Second); !strings.HasSuffix(got, "ERROR") {
			t.Errorf("%q", got)
		}
	})
}

// TestModemReportsRings: +VDR has each ring and each pause told, and RING when no
// other ring follows; a modem that refuses it goes on saying RING.
func TestModemReportsRings(t *testing.T) {
	double := linesim.Subscriber{Number: "5551234", NoCallerID: true, GiveUp: 3 * time.Second,
		Cadence: []time.Duration{800 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, 4 * time.Second}}
	for _, c := range []struct {
		quirk       linesim.ModemQuirk
		line, heard string
	}{
		{"", "AT+VDR=?", "(0,1),(0-255)|OK"},
		{"", "AT+VDR=2,0", "ERROR"},
		{"", "AT+VDR=1,0", "OK|DROF=255|DRON=8|DROF=4|DRON=8"},
		{"", "AT+VDR=1,5", "OK|DROF=255|DRON=8|DROF=4|DRON=8|RING"},
		{"", "AT+VDR=0,0", "OK|RING|RING"},
		{linesim.NoCadence, "AT+VDR=1,5", "ERROR|RING|RING"},
		{linesim.MuteCadence, "AT+VDR=1,5", "OK|RING"},
	} {
		cfg := linesim.ModemConfig{Family: "usr", Quirks: []linesim.ModemQuirk{c.quirk}}
		if c.quirk == "" {
			cfg.Quirks = nil
		}
		atModem(t, cfg, func(ty *typist, sim *linesim.Sim) {
			if got := ty.types("AT+VDR=1,0", 100*time.Millisecond); got != "AT+VDR=1,0|ERROR" {
				t.Errorf("outside of voice mode: %q", got)
			}
			ty.types("ATE0+FCLASS=8", 26*time.Second) // long enough after the start for the first pause to be the longest
			said := ty.types(c.line, 100*time.Millisecond)
			if strings.Contains(c.heard, "RING") || strings.Contains(c.heard, "DRON") {
				if err := sim.Town().Ring("fxo1", double); err != nil {
					t.Fatal(err)
				}
				said += "|" + ty.types("", 4*time.Second)
			}
			if said != c.heard {
				t.Errorf("%s: %q, not %q", c.line, said, c.heard)
			}
		})
	}
}

// TestModemInTownFile: a town of modems only, and what is wrong with one.
func TestModemInTownFile(t *testing.T) {
	cfg, problems := load(t, "[[modem]]\nname = \"m\"\nfamily = \"usr\"\nquirks = [\"stray-u\"]\nskew_ppm = 20.0\n[[line]]\nnumber = \"301\"\n")
	if len(problems) > 0 {
		t.Fatal(tomlfile.Text(problems))
	}
	sim, err := linesim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	if m := sim.Modem("m"); m == nil || m.Line().Number() != "301" || len(sim.Cards()) != 0 {
		t.Errorf("%+v", cfg)
	}
	for line, want := range map[string]string{"status": "voice modem (usr) on line fxo1", "hang m 1s": "", "quirk m forgetful stray-u": "", "quirk m": ""} {
		if got, err := sim.Command(line); err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %q %v", line, got, err)
		}
	}
	for line, want := range map[string]string{"hang": "which modem", "hang x": "no modem", "hang m soon": "write a time", "quirk m magic": "no quirk", "unplug": "no card"} {
		if _, err := sim.Command(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
	for text, want := range map[string]string{
		"[[modem]]\nfamily = \"acme\"":       "conexant",
		"[[modem]]\nquirks = [\"magic\"]":    "no quirk",
		"[[modem]]\nlost_bytes = 2.0":        "between 0 and 0.5",
		"[[modem]]\nname = \"a\"\nspeed = 9": "speed",
	} {
		_, problems := load(t, text)
		if got := tomlfile.Text(problems); !tomlfile.Fatal(problems) || !strings.Contains(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
	for _, m := range []linesim.ModemConfig{{Family: "acme"}, {Quirks: []linesim.ModemQuirk{"magic"}}, {SkewPPM: 1e9}} {
		if sim, err := linesim.New(linesim.Config{Modems: []linesim.ModemConfig{m}}); err == nil {
			sim.Close()
			t.Errorf("%+v was taken", m)
		}
	}
}
