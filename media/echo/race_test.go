//go:build race

package echo

// The race detector makes arithmetic ten times slower, and finds nothing in it.
func init() { paths = paths[:1] }
