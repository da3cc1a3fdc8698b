package b2bua_test

import (
	"testing"
	"time"

	"crosspoint/b2bua/flow"
)

// flashing is an office whose alice may give hook-flashes to the exchange.
const flashing = `
[[phone]]
extension = "101"
secret = "alice-secret-1"
line_flash = true
[[phone]]
extension = "102"
secret = "bob-secret-22"
[[line]]
name = "fxo1"
kind = "fxo"
incoming = "101"
[[trunk]]
name = "104"
lines = "fxo1"
[[rule]]
dial = "7"
to = "104"
class = "internal"
[features]
line_flash = "*0"
[emergency]
none = "a test"
`

// dave's column is the line's.
func TestFlashToTheExchange(t *testing.T) {
	flow.Test(t, flashing, func(f *flow.Flow) {
		f.Alice.Calls("7")
		f.Dave.Answers()
		f.Alice.Presses('*')
		f.Alice.Presses('0')
		f.Ladder(`
			alice -> b2bua  INVITE 7
			b2bua -> dave   INVITE
			dave  -> b2bua  200
			b2bua -> alice  200
			alice -> b2bua  INFO *
			b2bua -> dave   digit *
			alice -> b2bua  INFO 0
			b2bua -> dave   digit 0
			b2bua -> dave   flash`)
		f.Alice.Presses('*')
		f.Wait(3 * time.Second) // that was no code
		f.Alice.Presses('0')
		f.Ladder(`
			alice -> b2bua  INFO *
			b2bua -> dave   digit *
			alice -> b2bua  INFO 0
			b2bua -> dave   digit 0`)
		f.Hears(f.Alice, f.Dave)
		f.Alice.HangsUp()
	})
}

// On an analog telephone, after its own hook-flash.
func TestFlashToTheExchangeAfterAFlash(t *testing.T) {
	flow.Test(t, flashing, func(f *flow.Flow) {
		f.Alice.Calls("7")
		f.Dave.Answers()
		f.Alice.Flashes()
		f.Deaf(f.Alice, f.Dave)
		f.Alice.Dials("*0")
		f.Hears(f.Alice, f.Dave)
		f.Ladder(`
			alice -> b2bua  INVITE 7
			b2bua -> dave   INVITE
			dave  -> b2bua  200
			b2bua -> alice  200
			alice -> b2bua  flash
			b2bua -> dave   INVITE (hold)
			alice -> b2bua  DTMF *0
			b2bua -> dave   INVITE (resume)
			b2bua -> dave   flash`)
		f.Alice.HangsUp()
	})
}

// Not for phones that may not, nor to parties that are no exchange; and the code is
// nothing to call.
func TestNoFlashToTheExchange(t *testing.T) {
	flow.Test(t, flashing, func(f *flow.Flow) {
		f.Bob.Calls("7")
		f.Dave.Answers()
		f.Bob.Presses('*')
		f.Bob.Presses('0')
		f.Bob.Flashes()
		f.Bob.Dials("*0")
		f.Ladder(`
			bob   -> b2bua  INVITE 7
			b2bua -> dave   INVITE
			dave  -> b2bua  200
			b2bua -> bob    200
			bob   -> b2bua  INFO *
			b2bua -> dave   digit *
			bob   -> b2bua  INFO 0
			b2bua -> dave   digit 0
			bob   -> b2bua  flash
			b2bua -> dave   INVITE (hold)
			bob   -> b2bua  DTMF *0
			b2bua -> dave   INVITE (resume)`)
		f.Bob.HangsUp()
	})
	flow.Test(t, flashing, func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Bob.Answers()
		f.Alice.Presses('*')
		f.Alice.Presses('0')
		f.Ladder(`
			alice -> b2bua  INVITE 102
			b2bua -> bob    INVITE
			bob   -> b2bua  200
			b2bua -> alice  200
			alice -> b2bua  INFO *
			b2bua -> bob    digit *
			alice -> b2bua  INFO 0
			b2bua -> bob    digit 0`)
		f.Alice.HangsUp()
		f.Alice.Calls("*0")
		f.Ended("b2bua", "press its code while you talk")
	})
}
