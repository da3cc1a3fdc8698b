package callerid

import "testing"

func TestQuick(t *testing.T) {
	for s := range standards {
		tx := NewSender(CallerID{Number: "5551234", Name: "Joe Müller", Time: Time{12, 24, 18, 5}}, Config{Standard: s})
		rx := NewReceiver()
		var buf [160]int16
		total := 0
		for tx.Busy() {
			n := tx.Read(buf[:])
			total += n
			if id, ok := rx.Receive(buf[:n]); ok {
				t.Logf("%v %+v %d ms", s, id, total/8)
			}
		}
		if err := rx.Err(); err != nil {
			t.Error(s, err)
		}
	}
}
