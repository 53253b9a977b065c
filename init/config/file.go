package config

import "time"

// File is the result of one or more configuration files, merged.
type File struct {
	// Jobs has the services and jobs in the order of the file. Each replica is one of them.
	Jobs []*Spec
	// GracePeriod is the time for the whole shutdown.
	GracePeriod time.Duration
	// Socket is the path of the control socket; empty: the default path; "none": no control server.
	Socket string
	// Report is the file to which receipts are appended; empty: none.
	Report string
	// LogFormat is "text" or "json"; empty: the file does not say.
	LogFormat string
	// Seal is "auto", "none" or empty, which is none.
	Seal string
	// AllowUIDs and AllowGIDs may use the control socket, besides root and the supervisor's own user.
	AllowUIDs, AllowGIDs []uint32
	// Warnings has a line for each thing that is allowed but probably a mistake.
	Warnings []string

	at map[string]*node // where each of Jobs is written, by name; nil after Release
}

// Release lets go of what only [File.Check] needs: the whole text of the files, as nodes.
func (f *File) Release() { f.at = nil }
