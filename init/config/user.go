package config

import (
	"fmt"
	"strings"

	"github.com/moby/sys/user"
)

// AutoUser in place of a name stands for a uid, and a gid of the same number, that nothing else has.
const AutoUser = "auto"

// ParseUser returns the user that AutoUser, NAME, UID, NAME:GROUP or UID:GID stands for, by /etc/passwd
// and /etc/group. A number needs no entry there, since containers often run with numbers that have no
// name.
func ParseUser(s string) (*User, error) {
	if s == AutoUser {
		return &User{Auto: true, Home: "/"}, nil
	}
	if s == "" || strings.HasPrefix(s, ":") { // the library would return root
		return nil, fmt.Errorf("%q names no user; use NAME|UID[:GROUP|GID]", s)
	}
	u, err := user.GetExecUserPath(s, &user.ExecUser{Home: "/"}, "/etc/passwd", "/etc/group")
	if err != nil {
		return nil, fmt.Errorf("%q is not a user of this image: %w", s, err)
	}
	// The primary group is one of them, as after a login. Without it the job could read a file that all
	// others may read but the group may not.
	groups := []uint32{uint32(u.Gid)}
	for _, g := range u.Sgids {
		if g != u.Gid {
			groups = append(groups, uint32(g))
		}
	}
	return &User{UID: uint32(u.Uid), GID: uint32(u.Gid), Groups: groups, Home: u.Home}, nil
}
