package b2bua_test

import (
	"context"
	"testing"
	"time"

	"crosspoint/b2bua/flow"
	"crosspoint/b2bua/leg"
)

func TestCall(t *testing.T) { // RFC 3665 §3.1, with a B2BUA
	flow.Test(t, "", func(f *flow.Flow) {
		f.Alice.Calls("bob")
		f.Bob.Rings()
		f.Wait(3 * time.Second)
		f.Bob.Answers()
		f.Hears(f.Alice, f.Bob)
		f.Alice.HangsUp()
		f.Ladder(`
			alice -> b2bua  INVITE bob
			b2bua -> bob    INVITE
			bob   -> b2bua  180
			b2bua -> alice  180
			bob   -> b2bua  200
			b2bua -> alice  200
			alice -> b2bua  BYE
			b2bua -> bob    BYE`)
		f.Ended("alice", "alice hung up")
		if r := f.Records[0]; r.Talked() < 200*time.Millisecond || r.Answered.Sub(r.Began) != 3*time.Second || r.Answerer != "bob" {
			t.Errorf("record: talked %s, rang %s, answerer %q", r.Talked(), r.Answered.Sub(r.Began), r.Answerer)
		}
		if f.Log.Line("call ended", "by=alice", "dialed=bob", "talked=") == "" {
			t.Error("no line at the end of the call")
		}
	})
}

func TestCalleeHangsUp(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		f.Alice.Calls("bob")
		f.Bob.Answers() // without ringing first
		f.Bob.HangsUp()
		f.Ladder(`
			alice -> b2bua  INVITE bob
			b2bua -> bob    INVITE
			bob   -> b2bua  200
			b2bua -> alice  200
			bob   -> b2bua  BYE
			b2bua -> alice  BYE`)
		f.Ended("bob", "bob hung up")
	})
}

func TestEarlyMedia(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		f.Alice.Calls("bob")
		f.Bob.Plays()
		f.HearsOnly(f.Alice, f.Bob)
		f.Bob.Rings() // no 180 after 183: alice already hears bob's ringback
		f.Bob.Answers()
		f.Hears(f.Alice, f.Bob)
		f.Bob.HangsUp()
		f.Ladder(`
			alice -> b2bua  INVITE bob
			b2bua -> bob    INVITE
			bob   -> b2bua  183 (SDP)
			b2bua -> alice  183 (SDP)
			bob   -> b2bua  180
			bob   -> b2bua  200
			b2bua -> alice  200
			bob   -> b2bua  BYE
			b2bua -> alice  BYE`)
	})
}

func TestCallerGivesUp(t *testing.T) {
	for name, act := range map[string]func(*flow.Phone){
		"before ringing": func(*flow.Phone) {},
		"while ringing":  (*flow.Phone).Rings,
		"early media":    (*flow.Phone).Plays,
	} {
		t.Run(name, func(t *testing.T) {
			flow.Test(t, "", func(f *flow.Flow) {
				f.Alice.Calls("bob")
				act(f.Bob)
				f.Ladder(map[string]string{
					"before ringing": "alice -> b2bua INVITE bob\nb2bua -> bob INVITE",
					"while ringing":  "alice -> b2bua INVITE bob\nb2bua -> bob INVITE\nbob -> b2bua 180\nb2bua -> alice 180",
					"early media":    "alice -> b2bua INVITE bob\nb2bua -> bob INVITE\nbob -> b2bua 183 (SDP)\nb2bua -> alice 183 (SDP)",
				}[name])
				f.Alice.HangsUp()
				f.Ladder("alice -> b2bua CANCEL\nb2bua -> bob CANCEL")
				f.Ended("alice", "hung up before anybody answered")
			})
		})
	}
}

// An answer that crosses our CANCEL is not an answer any more.
func TestAnswerCrossesCancel(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		f.Alice.Calls("bob")
		f.CrossAnswer(f.Alice, f.Bob)
		f.Ended("alice", "hung up before anybody answered")
		if f.Records[0].Answerer != "" {
			t.Error("the crossing answer counted")
		}
	})
}

// Every final failure reaches the caller with its meaning, and the record says
// it in words.
func TestFailuresArePassedOn(t *testing.T) {
	for status, why := range map[int]string{
		400: "temporary failure", 403: "call rejected", 404: "no such number", 408: "timer expired",
		410: "number changed", 480: "no user responding", 484: "number incomplete", 486: "user busy",
		488: "no codec in common", 500: "temporary failure", 503: "temporary failure", 600: "user busy",
		603: "call rejected", 604: "no such number", 606: "no codec in common",
	} {
		flow.Test(t, "", func(f *flow.Flow) {
			f.Alice.Calls("bob")
			f.Bob.Refuses(status)
			f.Ladder(`
				alice -> b2bua  INVITE bob
				b2bua -> bob    INVITE
				bob   -> b2bua  ` + itoa(status) + `
				b2bua -> alice  ` + itoa(status))
			f.Ended("bob", "bob: "+why)
			f.Ended("bob", "plan.toml:") // which line led there
		})
	}
}

func TestUnknownNumberNamesWhatWouldHelp(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		f.Alice.Calls("zebra")
		f.Ladder("alice -> b2bua INVITE zebra\nb2bua -> alice 404")
		f.Ended("b2bua", "zebra")
		f.Ended("b2bua", "plan.toml") // the file to write it into
	})
}

func TestPhoneSwitchedOff(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		f.Bob.Off = true
		f.Alice.Calls("bob")
		f.Ladder("alice -> b2bua INVITE bob\nb2bua -> alice 480")
		f.Ended("bob", "phone not registered")
	})
}

func TestNobodyAnswers(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		f.Alice.Calls("bob")
		f.Bob.Rings()
		f.Wait(10 * time.Minute)
		f.Ladder(`
			alice -> b2bua  INVITE bob
			b2bua -> bob    INVITE
			bob   -> b2bua  180
			b2bua -> alice  180
			b2bua -> bob    CANCEL
			b2bua -> alice  480`)
		f.Ended("b2bua", "no answer after")
	})
}

// Strangers reach nothing: closed by default.
func TestStrangerIsRefused(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		f.Alice.CallsAs(leg.Source{}, "bob")
		f.Ladder("alice -> b2bua INVITE bob\nb2bua -> alice 403")
		f.Ended("b2bua", "the dial plan refused")
	})
}

func TestLoopEnds(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		f.Alice.CallsWithHops(1, "bob")
		f.Ladder("alice -> b2bua INVITE bob\nb2bua -> alice 483")
		f.Ended("b2bua", "Max-Forwards")
	})
}

func TestStopping(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		f.Alice.Calls("bob")
		f.Bob.Answers()
		f.Carol.Calls("dave") // still ringing when time is up
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		done := make(chan int)
		go func() { done <- f.X.Drain(ctx) }()
		f.Settle()
		f.Ladder(`
			alice -> b2bua  INVITE bob
			b2bua -> bob    INVITE
			bob   -> b2bua  200
			b2bua -> alice  200
			carol -> b2bua  INVITE dave
			b2bua -> dave   INVITE`)
		f.Dave.CallsWithHops(0, "alice") // no new calls
		f.Ladder("dave -> b2bua INVITE alice\nb2bua -> dave 503")
		f.Hears(f.Alice, f.Bob) // but those in progress go on
		if left := <-done; left != 2 {
			t.Errorf("%d calls had to be hung up, want 2", left)
		}
		f.Settle()
		f.Ended("b2bua", "the exchange is being stopped")
	})
}

func TestStoppingWithoutCallsIsAtOnce(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		began := time.Now()
		if left := f.X.Drain(context.Background()); left != 0 || time.Since(began) != 0 {
			t.Errorf("%d calls left, after %s", left, time.Since(began))
		}
	})
}
