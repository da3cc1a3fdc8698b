//go:build !race

package tone

const raced = false
