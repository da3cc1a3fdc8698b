package media

import (
	"math"
	"time"
)

// Quality is how well a party hears, as the E-model of ITU-T G.107 (2015)
// estimates it from the network alone.
type Quality struct {
	R   float64 // transmission rating factor, 0 to 93.2; 70 is what people call fair
	MOS float64 // mean opinion score, 1 to 4.41
}

// Values of the E-model that do not depend on the call: the defaults of G.107
// table 2.
const (
	ratingAlone = 93.2  // R with nothing lost and no delay: Ro - Is - Idle
	echoRating  = 94.77 // Roe, of talker echo without delay: -1.5·(No - RLR), No = -61.18, RLR = 2
	echoLoss    = 65    // TELR, dB
	// Of G.711 with concealment, G.113 appendix I: no impairment without loss,
	// robust against random loss by Bpl.
	lossRobustness = 25.1
)

// Estimate is the quality for a share of lost packets, 0 to 1, lost at random,
// and the delay from mouth to ear.
func Estimate(lost float64, delay time.Duration) Quality {
	ms := max(float64(delay)/float64(time.Millisecond), 0)
	percent := 100 * min(max(lost, 0), 1)
	r := ratingAlone - echoImpairment(ms) - delayImpairment(ms) - 95*percent/(percent+lossRobustness)
	r = max(r, 0)
	return Quality{R: r, MOS: opinion(r)}
}

// delayImpairment is Idd of G.107 §7.4: what delay alone does to a conversation.
func delayImpairment(ms float64) float64 {
	if ms <= 100 {
		return 0
	}
	x := math.Log2(ms / 100)
	return 25 * (math.Pow(1+math.Pow(x, 6), 1.0/6) - 3*math.Pow(1+math.Pow(x/3, 6), 1.0/6) + 2)
}

// echoImpairment is Idte of G.107 §7.4: the talker's own voice that comes back.
func echoImpairment(ms float64) float64 {
	if ms < 1 {
		return 0 // by definition: no echo is heard as one
	}
	level := echoLoss - 40*math.Log10((1+ms/10)/(1+ms/150)) + 6*math.Exp(-0.3*ms*ms) // TERV
	re := 80 + 2.5*(level-14)
	d := (echoRating - re) / 2
	return (d + math.Sqrt(d*d+100) - 1) * (1 - math.Exp(-ms))
}

// opinion is the MOS of a rating, G.107 annex B.
func opinion(r float64) float64 {
	switch {
	case r <= 0:
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1+0.035*r+r*(r-60)*(100-r)*7e-6, 1) // the cubic dips below 1 near 0
}

// Delay of a packet that the network does not show: its own length, and a
// listener's jitter buffer of twice the jitter.
const (
	packetDelay  = FrameTime
	jitterFactor = 2
)

// Heard is the quality of what the party of to hears of the party of from, as
// the statistics of both tell it. A party that sends no RTCP is taken as near,
// and as losing nothing. False: too little has passed to say.
func Heard(from, to Stats) (Quality, bool) {
	const least = 50 // packets: a second
	if from.Received < least || to.Sent < least {
		return Quality{}, false
	}
	in := float64(from.Lost) / float64(from.Received+from.Lost)
	out := min(max(to.RemoteLost, 0), 1)
	delay := from.RoundTrip/2 + to.RoundTrip/2 + packetDelay + jitterFactor*from.Jitter
	return Estimate(1-(1-in)*(1-out), delay), true
}
