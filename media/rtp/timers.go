package rtp

// timers are the loops of a shard for which something is due, a heap with the
// earliest first. Each loop knows its place, so it is moved without a search.
type timers []*loop

// set puts a loop where its due belongs, or takes it out if nothing is due.
func (t *timers) set(l *loop) {
	switch {
	case l.due.IsZero() && l.place == 0:
	case l.due.IsZero():
		t.remove(l)
	case l.place == 0:
		*t = append(*t, l)
		l.place = len(*t)
		t.up(len(*t) - 1)
	default:
		t.down(t.up(l.place - 1))
	}
}

func (t *timers) remove(l *loop) {
	if l.place == 0 {
		return
	}
	i, last := l.place-1, len(*t)-1
	t.swap(i, last)
	(*t)[last] = nil
	*t = (*t)[:last]
	l.place = 0
	if i < last {
		t.down(t.up(i))
	}
}

func (t timers) before(i, j int) bool { return t[i].due.Before(t[j].due) }

func (t timers) swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].place, t[j].place = i+1, j+1
}

func (t timers) up(i int) int {
	for i > 0 && t.before(i, (i-1)/2) {
		t.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	return i
}

func (t timers) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(t); child++ {
			if t.before(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		t.swap(i, least)
		i = least
	}
}
