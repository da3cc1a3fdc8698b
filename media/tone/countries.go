package tone

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

// usual is the level of a frequency in dBm0 where a country's own is not known:
// within the -5 to -15 dBm0 of ITU-T E.180 for one frequency and for two.
const usual = -13

// howling is the level of each of the howler's four frequencies: together
// 0 dBm0, as loud as a line may carry.
const howling = -6

var howler = cadence(howling, hz(1400, 2060, 2450, 2600), 100, 100)

// countries are what ITU-T E.180 Supplement 2 lists for the networks that we know well.
var countries = func() map[string]Country {
	all := map[string]Country{"us": us, "uk": uk, "fr": fr, "jp": jp, "au": au, "nz": nz, "in": in, "cn": cn, "it": it}
	for _, c := range []Country{
		european("de", "Germany", pair(1000, 4000), pair(480, 480), pair(240, 240), 200, 200, 200, 5000),
		european("at", "Austria", pair(1000, 5000), pair(400, 400), pair(200, 200), 40, 1960),
		european("be", "Belgium", pair(1000, 3000), pair(500, 500), pair(167, 167), 175, 175, 175, 3500),
		european("ch", "Switzerland", pair(1000, 4000), pair(500, 500), pair(200, 200), 200, 200, 200, 4000),
		european("nl", "Netherlands", pair(1000, 4000), pair(500, 500), pair(250, 250), 500, 9500),
		european("es", "Spain", pair(1500, 3000), pair(200, 200), pair(200, 200, 200, 200, 200, 600), 175, 175, 175, 3500),
		european("pt", "Portugal", pair(1000, 5000), pair(500, 500), pair(200, 200), 200, 200, 200, 5000),
		european("dk", "Denmark", pair(1000, 4000), pair(500, 500), pair(200, 200), 200, 600, 200, 3000),
		european("no", "Norway", pair(1000, 4000), pair(500, 500), pair(200, 200), 200, 600, 200, 10000),
		european("se", "Sweden", pair(1000, 5000), pair(250, 250), pair(250, 750), 200, 500, 200, 9100),
		european("fi", "Finland", pair(1000, 4000), pair(300, 300), pair(200, 200), 150, 150, 150, 8000),
		european("pl", "Poland", pair(1000, 4000), pair(500, 500), pair(500, 500), 150, 150, 150, 4000),
		european("br", "Brazil", pair(1000, 4000), pair(250, 250), pair(250, 250, 750, 250), 50, 1000),
		european("mx", "Mexico", pair(1000, 4000), pair(250, 250), pair(250, 250), 200, 600, 200, 10000),
	} {
		all[c.Code] = c
	}
	german := all["de"] // the second frequency of the special dial tone is its own
	german.Stutter = steady(usual, 425, 400)
	all["de"] = german
	belgian := all["be"]
	belgian.CallWaiting = cadence(usual, hz(1400), 175, 175, 175, 3500)
	all["be"] = belgian
	canada := us
	canada.Code, canada.Name = "ca", "Canada"
	all["ca"] = canada
	return all
}()

// Lookup is the network of a country by its ISO 3166 code, in capital or small
// letters; "gb" is uk, and the empty code is us. The error names the codes there are.
func Lookup(code string) (Country, error) {
	switch code = strings.ToLower(code); code {
	case "":
		code = "us"
	case "gb":
		code = "uk"
	}
	c, ok := countries[code]
	if !ok {
		return Country{}, fmt.Errorf("no tones are known for country %q: choose one of %s", code, strings.Join(Codes(), " "))
	}
	return c, nil
}

// Codes are the codes of the countries that Lookup knows, in order.
func Codes() []string {
	codes := make([]string, 0, len(countries))
	for code := range countries {
		codes = append(codes, code)
	}
	sort.Strings(codes)
	return codes
}

func pair(times ...time.Duration) []time.Duration { return times }

// european is a network with all its tones at 425 Hz, told apart by their cadence.
func european(code, name string, ring, busy, congestion []time.Duration, waiting ...time.Duration) Country {
	one := hz(425)
	dial := steady(usual, 425)
	return Country{
		Code: code, Name: name,
		Dial:        dial,
		Stutter:     stutter(dial),
		Ringback:    cadence(usual, one, ring...),
		Busy:        cadence(usual, one, busy...),
		Congestion:  cadence(usual, one, congestion...),
		CallWaiting: cadence(usual, one, waiting...),
		SIT:         information(330, 0, 1000),
		Howler:      howler,
		Bell:        bell(ring...),
	}
}

// us has the levels of the Precise Tone Plan (ANSI T1.401).
var us = Country{
	Code: "us", Name: "United States",
	Dial:        steady(-13, 350, 440),
	Stutter:     stutter(steady(-13, 350, 440)),
	Ringback:    cadence(-19, hz(440, 480), 2000, 4000),
	Busy:        cadence(-24, hz(480, 620), 500, 500),
	Congestion:  cadence(-24, hz(480, 620), 250, 250),
	CallWaiting: cadence(-13, hz(440), 300, 10000),
	SIT:         information(330, 0, 0),
	Howler:      howler,
	Bell:        bell(2000, 4000),
}

var uk = Country{
	Code: "uk", Name: "United Kingdom",
	Dial: steady(usual, 350, 440),
	Stutter: Tone{Parts: []Part{
		{Hz: hz(350, 440), Level: usual, For: 750 * ms},
		{Hz: hz(440), Level: usual, For: 750 * ms},
	}},
	Ringback:     cadence(usual, hz(400, 450), 400, 200, 400, 2000),
	Busy:         cadence(usual, hz(400), 375, 375),
	Congestion:   cadence(usual, hz(400), 400, 350, 225, 525),
	Unobtainable: steady(usual, 400),
	CallWaiting:  cadence(usual, hz(400), 100, 4000),
	SIT:          information(330, 0, 1000),
	Howler:       howler,
	Bell:         bell(400, 200, 400, 2000),
}

var fr = Country{
	Code: "fr", Name: "France",
	Dial:        steady(usual, 440),
	Stutter:     stutter(steady(usual, 440)),
	Ringback:    cadence(usual, hz(440), 1500, 3500),
	Busy:        cadence(usual, hz(440), 500, 500),
	Congestion:  cadence(usual, hz(440), 250, 250),
	CallWaiting: cadence(usual, hz(440), 300, 10000),
	SIT:         information(300, 30, 1000),
	Howler:      howler,
	Bell:        bell(1500, 3500),
}

// jp modulates 400 Hz with 16 Hz, which is 384 and 416 Hz together.
var jp = Country{
	Code: "jp", Name: "Japan",
	Dial:        steady(usual, 400),
	Stutter:     stutter(steady(usual, 400)),
	Ringback:    cadence(usual, hz(384, 416), 1000, 2000),
	Busy:        cadence(usual, hz(400), 500, 500),
	Congestion:  cadence(usual, hz(400), 500, 500),
	CallWaiting: cadence(usual, hz(384, 416), 500, 8000),
	SIT:         information(330, 0, 0),
	Howler:      howler,
	Bell:        bell(1000, 2000),
}

var au = Country{
	Code: "au", Name: "Australia",
	Dial:     steady(usual, 413, 438),
	Stutter:  cadence(usual, hz(413, 438), 100, 40),
	Ringback: cadence(usual, hz(413, 438), 400, 200, 400, 2000),
	Busy:     cadence(usual, hz(425), 375, 375),
	Congestion: Tone{Parts: []Part{
		{Hz: hz(425), Level: usual, For: 375 * ms}, {For: 375 * ms},
		{Hz: hz(425), Level: usual - 10, For: 375 * ms}, {For: 375 * ms},
	}},
	CallWaiting: cadence(usual, hz(425), 200, 200, 200, 4400),
	SIT:         cadence(usual, hz(425), 2500, 500),
	Howler:      howler,
	Bell:        bell(400, 200, 400, 2000),
}

var nz = Country{
	Code: "nz", Name: "New Zealand",
	Dial:         steady(usual, 400),
	Stutter:      stutter(steady(usual, 400)),
	Ringback:     cadence(usual, hz(400, 450), 400, 200, 400, 2000),
	Busy:         cadence(usual, hz(400), 500, 500),
	Congestion:   cadence(usual, hz(400), 250, 250),
	Unobtainable: cadence(usual, hz(400), 75, 100, 75, 100, 75, 100, 75, 400),
	CallWaiting:  cadence(usual, hz(400), 200, 3000),
	SIT:          cadence(usual, hz(400), 750, 100, 750, 100, 750, 100, 750, 400),
	Howler:       howler,
	Bell:         bell(400, 200, 400, 2000),
}

// in modulates 400 Hz with 25 Hz, which is 375 and 425 Hz together.
var in = Country{
	Code: "in", Name: "India",
	Dial:        steady(usual, 375, 425),
	Stutter:     stutter(steady(usual, 375, 425)),
	Ringback:    cadence(usual, hz(375, 425), 400, 200, 400, 2000),
	Busy:        cadence(usual, hz(400), 750, 750),
	Congestion:  cadence(usual, hz(400), 250, 250),
	CallWaiting: cadence(usual, hz(400), 200, 100, 200, 7500),
	SIT:         information(330, 0, 1000),
	Howler:      howler,
	Bell:        bell(400, 200, 400, 2000),
}

var cn = Country{
	Code: "cn", Name: "China",
	Dial:        steady(usual, 450),
	Stutter:     stutter(steady(usual, 450)),
	Ringback:    cadence(usual, hz(450), 1000, 4000),
	Busy:        cadence(usual, hz(450), 350, 350),
	Congestion:  cadence(usual, hz(450), 700, 700),
	CallWaiting: cadence(usual, hz(450), 400, 4000),
	SIT:         information(330, 0, 1000),
	Howler:      howler,
	Bell:        bell(1000, 4000),
}

var it = Country{
	Code: "it", Name: "Italy",
	Dial: cadence(usual, hz(425), 200, 200, 600, 1000),
	Stutter: Tone{Parts: []Part{
		{Hz: hz(470), Level: usual, For: 400 * ms},
		{Hz: hz(425), Level: usual, For: 400 * ms},
	}},
	Ringback:    cadence(usual, hz(425), 1000, 4000),
	Busy:        cadence(usual, hz(425), 500, 500),
	Congestion:  cadence(usual, hz(425), 200, 200),
	CallWaiting: cadence(usual, hz(425), 400, 100, 250, 100, 150, 14000),
	SIT:         information(330, 0, 1000),
	Howler:      howler,
	Bell:        bell(1000, 4000),
}
