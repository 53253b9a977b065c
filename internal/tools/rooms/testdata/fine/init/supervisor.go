package supervisor

import "example.com/fine/init/hold"

// Supervisor is empty.
type Supervisor struct{}

func same(l, m hold.Level) bool { return l == m }
