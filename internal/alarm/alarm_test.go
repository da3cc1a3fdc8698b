package alarm_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/internal/alarm"
)

// rings is how long the alarm takes to ring; an hour: it does not.
func rings(a *alarm.Alarm) time.Duration {
	from := time.Now()
	select {
	case <-a.C():
	case <-time.After(time.Hour):
	}
	return time.Since(from)
}

func TestAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := alarm.New()
		defer a.Stop()
		for _, tc := range []struct {
			name string
			set  func()
			want time.Duration
		}{
			{"not set", func() {}, time.Hour},
			{"ahead", func() { a.Set(time.Now().Add(time.Minute)) }, time.Minute},
			{"now", func() { a.Set(time.Now()) }, 0},
			{"past", func() { a.Set(time.Now().Add(-time.Minute)) }, 0},
			{"past, then ahead", func() {
				a.Set(time.Now().Add(-time.Minute))
				a.Set(time.Now().Add(time.Second))
			}, time.Second},
			{"rung, not read, then ahead", func() {
				a.Set(time.Now().Add(time.Second))
				time.Sleep(2 * time.Second)
				a.Set(time.Now().Add(time.Minute))
			}, time.Minute},
			{"stopped", func() { a.Set(time.Now()); a.Stop() }, time.Hour},
		} {
			tc.set()
			if got := rings(a); got != tc.want {
				t.Errorf("%s: rings after %v, want %v", tc.name, got, tc.want)
			}
		}
	})
}

// Many owners with deadlines that have passed, under the race detector.
func TestManyPastDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var owners sync.WaitGroup
		for range 8 {
			owners.Go(func() {
				a := alarm.New()
				defer a.Stop()
				for range 2000 {
					a.Set(time.Now())
					<-a.C()
					a.Set(time.Now().Add(time.Microsecond))
					<-a.C()
				}
			})
		}
		owners.Wait()
	})
}

func TestNoAllocation(t *testing.T) {
	a := alarm.New()
	defer a.Stop()
	if n := testing.AllocsPerRun(100, func() {
		a.Set(time.Now())
		<-a.C()
		a.Set(time.Now().Add(time.Hour))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
