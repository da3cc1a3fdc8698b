package wiring

import (
	"time"

	"crosspoint/media"
	"crosspoint/media/tone"
)

// country is what telephones sound like where the office is.
func (o *Office) country() tone.Country {
	country, err := tone.Lookup(o.now().parties.Country)
	if err != nil {
		country, _ = tone.Lookup("us")
	}
	return country
}

// ringback is the tone that a caller hears while the exchange itself rings
// somebody.
func (o *Office) ringback() media.Source { return tone.NewGenerator(o.country().Ringback) }

// dialTone is what a telephone hears that may dial after a hook-flash.
func (o *Office) dialTone() media.Source { return tone.NewGenerator(o.country().Dial) }

// confirm is what a caller hears whose feature code has done its work: three
// short bursts of dial tone. No country's standard has a tone for it; public
// exchanges use such bursts (ITU-T E.182 "positive indication tone").
func (o *Office) confirm() media.Source {
	const burst = 100 * time.Millisecond
	t := tone.Tone{Loop: -1}
	for range 3 {
		for _, p := range o.country().Dial.Parts[:1] {
			t.Parts = append(t.Parts, tone.Part{Hz: p.Hz, Level: p.Level, For: burst}, tone.Part{For: burst})
		}
	}
	return tone.NewGenerator(t)
}
