package tomlfile

import (
	"fmt"
	"strings"
)

// Nearest returns the candidate whose spelling is closest to word, or "" if
// none is close enough to be what was meant: at most a third of the letters
// differ, a swap of neighbours counted as one difference.
func Nearest(word string, candidates []string) string {
	best, nearest := max(1, len(word)/3)+1, ""
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < best {
			best, nearest = d, c
		}
	}
	return nearest
}

// Meant returns a clause to end a message about an unknown word: what was
// probably meant, or nothing.
func Meant(word string, candidates []string) string {
	if n := Nearest(word, candidates); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

// Suggest is Meant, or else what there is, if that is not much.
func Suggest(word string, candidates []string) string {
	if meant := Meant(word, candidates); meant != "" {
		return meant
	}
	if len(candidates) == 0 || len(candidates) > 12 {
		return ""
	}
	return "; known are " + Quoted(candidates)
}

// Quoted lists words for a message: `"a", "b"`.
func Quoted(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", w)
	}
	return b.String()
}

// distance is the optimal string alignment distance of two words.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
