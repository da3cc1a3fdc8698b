package alarm

import "time"

// Sooner is the earliest of some deadlines; zero is never.
func Sooner(deadlines ...time.Time) (next time.Time) {
	for _, at := range deadlines {
		if next.IsZero() || !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return next
}

// Due tells that a deadline has come; zero never does.
func Due(deadline, now time.Time) bool { return !deadline.IsZero() && !now.Before(deadline) }
