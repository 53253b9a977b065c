package daemons

import "slices"

// all returns the rows in the order of the table.
func all() []daemon {
	return slices.Concat(web, applications, databases, brokers, names, mail, logins, transfers, watchers, programs)
}
