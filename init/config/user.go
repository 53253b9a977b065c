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
	groups := make([]uint32, len(u.Sgids))
	for i, g := range u.Sgids {
		groups[i] = uint32(g)
	}
	return &User{UID: uint32(u.Uid), GID: uint32(u.Gid), Groups: groups, Home: u.Home}, nil
}
