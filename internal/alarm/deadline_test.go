package alarm_test

import (
	"testing"
	"time"

	"crosspoint/internal/alarm"
)

func TestDeadlines(t *testing.T) {
	never, early, late := time.Time{}, time.Unix(1, 0), time.Unix(2, 0)
	for _, tc := range []struct {
		of   []time.Time
		want time.Time
	}{
		{nil, never}, {[]time.Time{never, never}, never}, {[]time.Time{never, late}, late}, {[]time.Time{early, never}, early},
		{[]time.Time{late, never, early}, early}, {[]time.Time{early, late}, early},
	} {
		if got := alarm.Sooner(tc.of...); !got.Equal(tc.want) {
			t.Errorf("the soonest of %v is %v, want %v", tc.of, got, tc.want)
		}
	}
	if alarm.Due(never, late) || alarm.Due(late, early) || !alarm.Due(late, late) || !alarm.Due(early, late) {
		t.Error("a deadline comes at its time, and never if it is zero")
	}
}
