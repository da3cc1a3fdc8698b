package measure

import "testing"

func TestBend(t *testing.T) {
	if d := Bend(0, 10, []int16{20, 30, 25, 20}); d != 15 {
		t.Errorf("a bend of %d", d)
	}
	if d := Bend(-32768, 32767, []int16{-32768}); d != 4*32768-2 {
		t.Errorf("the sharpest is %d", d)
	}
	if n := Loud([]int16{0, 100, -101, 101}, 100); n != 2 {
		t.Errorf("%d loud samples", n)
	}
}
