package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"crosspoint/internal/softphone"
	"crosspoint/internal/witness"
	"crosspoint/media/measure"
)

// A baresip is a running baresip, led by its control socket (module ctrl_tcp).
// It says a file (module aufile) and keeps what it hears (module sndfile).
type baresip struct {
	t      *testing.T
	cmd    *exec.Cmd
	log    *output
	dir    string
	conn   net.Conn
	events chan baresipEvent
	said   chan string // its answers to commands
	ear    *ear
}

// baresipEvent is an event, or the answer to a command.
type baresipEvent struct {
	Event bool   `json:"event"`
	Type  string `json:"type"`
	Param string `json:"param"`
	Peer  string `json:"peeruri"`
	Data  string `json:"data"`
}

const baresipConfig = `poll_method epoll
sip_listen 127.0.0.1:0
call_local_timeout 120
call_max_calls 4
audio_player %[4]s
audio_source aufile,%[1]s/said.wav
audio_alert aubridge,nowhere
audio_level no
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_stats no
ringback_disabled yes
rtp_ports 40000-49999
module_path %[2]s
%[5]smodule g711.so
module aufile.so
module aubridge.so
module alsa.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:%[3]d
snd_path %[1]s
`

// startBaresip starts a baresip with one account. What it says is pcm, then
// half a minute of silence: at its file's end it would hang up.
func startBaresip(t *testing.T, account string, pcm []int16) *baresip {
	t.Helper()
	return runBaresip(t, account, pcm, "aubridge,nowhere")
}

// runBaresip is startBaresip with a sound device to play to, and with modules that
// are loaded before all others.
func runBaresip(t *testing.T, account string, pcm []int16, player string, modules ...string) *baresip {
	t.Helper()
	b := &baresip{t: t, dir: t.TempDir(), log: new(output), events: make(chan baresipEvent, 64), said: make(chan string, 64)}
	b.ear = openEar(t, b.dir)
	port := freePort(t)
	places, err := filepath.Glob("/usr/lib*/baresip/modules")
	more, _ := filepath.Glob("/usr/lib/*/baresip/modules")
	if places = append(places, more...); err != nil || len(places) == 0 {
		t.Fatal("baresip's modules are not below /usr/lib: is baresip-core installed whole?")
	}
	witness.Save(t, filepath.Join(b.dir, "said.wav"), append(slices.Clone(pcm), make([]int16, 30*8000)...))
	before := ""
	for _, m := range modules {
		before += "module " + m + ".so\n"
	}
	config := fmt.Sprintf(baresipConfig, b.dir, places[0], port, player, before)
	for name, text := range map[string]string{"config": config, "accounts": account + "\n", "contacts": ""} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.cmd = exec.Command("baresip", "-4", "-f", b.dir)
	b.cmd.Env = append(os.Environ(), "ALSA_CONFIG_PATH="+b.ear.config)
	b.cmd.Stdout, b.cmd.Stderr = b.log, b.log
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.stop)
	eventually(t, "baresip's control socket is open", 10*time.Second, func() bool {
		b.conn, err = net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
		return err == nil
	})
	go b.read() // ended by stop
	return b
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (b *baresip) stop() {
	if b.conn != nil {
		b.conn.Close()
	}
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
	if b.t.Failed() {
		b.t.Logf("baresip said:\n%s", b.log)
	}
}

// read takes the netstrings that ctrl_tcp writes: "12:{…},".
func (b *baresip) read() {
	defer close(b.events)
	in := bufio.NewReader(b.conn)
	for {
		size, err := in.ReadString(':')
		n, err2 := strconv.Atoi(strings.TrimSuffix(size, ":"))
		if err != nil || err2 != nil {
			return
		}
		text := make([]byte, n+1)
		if _, err := io.ReadFull(in, text); err != nil {
			return
		}
		var ev baresipEvent
		if json.Unmarshal(text[:n], &ev) != nil {
			continue
		}
		if !ev.Event {
			select {
			case b.said <- ev.Data:
			default:
			}
			continue
		}
		select {
		case b.events <- ev:
		default:
		}
	}
}

func (b *baresip) command(name, parameters string) {
	b.t.Helper()
	text, _ := json.Marshal(map[string]string{"command": name, "params": parameters})
	if _, err := fmt.Fprintf(b.conn, "%d:%s,", len(text), text); err != nil {
		b.t.Fatalf("baresip: %s: %v", name, err)
	}
}

// expect waits for an event.
func (b *baresip) expect(kind string) baresipEvent {
	b.t.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case ev, ok := <-b.events:
			if !ok {
				b.t.Fatalf("baresip has ended while %s was waited for", kind)
			}
			if ev.Type == kind {
				return ev
			}
			if strings.HasSuffix(ev.Type, "_FAIL") {
				b.t.Fatalf("baresip reports %s %s, not %s", ev.Type, ev.Param, kind)
			}
		case <-late:
			b.t.Fatalf("baresip does not report %s within 10 s", kind)
		}
	}
}

// heard is what baresip has decoded in its only call, until the first change of
// the session: after that its recorder has nothing more to keep, an ear has.
func (b *baresip) heard() []int16 {
	b.t.Helper()
	files, _ := filepath.Glob(filepath.Join(b.dir, "dump-*-dec.wav"))
	if len(files) != 1 {
		b.t.Fatalf("baresip has kept %d recordings of what it heard, not 1", len(files))
	}
	return witness.Load(b.t, files[0])
}

// signal is a signal of three seconds that can be found again.
func signal(seed uint64) []int16 {
	pcm := make([]int16, 3*8000)
	measure.NewSignal(seed, -16).Read(pcm)
	return pcm
}

// sounds checks that what was said was heard, as loud and clean as G.711 lets it be.
func sounds(t *testing.T, what string, said, heard []int16) {
	t.Helper()
	r := measure.Compare(said, heard)
	t.Logf("%s: %d ms, gain %+.2f dB, SNR %.1f dB, %d slips", what, 20*(r.Segments-r.Lost), r.Gain, r.SNR, r.Slips)
	switch {
	case !r.Heard():
		t.Errorf("%s: nothing of it was heard", what)
	case r.Segments-r.Lost < 100:
		t.Errorf("%s: only %d ms of it were heard", what, 20*(r.Segments-r.Lost))
	case r.SNR < 25:
		t.Errorf("%s: signal-to-noise ratio %.1f dB", what, r.SNR)
	case r.Gain < -1 || r.Gain > 1:
		t.Errorf("%s: gain %+.1f dB", what, r.Gain)
	}
}

const twoPhones = `
country = "us"
[[phone]]
extension = "101"
name = "Alice"
secret = "alice-Fig7-lantern"
[[phone]]
extension = "102"
name = "Bob"
secret = "bob-Oak3-harbour"
`

// bob is phone 102 of twoPhones, registered.
func bob(t *testing.T, server netip.AddrPort) *softphone.Phone {
	t.Helper()
	return phone(t, softphone.Config{User: "102", Name: "Bob", Secret: "bob-Oak3-harbour", Server: server})
}

// phone is a softphone, registered.
func phone(t *testing.T, cfg softphone.Config) *softphone.Phone {
	t.Helper()
	p, err := softphone.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := p.Register(ctx); err != nil {
		t.Fatal(err)
	}
	return p
}

func baresipAccount(x *exchange, transport, more string) string {
	return fmt.Sprintf("<sip:101@%s;transport=%s>;auth_user=101;auth_pass=alice-Fig7-lantern;regint=120;audio_codecs=PCMU/8000/1,PCMA/8000/1%s",
		x.address(transport), transport, more)
}

// TestBaresipCalls: baresip registers and calls; both hear one another; the
// other side hangs up.
func TestBaresipCalls(t *testing.T) {
	real(t, "baresip")
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			x := start(t, twoPhones)
			before := x.status()
			phone := bob(t, x.udp)
			said := signal(1)
			b := startBaresip(t, baresipAccount(x, transport, ""), said)
			x.registers("101")
			b.command("dial", fmt.Sprintf("sip:102@%s", x.address(transport))) // baresip adds the account's transport
			in := waitForCall(t, phone)
			if in.Number != "101" {
				t.Errorf("102 sees the caller %q, not 101", in.Number)
			}
			answers := signal(2)
			in.Say(answers)
			in.Answer()
			b.expect("CALL_ESTABLISHED")
			time.Sleep(4 * time.Second) // the talk is real
			in.Hangup()
			b.expect("CALL_CLOSED")
			sounds(t, "102 hears baresip", said, in.Heard())
			sounds(t, "baresip hears 102", answers, b.heard())
			b.command("quit", "")
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := phone.Unregister(ctx); err != nil {
				t.Error(err)
			}
			x.settle(before)
		})
	}
}

// TestBaresipIsCalled: baresip is called, answers by itself, and hangs up.
func TestBaresipIsCalled(t *testing.T) {
	real(t, "baresip")
	x := start(t, twoPhones)
	phone := bob(t, x.udp)
	said := signal(1)
	b := startBaresip(t, baresipAccount(x, "udp", ";answermode=auto"), said)
	x.registers("101")
	out, err := phone.Call(context.Background(), "101")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "baresip rings and sees the caller 102", 10*time.Second, func() bool {
		return strings.Contains(b.log.String(), "from sip:102@") // its own words; it answers by itself and gives no event
	})
	select {
	case <-out.Answered():
	case <-out.Done():
		t.Fatalf("the call failed: %v", out.Err())
	case <-time.After(10 * time.Second):
		t.Fatal("baresip did not answer within 10 s")
	}
	answers := signal(2)
	out.Say(answers)
	time.Sleep(4 * time.Second) // the talk is real
	b.command("hangup", "")
	select {
	case <-out.Done():
	case <-time.After(5 * time.Second):
		t.Error("baresip's hang-up did not reach 102")
	}
	sounds(t, "102 hears baresip", said, out.Heard())
	sounds(t, "baresip hears 102", answers, b.heard())
}

// TestBaresipWrongPassword: baresip is told that it may not register.
func TestBaresipWrongPassword(t *testing.T) {
	real(t, "baresip")
	x := start(t, twoPhones)
	b := startBaresip(t, strings.Replace(baresipAccount(x, "udp", ""), "lantern", "wrong", 1), signal(1))
	eventually(t, "baresip is told that it may not", 10*time.Second, func() bool { return strings.Contains(b.log.String(), "403 Forbidden") })
	if n := len(x.status().Registrations); n != 0 {
		t.Errorf("%d phones are registered", n)
	}
}

// registers waits until a phone is registered.
func (x *exchange) registers(phone string) {
	x.t.Helper()
	eventually(x.t, "phone "+phone+" is registered", 10*time.Second, func() bool {
		for _, r := range x.status().Registrations {
			if r.Phone == phone {
				return true
			}
		}
		return false
	})
}

func waitForCall(t *testing.T, p *softphone.Phone) *softphone.Call {
	t.Helper()
	select {
	case c := <-p.Incoming():
		return c
	case <-time.After(10 * time.Second):
		t.Fatal("the phone did not ring within 10 s")
		return nil
	}
}
