package linesim

import (
	"fmt"
	"log/slog"
	"time"

	"crosspoint/internal/alarm"
	"crosspoint/internal/inbox"
	"crosspoint/media/tone"
)

// Config is a town and the cards that are wired to it. The zero value is one
// card with two FXO and two FXS ports in a North American town with the
// subscribers of DefaultSubscribers.
type Config struct {
	Country     string       // of tones and bells, as media/tone knows it. Empty: "us"
	Cards       []CardConfig // nil: one, or none if there are Modems
	Modems      []ModemConfig
	Lines       []LineConfig // of fxo1, fxo2 … of all cards, then of the modems; those missing are the zero LineConfig. Nil: the first has the further numbers 5553001 (dr2) and 5554001 (dr3)
	Phones      []PhoneConfig
	Subscribers []Subscriber // nil: DefaultSubscribers
	Log         *slog.Logger // nil: nothing is logged
	OnEvent     func(Event)  // told of everything that happens, in order; must not block or call the Sim. Nil: nobody is
}

// CardConfig is one simulated card. The zero value has two FXO and two FXS ports.
type CardConfig struct {
	Name        string           // empty: "card1", "card2" …
	FXO, FXS    int              // ports, FXO first; both zero and no Timeslots: two of each
	Timeslots   []TimeslotConfig // ports after them, the channels of a T1 or E1
	SkewPPM     float64          // by how much its crystal is fast, in parts per million
	Link        string           // where Start puts a symbolic link to its terminal; empty: in a new directory
	SelfPowered bool             // keeps its state while unplugged, and relies on its watchdog
	Model       string           // empty: "linesim"
	Serial      string           // empty: made of its name
	Impairment  Impairment       // of its serial line
}

// An Event is something that happened in the town, in the words of a ladder.
type Event struct {
	At    time.Time
	Where string // "fxo1", "fxs2", "card1"
	What  string // "off-hook", "dialed 7773660", "ringing" …
}

func (e Event) String() string { return e.Where + " " + e.What }

// eventsKept is how many of the newest events Sim.Events still tells.
const eventsKept = 2000

// A Sim is a running town.
type Sim struct {
	cfg     Config
	log     *slog.Logger
	country tone.Country
	inbox   *inbox.Inbox[func()]
	rx      chan chunk
	done    chan struct{}

	// All below belongs to run.
	closing bool
	cards   []*Card
	modems  []*Modem
	town    *Town
	phones  []*Phone
	events  []Event
}

// chunk is what a card's reader hands to the owner.
type chunk struct {
	conn *conn
	data []byte
}

// New starts a town whose cards are reached by Card.Open, without a terminal.
func New(cfg Config) (*Sim, error) {
	country, err := tone.Lookup(cfg.Country)
	if err != nil {
		return nil, fmt.Errorf("linesim: %w", err)
	}
	if len(cfg.Cards) == 0 && len(cfg.Modems) == 0 {
		cfg.Cards = []CardConfig{{}}
	}
	if cfg.Subscribers == nil {
		cfg.Subscribers = DefaultSubscribers()
	}
	if cfg.Lines == nil {
		cfg.Lines = defaultLines(country)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Sim{
		cfg:     cfg,
		log:     cfg.Log,
		country: country,
		inbox:   inbox.New[func()](),
		rx:      make(chan chunk),
		done:    make(chan struct{}),
	}
	s.town = &Town{sim: s}
	for _, sub := range cfg.Subscribers {
		if err := s.town.add(sub); err != nil {
			return nil, err
		}
	}
	for i, c := range cfg.Cards {
		if err := s.addCard(i, c); err != nil {
			return nil, err
		}
	}
	for i, m := range cfg.Modems {
		if err := s.addModem(i, m); err != nil {
			return nil, err
		}
	}
	go s.run() // ends with Close
	return s, nil
}

// Start is New with each card on a pseudo terminal of its own, as if it were
// plugged into /dev/ttyUSB0.
func Start(cfg Config) (*Sim, error) {
	s, err := New(cfg)
	if err != nil {
		return nil, err
	}
	s.do(func() {
		for _, c := range s.cards {
			if err = c.attachTerminal(); err != nil {
				return
			}
		}
		for _, m := range s.modems {
			if err = m.attachTerminal(); err != nil {
				return
			}
		}
	})
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close ends the town: cards vanish as if unplugged.
func (s *Sim) Close() error {
	s.inbox.Put(func() { s.closing = true })
	<-s.done
	return nil
}

// Path is the terminal of the first card, or modem; empty without Start.
func (s *Sim) Path() string {
	if len(s.cards) == 0 {
		return s.modems[0].Path()
	}
	return s.cards[0].Path()
}

// Cards are all cards, in order.
func (s *Sim) Cards() []*Card { return s.cards }

// Card is the nth card, from 1.
func (s *Sim) Card(n int) *Card { return s.cards[n-1] }

// Town is the exchange behind the FXO ports.
func (s *Sim) Town() *Town { return s.town }

// Phone is the telephone with this name: "fxs1". Nil: there is none.
func (s *Sim) Phone(name string) *Phone {
	for _, p := range s.phones {
		if p.name == name {
			return p
		}
	}
	return nil
}

// Phones are all telephones, in order.
func (s *Sim) Phones() []*Phone { return s.phones }

// Events tells what has happened, newest last; at most the newest 2000.
func (s *Sim) Events() (events []Event) {
	s.do(func() { events = append(events, s.events...) })
	return events
}

// do runs f in the owner and waits for it. After Close f does not run.
func (s *Sim) do(f func()) {
	ran := make(chan struct{})
	if !s.inbox.Put(func() { f(); close(ran) }) {
		return
	}
	select {
	case <-ran:
	case <-s.done:
	}
}

// note records an event.
func (s *Sim) note(where, format string, args ...any) {
	e := Event{At: time.Now(), Where: where, What: fmt.Sprintf(format, args...)}
	if len(s.events) >= eventsKept {
		s.events = append(s.events[:0], s.events[eventsKept/2:]...)
	}
	s.events = append(s.events, e)
	s.log.Debug(e.String())
	if s.cfg.OnEvent != nil {
		s.cfg.OnEvent(e)
	}
}

// addCard wires a card to the town and to its telephones.
func (s *Sim) addCard(i int, cfg CardConfig) error {
	if cfg.Name == "" {
		cfg.Name = fmt.Sprintf("card%d", i+1)
	}
	if cfg.FXO == 0 && cfg.FXS == 0 && len(cfg.Timeslots) == 0 {
		cfg.FXO, cfg.FXS = 2, 2
	}
	c, err := newCard(s, cfg)
	if err != nil {
		return err
	}
	for range cfg.FXO {
		l, err := s.addLine("")
		if err != nil {
			return err
		}
		c.ports = append(c.ports, newFXOPort(c, len(c.ports)+1, l))
	}
	for range cfg.FXS {
		c.ports = append(c.ports, newFXSPort(c, len(c.ports)+1, s.addPhone()))
	}
	for _, t := range cfg.Timeslots {
		t, err := s.addTimeslot(c, t)
		if err != nil {
			return err
		}
		c.ports = append(c.ports, newTDMPort(c, len(c.ports)+1, t))
	}
	s.cards = append(s.cards, c)
	return nil
}

// addLine lists the next line of the town that an FXO port, a modem or a channel
// bank is wired to. A number stands in place of its configuration's.
func (s *Sim) addLine(number string) (*Line, error) {
	n := 0
	for _, l := range s.town.lines {
		if l.trunk == nil {
			n++
		}
	}
	var lc LineConfig
	if n < len(s.cfg.Lines) {
		lc = s.cfg.Lines[n]
	}
	if number != "" {
		lc.Number = number
	}
	l, err := newLine(s, "fxo", n+1, lc)
	if err == nil {
		s.town.lines = append(s.town.lines, l)
	}
	return l, err
}

// addPhone lists the next telephone.
func (s *Sim) addPhone() *Phone {
	n := len(s.phones)
	pc := PhoneConfig{Answer: defaultAnswer, Echo: true}
	if s.cfg.Phones != nil {
		pc = PhoneConfig{}
		if n < len(s.cfg.Phones) {
			pc = s.cfg.Phones[n]
		}
	}
	p := newPhone(s, n+1, pc)
	s.phones = append(s.phones, p)
	return p
}

// addTimeslot makes what is at the far end of a timeslot.
func (s *Sim) addTimeslot(c *Card, cfg TimeslotConfig) (*slot, error) {
	var err error
	if cfg.Signalling, err = ParseSignalling(string(cfg.Signalling)); err != nil {
		return nil, fmt.Errorf("linesim: card %s: %w", c.cfg.Name, err)
	}
	t := &slot{card: c}
	switch sig := cfg.Signalling; sig {
	case FXOLoopStart, FXOGroundStart:
		l, err := s.addLine(cfg.Number)
		if err != nil {
			return nil, err
		}
		t.name, t.far = l.name, &bankLine{line: l, ground: sig == FXOGroundStart}
	case FXSLoopStart, FXSGroundStart:
		p := s.addPhone()
		t.name, t.far = p.name, &bankPhone{phone: p, ground: sig == FXSGroundStart}
	default:
		n := 1
		for _, l := range s.town.lines {
			if l.trunk != nil {
				n++
			}
		}
		l, err := newLine(s, "tdm", n, LineConfig{Number: cfg.Number})
		if err != nil {
			return nil, err
		}
		s.town.lines = append(s.town.lines, l)
		t.name, t.far = l.name, newTie(l, cfg)
	}
	return t, nil
}

// run owns the town.
func (s *Sim) run() {
	defer close(s.done)
	due := alarm.New()
	due.Set(time.Now())
	defer due.Stop()
	for _, c := range s.cards {
		c.boot()
	}
	for !s.closing {
		select {
		case <-s.inbox.Ready():
			for f, ok := s.inbox.Take(); ok; f, ok = s.inbox.Take() {
				f()
			}
		case in := <-s.rx:
			if c := in.conn.card; c.conn == in.conn {
				c.received(in.data)
			}
			in.conn.Free(in.data)
		case <-due.C():
			for _, c := range s.cards {
				c.advance(time.Now())
			}
			for _, m := range s.modems {
				m.advance(time.Now())
			}
			due.Set(s.nextStep())
		}
	}
	for _, c := range s.cards {
		c.destroy()
	}
	for _, m := range s.modems {
		m.destroy()
	}
	s.inbox.Close()
}

// nextStep is when the first card or modem is due.
func (s *Sim) nextStep() (at time.Time) {
	sooner := func(due time.Time) {
		if at.IsZero() || due.Before(at) {
			at = due
		}
	}
	for _, c := range s.cards {
		sooner(c.due)
	}
	for _, m := range s.modems {
		sooner(m.due)
	}
	return at
}
