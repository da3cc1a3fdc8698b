package wiring

import "testing"

func TestCallerIDStandard(t *testing.T) {
	for _, row := range []struct{ kind, country, want string }{
		{"", "us", ""}, {"none", "us", ""}, {"japan", "jp", "ntt"},
		{"bell202", "de", "bellcore"}, {"v23", "us", "etsi"}, {"uk", "us", "bt"},
		{"dtmf", "nl", "dtmf-d"}, {"dtmf", "dk", "dtmf-a"}, {"dtmf", "us", "dtmf-a"},
	} {
		if got := callerIDStandard(row.kind, row.country); got != row.want {
			t.Errorf("caller_id = %q in %q is %q, not %q", row.kind, row.country, got, row.want)
		}
	}
}
