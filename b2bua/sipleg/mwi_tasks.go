package sipleg

import (
	"container/heap"
	"time"
)

// A task is what is to be done at a time, once.
type task struct {
	do    func(now time.Time) // does not change
	at    time.Time           // zero: never
	index int                 // in the heap, from 1; 0: not there
}

// tasks are those that have a time, the earliest first.
type tasks struct{ heap taskHeap }

// set makes a task due at a time; zero: never.
func (l *tasks) set(t *task, at time.Time) {
	t.at = at
	switch {
	case at.IsZero() && t.index > 0:
		heap.Remove(&l.heap, t.index-1)
	case at.IsZero():
	case t.index > 0:
		heap.Fix(&l.heap, t.index-1)
	default:
		heap.Push(&l.heap, t)
	}
}

// deadline is when the first is due; zero: there is none.
func (l *tasks) deadline() time.Time {
	if len(l.heap) == 0 {
		return time.Time{}
	}
	return l.heap[0].at
}

// due takes the first out if it is due; nil: none is.
func (l *tasks) due(now time.Time) *task {
	if len(l.heap) == 0 || now.Before(l.heap[0].at) {
		return nil
	}
	t := l.heap[0]
	l.set(t, time.Time{})
	return t
}

// taskHeap orders tasks by time (container/heap).
type taskHeap []*task

func (h taskHeap) Len() int           { return len(h) }
func (h taskHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h taskHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i+1, j+1
}

func (h *taskHeap) Push(x any) {
	t := x.(*task)
	*h = append(*h, t)
	t.index = len(*h)
}

func (h *taskHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = 0
	return t
}
