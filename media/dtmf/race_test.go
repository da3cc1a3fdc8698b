//go:build race

package dtmf

// raced: the race detector makes arithmetic ten times slower, and there is only
// one goroutine here. The long listening tests are shorter under it.
const raced = true
