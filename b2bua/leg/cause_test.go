package leg

import "testing"

// RFC 3398 §7.2.4.1 and §8.2.6.1, both ways.
func TestCauseHasBothNumbers(t *testing.T) {
	for _, c := range []struct {
		in           Cause
		q850, status int
		text         string
	}{
		{Cause{Status: 486}, 17, 486, "user busy"},
		{Cause{Status: 600}, 17, 600, "user busy"},
		{Cause{Status: 404}, 1, 404, "no such number"},
		{Cause{Status: 480}, 18, 480, "no user responding"},
		{Cause{Status: 403}, 21, 403, "call rejected"},
		{Cause{Status: 499}, 127, 499, "interworking, unspecified"},
		{Cause{Status: 599}, 41, 599, "temporary failure"},
		{Cause{Status: 302}, 23, 302, "redirected"},
		{Cause{Q850: 17}, 17, 486, "user busy"},
		{Cause{Q850: 34}, 34, 503, "all lines busy"},
		{Cause{Q850: 77}, 77, 500, "cause 77, status 500"},
		{Cause{}, 0, 200, "cause 0, status 200"},
	} {
		f := c.in.Filled()
		if f.Q850 != c.q850 || f.Status != c.status || f.Text != c.text {
			t.Errorf("%+v becomes %d, %d, %q; want %d, %d, %q", c.in, f.Q850, f.Status, f.Text, c.q850, c.status, c.text)
		}
	}
}

func TestCauseWords(t *testing.T) {
	c := NotRegistered.GivenBy("102").WithHint("%s:%d", "office.toml", 41)
	if got := c.Error(); got != "phone not registered: office.toml:41" {
		t.Error(got)
	}
	if got := c.String(); got != `20 "phone not registered"` {
		t.Error(got)
	}
	if NotRegistered.By != "" {
		t.Error("GivenBy changed the shared cause")
	}
	for cause, normal := range map[*Cause]bool{&NormalClearing: true, &Cancelled: true, &Busy: false, &ElsewhereAnswer: false} {
		if cause.Normal() != normal {
			t.Errorf("%v normal: %v", cause, !normal)
		}
	}
}
