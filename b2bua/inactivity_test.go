package b2bua_test

import (
	"testing"
	"time"

	"crosspoint/b2bua"
	"crosspoint/b2bua/flow"
)

// ended ends calls in which nothing is heard for a minute.
func ended(any bool) b2bua.Config {
	return b2bua.Config{Inactivity: b2bua.Inactivity{After: time.Minute, Any: any, Origin: "office.toml:7"}}
}

// lasts checks that the call goes on for that long and is over a moment later.
func lasts(t *testing.T, f *flow.Flow, d time.Duration) {
	t.Helper()
	f.Wait(d - time.Millisecond)
	if len(f.X.Calls()) != 1 {
		t.Fatalf("the call has ended before %v", d)
	}
	f.Wait(2 * time.Millisecond)
	if len(f.X.Calls()) != 0 {
		t.Fatalf("the call goes on after %v", d)
	}
}

func TestCallOfTheGoneIsEnded(t *testing.T) {
	flow.TestWith(t, "", ended(false), func(f *flow.Flow) {
		talking(f)
		f.Wait(50 * time.Second)
		f.Bob.Speaks() // alice never does
		f.Wait(50 * time.Second)
		f.Alice.Reports() // she is mute, and there
		lasts(t, f, time.Minute)
		f.Ended("b2bua", "the call was cut off: nothing was heard from alice and bob for 1m0s, neither audio nor RTCP (by b2bua): "+
			"has the phone lost its power or its network? office.toml:7 ends such calls")
		if f.Log.Line("call ended", "level=WARN", "nothing was heard from alice and bob") == "" {
			t.Error("the log does not say why the call ended")
		}
	})
}

func TestCallWithOneGone(t *testing.T) {
	for _, any := range []bool{false, true} {
		flow.TestWith(t, "", ended(any), func(f *flow.Flow) {
			talking(f)
			f.Wait(30 * time.Second)
			f.Alice.Speaks()
			f.Wait(29 * time.Second)
			f.Alice.Speaks() // bob never does
			if any {
				lasts(t, f, time.Second)
				f.Ended("b2bua", "nothing was heard from bob for 1m0s")
				return
			}
			f.Wait(50 * time.Second)
			f.Alice.Reports()
			lasts(t, f, time.Minute)
		})
	}
}

func TestOnHoldNobodyIsMissed(t *testing.T) {
	flow.TestWith(t, "", ended(true), func(f *flow.Flow) {
		talking(f)
		f.Wait(50 * time.Second)
		f.Bob.Holds()
		f.Wait(3 * time.Minute)
		f.Bob.Resumes()
		lasts(t, f, time.Minute)
		f.Ended("b2bua", "nothing was heard from")
	})
}

func TestNobodyIsMissedWhilePlacesRingOrAPartyIsParked(t *testing.T) {
	flow.TestWith(t, flow.Numbered, ended(true), func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Bob.Rings()
		f.Wait(2 * time.Minute)
		f.Bob.Answers()
		f.Bob.Refers("*701")
		f.Wait(2 * time.Minute) // below the three after which bob is called back
		if len(f.X.Calls()) != 1 {
			t.Fatal("the parked party was cut off")
		}
		f.Alice.HangsUp()
	})
}

func TestAnnouncedSilenceMayLast(t *testing.T) { // RFC 3389
	flow.TestWith(t, "", ended(true), func(f *flow.Flow) {
		talking(f)
		f.Bob.Pauses()
		f.Alice.Pauses()
		lasts(t, f, 10*time.Minute)
	})
}

func TestWhoComesLaterHasTheWholeTime(t *testing.T) {
	flow.TestWith(t, "", ended(true), func(f *flow.Flow) {
		talking(f)
		f.Wait(50 * time.Second)
		f.Bob.Refers("carol")
		f.Wait(20 * time.Second) // carol rings
		f.Carol.Answers()
		lasts(t, f, time.Minute)
		f.Ended("b2bua", "nothing was heard from")
	})
}

func TestConferenceIsEndedWhenAllAreGone(t *testing.T) {
	flow.TestWith(t, flow.Numbered, ended(false), func(f *flow.Flow) {
		consulting(f)
		f.Alice.Flashes()
		f.Wait(30 * time.Second)
		f.Carol.Speaks()
		lasts(t, f, time.Minute)
		f.Ended("b2bua", "nothing was heard from alice and bob and carol")
	})
}

func TestEmergencyCallIsNeverEndedForSilence(t *testing.T) {
	flow.TestWith(t, limited, ended(true), func(f *flow.Flow) {
		f.Alice.Calls("911")
		f.Carol.Answers()
		f.Dave.Answers() // who is told of it
		f.Wait(time.Hour)
		f.Hears(f.Alice, f.Carol)
		f.Alice.HangsUp()
	})
}

func TestNoCallIsEndedForSilenceUnlessToldSo(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Wait(24 * time.Hour)
		f.Alice.HangsUp()
	})
}
