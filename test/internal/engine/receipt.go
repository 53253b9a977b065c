package engine

// Receipt is what cginit writes to --report when a job has ended, in the form that users read.
type Receipt struct {
	Job         string
	Run         int
	Cause       string
	Command     []string
	Code        *int
	Signal      string
	ExitStatus  int `json:"exit_status"`
	Asked       int
	Left        int
	Killed      int
	Unkillable  int
	Processes   []Process
	Containment string
	Guarantee   string
}

// Process is a leftover that did not end by itself.
type Process struct {
	Pid     int
	PPid    int
	Command string
	Outcome string
	Reasons []string
}
