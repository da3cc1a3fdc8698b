package dialplan

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // for machines without zone files

	"crosspoint/internal/tomlfile"
)

// A schedule is a time of the week, less holidays, in a time zone.
type schedule struct {
	name     string
	zone     *time.Location
	days     [7]bool // by time.Weekday
	hours    []span  // of minutes from midnight; nil: all day
	holidays []holiday
	used     bool
}

// A span begins at from and ends before to, in minutes from midnight; one that
// ends before it begins goes on past midnight, and belongs to the day on which
// it begins.
type span struct{ from, to int }

// A holiday is a range of days, of every year if year is 0.
type holiday struct {
	year        int
	first, last int // month*100+day
	lastYear    int
}

// A condition is a schedule, or its opposite. The zero condition always holds.
type condition struct {
	schedule *schedule
	not      bool
}

func (c condition) holds(at time.Time) bool {
	return c.schedule == nil || c.schedule.covers(at) != c.not
}

func (c condition) String() string {
	switch {
	case c.schedule == nil:
		return "always"
	case c.not:
		return "not " + c.schedule.name
	}
	return c.schedule.name
}

// covers tells whether the schedule holds at a time. No schedule holds at the
// zero time.
func (s *schedule) covers(at time.Time) bool {
	if at.IsZero() {
		return false
	}
	at = at.In(s.zone)
	minute := at.Hour()*60 + at.Minute()
	if s.hours == nil {
		return s.workday(at)
	}
	for _, h := range s.hours {
		switch {
		case h.from < h.to:
			if minute >= h.from && minute < h.to && s.workday(at) {
				return true
			}
		case minute >= h.from:
			if s.workday(at) {
				return true
			}
		case minute < h.to:
			if s.workday(at.AddDate(0, 0, -1)) {
				return true
			}
		}
	}
	return false
}

// workday tells whether the schedule has the day, and it is no holiday.
func (s *schedule) workday(at time.Time) bool {
	if !s.days[at.Weekday()] {
		return false
	}
	year, month, day := at.Date()
	today := int(month)*100 + day
	for _, h := range s.holidays {
		switch {
		case h.year == 0 && h.first <= h.last:
			if today >= h.first && today <= h.last {
				return false
			}
		case h.year == 0: // over the turn of the year
			if today >= h.first || today <= h.last {
				return false
			}
		default:
			d := year*10000 + today
			if d >= h.year*10000+h.first && d <= h.lastYear*10000+h.last {
				return false
			}
		}
	}
	return true
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// compileSchedule checks a Schedule.
func (c *compiler) schedule(from *Schedule) *schedule {
	s := &schedule{name: from.Name, zone: c.plan.zone}
	if from.TimeZone != "" {
		s.zone = c.zone(from.Pos, from.TimeZone)
	}
	for _, d := range from.Days {
		if err := s.addDays(d); err != nil {
			c.wrong(from.Pos, "days", "schedule %q: days = %q: %v", from.Name, d, err)
		}
	}
	if len(from.Days) == 0 {
		s.days = [7]bool{true, true, true, true, true, true, true}
	}
	for _, h := range from.Hours {
		hours, err := parseHours(h)
		if err != nil {
			c.wrong(from.Pos, "hours", "schedule %q: hours = %q: %v", from.Name, h, err)
			continue
		}
		s.hours = append(s.hours, hours)
	}
	for _, h := range from.Holidays {
		day, err := parseHoliday(h)
		if err != nil {
			c.wrong(from.Pos, "holidays", "schedule %q: holidays = %q: %v", from.Name, h, err)
			continue
		}
		s.holidays = append(s.holidays, day)
	}
	return s
}

func (s *schedule) addDays(days string) error {
	first, last, isRange := strings.Cut(strings.ToLower(days), "-")
	if !isRange {
		last = first
	}
	from, err := weekday(strings.TrimSpace(first))
	if err != nil {
		return err
	}
	to, err := weekday(strings.TrimSpace(last))
	if err != nil {
		return err
	}
	for d := from; ; d = (d + 1) % 7 {
		s.days[d] = true
		if d == to {
			return nil
		}
	}
}

func weekday(s string) (int, error) {
	for i, d := range weekdays {
		if d == s {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%q is no day of the week: write mon, tue, wed, thu, fri, sat or sun, or a range such as mon-fri", s)
}

func parseHours(s string) (span, error) {
	first, last, ok := strings.Cut(s, "-")
	if !ok {
		return span{}, fmt.Errorf("write from and to, such as 09:00-17:30")
	}
	from, err := clock(first)
	if err != nil {
		return span{}, err
	}
	to, err := clock(last)
	if err != nil {
		return span{}, err
	}
	if from == to {
		return span{}, fmt.Errorf("it ends as it begins; leave hours out for the whole day")
	}
	return span{from, to}, nil
}

// clock reads hh:mm as minutes from midnight; 24:00 is the day's end.
func clock(s string) (int, error) {
	h, m, ok := strings.Cut(strings.TrimSpace(s), ":")
	hour, err1 := strconv.Atoi(h)
	minute, err2 := strconv.Atoi(m)
	if !ok || err1 != nil || err2 != nil || len(m) != 2 || hour < 0 || hour > 24 || minute < 0 || minute > 59 || hour == 24 && minute > 0 {
		return 0, fmt.Errorf("%q is no time of day: write hh:mm, such as 09:00", s)
	}
	return hour*60 + minute, nil
}

func parseHoliday(s string) (holiday, error) {
	first, last, isRange := strings.Cut(s, "/")
	if !isRange {
		last = first
	}
	a, err := parseDay(first)
	if err != nil {
		return holiday{}, err
	}
	b, err := parseDay(last)
	if err != nil {
		return holiday{}, err
	}
	h := holiday{year: a.year, first: a.first, last: b.first, lastYear: b.year}
	if (a.year == 0) != (b.year == 0) {
		return holiday{}, fmt.Errorf("one end has a year and the other has not")
	}
	if a.year*10000+a.first > b.year*10000+b.first && a.year != 0 {
		return holiday{}, fmt.Errorf("it ends before it begins")
	}
	return h, nil
}

func parseDay(s string) (holiday, error) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse("2006-01-02", s); err == nil {
		return holiday{year: t.Year(), first: int(t.Month())*100 + t.Day()}, nil
	}
	if t, err := time.Parse("2006-01-02", "2000-"+s); err == nil && len(s) == len("12-25") {
		return holiday{first: int(t.Month())*100 + t.Day()}, nil
	}
	return holiday{}, fmt.Errorf("%q is no day: write 2026-12-25, or 12-25 for every year, or two of them with / between", s)
}

// zone loads a time zone.
func (c *compiler) zone(at tomlfile.Pos, name string) *time.Location {
	if name == "" {
		return time.Local
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		c.wrong(at, "timezone", "timezone = %q is not known: write an IANA name, such as Europe/Berlin or America/New_York", name)
		return time.Local
	}
	return zone
}
