package gateway

import (
	"crosspoint/b2bua/leg"
	"time"
)

type receiver struct{}

func newReceiver(c country) *receiver                         { return &receiver{} }
func (r *receiver) listen(pcm []int16, l *line)               {}
func newCallerID(c country, p leg.Party, at time.Time) *sound { return nil }
