package config

import "time"

// File is what one or more configuration files, merged, ask for.
type File struct {
	Jobs        []Spec        // services and jobs, replicas each by itself, in the order of the file
	GracePeriod time.Duration // for the whole shutdown
	Socket      string        // of the control server; empty: the default; none: no server
	Report      string        // file for receipts; empty: none
	LogFormat   string        // text or json; empty: not said
	AllowUIDs   []uint32      // who may use the socket besides root and ourselves
	AllowGIDs   []uint32
	Warnings    []string // what is not wrong but probably not meant, a line each

	at map[string]*node // where each of Jobs is written
}
