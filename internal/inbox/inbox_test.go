package inbox

import (
	"sync"
	"testing"
)

func TestOrderAndClose(t *testing.T) {
	b := New[int]()
	for i := range 3 {
		if !b.Put(i) {
			t.Fatal("an open inbox refuses")
		}
	}
	<-b.Ready()
	for i := range 2 {
		if got, ok := b.Take(); !ok || got != i {
			t.Fatalf("took %d, %v; want %d", got, ok, i)
		}
	}
	if rest := b.Close(); len(rest) != 1 || rest[0] != 2 {
		t.Errorf("left over: %v", rest)
	}
	if b.Put(9) {
		t.Error("a closed inbox takes")
	}
	if _, ok := b.Take(); ok {
		t.Error("a closed inbox gives")
	}
}

// Two owners that give each other orders must never wait for one another.
func TestTwoOwnersDoNotBlock(t *testing.T) {
	a, b := New[int](), New[int]()
	var wg sync.WaitGroup
	serve := func(mine, theirs *Inbox[int]) {
		defer wg.Done()
		got := 0
		for got < 10000 {
			theirs.Put(got)
			<-mine.Ready()
			for {
				if _, ok := mine.Take(); !ok {
					break
				}
				got++
			}
			theirs.Put(got)
		}
		for range 20000 { // the other may still be waiting
			theirs.Put(0)
		}
	}
	wg.Add(2)
	go serve(a, b)
	go serve(b, a)
	wg.Wait()
}
