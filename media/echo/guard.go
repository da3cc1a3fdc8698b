package echo

const (
	toneSteps  = 15    // of one or two tones that are not speech: 60 ms
	wrongSteps = 12    // of making things worse, after which the model is dropped: 48 ms
	flaw       = 1e-3  // of what was sent: less is no reason to learn anew
	helps      = 0.7   // of what was received: an unsure model that leaves more has not found the echo
	sure       = 0.1   // of the echo: a model that is not farther off is sure
	poor       = 0.25  // of what was received: more is left by a model that may be wrong, or by the near end
	trialSteps = 250   // that a trial may take: a second of our voice
	betterTill = 0.5   // of what our model leaves: less shows that a trial is right
	provenIn   = 16    // steps of that
	quiet      = 1.e-4 // of full scale: a power about which nothing is decided
)

// A guard sees to it that the canceller never makes an echo worse than it was,
// and that it learns a new echo path although it is sure of the old one.
type guard struct {
	near, left float64 // smoothed power of what was received, of what is left
	worse      int     // steps in a row in which the second was louder
	narrow     int     // steps in a row in which tones were sent
	before     model   // what was known before them

	trial struct {
		model
		steps  int     // that it has run; 0: it does not
		left   float64 // smoothed power
		better int     // steps in a row in which it left less
		rest   [block]float64
	}
}

func newGuard(parts int) guard {
	g := guard{before: newModel(parts)}
	g.trial.model = newModel(parts)
	return g
}

func (g *guard) reset() {
	g.near, g.left, g.worse, g.narrow, g.trial.steps = 0, 0, 0, 0, 0
}

// tones keeps what m knew before a tone began, and gives it back when the tone
// is over: of a tone a model learns what is right for the tone alone.
func (g *guard) tones(h *history, m *model) {
	if h.tonal() {
		if g.narrow == 0 {
			g.before.become(m)
		}
		g.narrow++
		return
	}
	if g.narrow >= toneSteps {
		m.become(&g.before)
		g.trial.steps = 0
	}
	g.narrow = 0
}

// judge compares the powers of what was received and of what m left of it, and
// tells whether m, whose estimate of the echo has the power echo, is better not
// heeded. A model that makes it worse for long is forgotten.
func (g *guard) judge(h *history, m *model, near, left, echo float64) (unheeded bool) {
	g.near += (near - g.near) / 4
	g.left += (left - g.left) / 4
	if g.left <= g.near {
		g.worse = 0
		return g.left > helps*g.near && m.expected > sure*echo
	}
	if g.left > 1.25*g.near && g.left > flaw*h.loudest() {
		if g.worse++; g.worse >= wrongSteps {
			g.worse = 0
			m.forget()
		}
	}
	return true
}

// try lets another model begin anew when m leaves much, and puts it in m's
// place if it does better: the echo path is another than m is sure of. The
// near end's voice looks the same at first, but no model does better on it.
func (g *guard) try(h *history, m *model, near *[block]float64) {
	t := &g.trial
	if t.steps == 0 {
		if g.left < poor*g.near || g.narrow > 0 || h.newest() < quiet*quiet {
			return
		}
		t.forget()
		t.left, t.better = g.left, 0
	}
	var y [block]float64
	t.echo(h, &y)
	for i := range t.rest {
		t.rest[i] = near[i] - y[i]
	}
	t.learn(h, &t.rest)
	t.left += (power(&t.rest) - t.left) / 16
	t.better++
	if t.left > betterTill*g.left {
		t.better = 0
	}
	if t.better >= provenIn {
		m.become(&t.model)
		t.steps = 0
		return
	}
	t.steps = (t.steps + 1) % trialSteps
}
