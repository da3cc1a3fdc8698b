package dialplan

import (
	"slices"
	"testing"
)

func TestMeaning(t *testing.T) {
	us, de, it := country{region: "US", area: "201"}, country{region: "DE", area: "30"}, country{region: "IT"}
	for _, test := range []struct {
		in       country
		digits   string
		class    Permission
		e164     string
		national string // "" if as dialled
	}{
		{us, "5551234", Local, "+12015551234", ""},
		{us, "12015551234", Local, "+12015551234", ""},
		{us, "2015551234", Local, "+12015551234", ""},
		{us, "12125551234", National, "+12125551234", ""},
		{us, "+12125551234", National, "+12125551234", "12125551234"},
		{us, "18005551234", Local, "+18005551234", ""},
		{us, "19005551234", Premium, "+19005551234", ""},
		{us, "18765551234", International, "+18765551234", ""}, // Jamaica, though it begins as an area code
		{us, "011442071838750", International, "+442071838750", ""},
		{us, "+442071838750", International, "+442071838750", "011442071838750"},
		{us, "411", Premium, "", ""},
		{us, "0", Premium, "", ""},
		{us, "99999999999999", Premium, "", ""},
		{de, "0301234567", Local, "+49301234567", ""},
		{de, "1234567", Local, "+49301234567", ""},
		{de, "01712345678", National, "+491712345678", ""},
		{de, "09001234567", Premium, "+499001234567", ""},
		{de, "01805123456", Premium, "+491805123456", ""},
		{de, "0012015550123", International, "+12015550123", ""},
		{de, "+4989123456", National, "+4989123456", "089123456"},
		{de, "11833", Premium, "", ""}, // directory enquiries cost euros
		{it, "+390612345678", National, "+390612345678", "0612345678"},
		{country{}, "5551234", Premium, "", ""},
		{country{}, "+442071838750", International, "+442071838750", ""},
	} {
		m := test.in.mean(test.digits)
		if m.class != test.class || m.why == "" {
			t.Errorf("%s in %s is %v, %q, want %v", test.digits, test.in.name(), m.class, m.why, test.class)
		}
		if got := test.in.e164(test.digits); got != test.e164 {
			t.Errorf("%s in %s is %q, want %q", test.digits, test.in.name(), got, test.e164)
		}
		want := test.national
		if want == "" {
			want = test.digits
		}
		if got := test.in.national(test.digits); got != want && test.in.region != "" {
			t.Errorf("%s is dialled %q in %s, want %q", test.digits, got, test.in.name(), want)
		}
	}
}

func TestEmergencyNumbersOfCountries(t *testing.T) {
	for region, want := range map[string][]string{
		"US": {"112", "911"}, "DE": {"110", "112"}, "GB": {"112", "999"}, "FR": {"15", "17", "18", "112"}, "AU": {"000", "106", "112"}, "JP": {"110", "119"}, "": nil,
	} {
		if got := (country{region: region}).emergencyNumbers(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", region, got, want)
		}
	}
}
