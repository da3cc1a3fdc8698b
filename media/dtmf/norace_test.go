//go:build !race

package dtmf

const raced = false
