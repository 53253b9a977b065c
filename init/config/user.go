package config

import (
	"fmt"
	"strings"

	"github.com/moby/sys/user"
)

// AutoUser stands for a uid, and a gid of the same number, that nothing else has.
const AutoUser = "auto"

// ParseUser resolves AutoUser, NAME, UID, NAME:GROUP or UID:GID by /etc/passwd and /etc/group. A number
// needs no entry there: containers run with numbers that nobody has named.
func ParseUser(s string) (*User, error) {
	if s == AutoUser {
		return &User{Auto: true, Home: "/"}, nil
	}
	if s == "" || strings.HasPrefix(s, ":") { // the library would take it for root
		return nil, fmt.Errorf("%q names no user", s)
	}
	u, err := user.GetExecUserPath(s, &user.ExecUser{Home: "/"}, "/etc/passwd", "/etc/group")
	if err != nil {
		return nil, fmt.Errorf("%q is not a user here: %w", s, err)
	}
	// The first one is among them, as after a login: what a file refuses to its group it would
	// grant to all others else.
	groups := []uint32{uint32(u.Gid)}
	for _, g := range u.Sgids {
		if g != u.Gid {
			groups = append(groups, uint32(g))
		}
	}
	return &User{UID: uint32(u.Uid), GID: uint32(u.Gid), Groups: groups, Home: u.Home}, nil
}
