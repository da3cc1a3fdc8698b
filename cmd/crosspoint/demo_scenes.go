package main

import (
	"context"
	"fmt"
	"time"

	"crosspoint/gateway/linesim"
	"crosspoint/internal/softphone"
)

// phoneToPhone: 101 calls 102, they talk, 102 hangs up.
func (d *demo) phoneToPhone(ctx context.Context) error {
	out, err := d.alice.Call(ctx, "102")
	if err != nil {
		return err
	}
	defer out.Hangup()
	in, err := d.ring(d.bob, out)
	if err != nil {
		return err
	}
	if err := d.wait("101 hears that 102 rings", out.Ringing(), out); err != nil {
		return err
	}
	in.Answer()
	if err := d.wait("the answer reaches 101", out.Answered(), out); err != nil {
		return err
	}
	said := d.signals("101", "102")
	out.Say(said[0])
	in.Say(said[1])
	d.listen()
	in.Hangup()
	if err := d.wait("the hang-up reaches 101", out.Done(), out); err != nil {
		return err
	}
	if err := d.draw(); err != nil {
		return err
	}
	d.check("Caller that 102 saw", in.Number+" "+in.Name, "101 Alice")
	d.measure("101", "102", said[0], in.Heard())
	d.measure("102", "101", said[1], out.Heard())
	return nil
}

// phoneToTown: 101 calls a private number over an exchange line; the town
// answers and plays a signal; 101 hangs up.
func (d *demo) phoneToTown(ctx context.Context) error {
	said := d.signals("101", "town")
	if err := d.town.Town().Add(linesim.Subscriber{Number: privateNumber, Name: "PRIVATE", Plays: said[1]}); err != nil {
		return err
	}
	out, err := d.alice.Call(ctx, privateDial)
	if err != nil {
		return err
	}
	defer out.Hangup()
	if err := d.wait("the town answers", out.Answered(), out); err != nil {
		return err
	}
	out.Say(said[0])
	d.listen()
	out.Hangup()
	if err := d.draw(); err != nil {
		return err
	}
	call, ok := d.town.Town().LastCall(privateNumber)
	if !ok {
		return fmt.Errorf("the town heard of no call to %s; its events: %v", privateNumber, d.town.Events())
	}
	d.check("Digits that the town heard", call.Dialed, privateNumber)
	d.measure("101", "town", said[0], call.Heard)
	d.measure("town", "101", said[1], out.Heard())
	return d.released(call.Line)
}

// townToPhone: a subscriber of the town calls a line; 101 rings with that
// number, they talk, the town hangs up.
func (d *demo) townToPhone(ctx context.Context) error {
	const line = "fxo2"
	said := d.signals("town", "101")
	if err := d.town.Town().Ring(line, linesim.Subscriber{Number: townCaller, Name: townName, Plays: said[0], HangUp: d.talk + 2*time.Second}); err != nil {
		return err
	}
	in, err := d.ring(d.alice, nil)
	if err != nil {
		return err
	}
	defer in.Hangup()
	in.Answer()
	if err := d.wait("the answer is confirmed to 101", in.Answered(), in); err != nil {
		return err
	}
	in.Say(said[1])
	if err := d.wait("the town's hang-up reaches 101", in.Done(), in); err != nil {
		return err
	}
	if err := d.draw(); err != nil {
		return err
	}
	d.check("Caller ID that 101 saw", in.Number+" "+in.Name, townCaller+" "+townName)
	call, ok := d.town.Town().LastCall(townCaller)
	if !ok {
		return fmt.Errorf("the town has no record of its call; its events: %v", d.town.Events())
	}
	d.measure("town", "101", said[0], in.Heard())
	d.measure("101", "town", said[1], call.Heard)
	return d.released(line)
}

// ring waits for a phone to ring. The call that should make it ring may be
// watched for its failure.
func (d *demo) ring(p *softphone.Phone, by *softphone.Call) (*softphone.Call, error) {
	var over <-chan struct{}
	if by != nil {
		over = by.Done()
	}
	late := time.NewTimer(demoPatience)
	defer late.Stop()
	select {
	case c := <-p.Incoming():
		return c, nil
	case <-over:
		return nil, fmt.Errorf("the phone did not ring: %w", by.Err())
	case <-late.C:
		return nil, fmt.Errorf("the phone did not ring within %v", demoPatience)
	}
}

// released checks that a line is left on-hook, by what the town sees of its loop.
func (d *demo) released(line string) error {
	return d.until(line+" is on-hook", func() bool { return !d.town.Town().Line(line).Status().OffHook })
}
