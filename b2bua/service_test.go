package b2bua_test

import (
	"testing"

	"crosspoint/b2bua/flow"
)

func TestEcho(t *testing.T) {
	flow.Test(t, flow.Office+"[features]\necho = \"*43\"\n", func(f *flow.Flow) {
		f.Alice.Calls("*43")
		f.HearsOnly(f.Alice, f.Alice)
		f.Alice.HangsUp()
		f.Ladder(`
			alice -> b2bua  INVITE *43
			b2bua -> alice  200
			alice -> b2bua  BYE`)
		f.Ended("alice", "alice hung up")
	})
}
