//go:build race

package echo

// The race detector makes arithmetic ten times slower, and finds nothing in it.
func init() { paths, talkOff = paths[:1], 10 }
