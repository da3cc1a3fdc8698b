//go:build linux

package load

import (
	"fmt"
	"time"
)

// A Rate is what an exchange did with calls that come at a steady rate and are
// hung up after a short while.
type Rate struct {
	PerSecond float64 `json:"calls_per_s"`
	Calls     int     `json:"calls"`
	Failed    int     `json:"failed"`
	Repeated  int     `json:"repeated"` // messages sent again by either side
	P50       float64 `json:"setup_p50_ms"`
	P99       float64 `json:"setup_p99_ms"`
	Cores     float64 `json:"cores_busy"`
	Passed    bool    `json:"passed"` // nothing failed and nothing was repeated
}

// holdFor is how long each call of a Rate stands.
const holdFor = 200 * time.Millisecond

// SetUp calls at a rate for a time. Calls are numbered from number on.
func (x *Exchange) SetUp(perSecond float64, d time.Duration, number int) (Rate, error) {
	p := x.phones
	p.mu.Lock()
	p.counts, p.hangUpAfter = PhoneCounts{}, holdFor
	p.mu.Unlock()
	before, err := UsageOf(x.PID())
	if err != nil {
		return Rate{}, err
	}
	begin := time.Now()
	n := int(perSecond * d.Seconds())
	for i := 0; i < n; {
		due := min(int(time.Since(begin).Seconds()*perSecond), n)
		for ; i < due; i++ {
			p.Call(number + i)
		}
		time.Sleep(500 * time.Microsecond)
	}
	took := time.Since(begin)
	after, err := UsageOf(x.PID())
	if err != nil {
		return Rate{}, err
	}
	for wait := time.Now(); p.Waiting() > 0 && time.Since(wait) < giveUp+time.Second; {
		time.Sleep(10 * time.Millisecond)
	}
	c := p.Counts()
	p.mu.Lock()
	p.hangUpAfter = 0
	p.mu.Unlock()
	r := Rate{
		PerSecond: perSecond, Calls: n, Failed: c.Failed, Repeated: c.Repeated,
		P50: ms(c.SetUp.Quantile(0.5)), P99: ms(c.SetUp.Quantile(0.99)),
		Cores: (after.CPU - before.CPU).Seconds() / took.Seconds(),
	}
	r.Passed = c.Failed == 0 && c.Repeated == 0 && c.Ended == n
	if c.Answered+c.Failed < n {
		return r, fmt.Errorf("%d of %d calls were neither answered nor refused", n-c.Answered-c.Failed, n)
	}
	return r, nil
}
