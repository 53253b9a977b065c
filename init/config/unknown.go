package config

import "fmt"

// unknownKey reports a key that is not in the tables. The message has the most similar known key, or,
// if Compose knows the key, why it is refused and what to do instead.
func (p *problems) unknownKey(n *node, found pair, refused refusals, keys []*known) {
	at := found.value.keyAt
	if why := refused.why(found.key); why != "" {
		p.add(at, n.path(), "%q %s", found.key, why)
		return
	}
	words := make([]string, len(keys))
	for i, k := range keys {
		words[i] = k.name
	}
	p.add(at, n.path(), "unknown key %q%s", found.key, didYouMean(found.key, words))
}

// maxWord is the length up to which a word is compared with others.
const maxWord = 64

// didYouMean returns the most similar of the known words as the end of a message; empty if none is
// similar.
func didYouMean(s string, words []string) string {
	if len(s) > maxWord || len(words) > maxCompared {
		return ""
	}
	best, nearest := "", 1+min(len(s), 9)/3
	for _, w := range words {
		if d := distance(s, w); d < nearest || d == nearest && best == "" {
			best, nearest = w, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// distance returns how many letters must be inserted, left out, changed or swapped to turn a into b.
func distance(a, b string) int {
	if len(b) > maxWord {
		return maxWord
	}
	var above, before, row [maxWord + 1]int // the rows of a[:i-2], a[:i-1] and a[:i]
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		above, before, row[0] = before, row, i
		for j := 1; j <= len(b); j++ {
			change := before[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(before[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], above[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
