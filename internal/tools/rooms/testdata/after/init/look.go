package supervisor

import "example.com/after/init/hold"

type alias = hold.Containment

func look(c hold.Containment, d alias, other any) int {
	if _, ok := c.(*hold.Tree); ok { // 1
		return 1
	}
	switch d.(type) { // 2
	case *hold.Tree:
		return 2
	}
	if _, ok := any(c).(*hold.Tree); ok { // 3
		return 3
	}
	if _, ok := other.(*hold.Tree); ok { // not on a containment
		return 4
	}
	return 0
}

func compare(l, m hold.Level) bool {
	switch l {
	case hold.LevelTree, "other": // 1, 2
		return true
	}
	switch {
	case l == hold.LevelTree: // 3
		return true
	}
	return l == m || // no constant
		string(l) != "tree" // 4
}
