package config

import "github.com/cginit/cginit/init/config/programs"

// Advice returns a line for each thing that is known to go wrong with the program of a job, as the file has it.
func (f *File) Advice() (lines []string) {
	seen := map[string]bool{} // the replicas of a service get one
	for _, j := range f.Jobs {
		name := j.Name
		if j.Scaled != "" {
			name = j.Scaled
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		use := programs.Use{Args: j.Args, Stop: j.StopSignal, Grace: j.GracePeriod, Notify: j.Ready.Kind == ReadyNotify}
		for _, advice := range programs.Advice(use) {
			lines = append(lines, name+": "+advice)
		}
		if j.ReloadWhy != "" {
			lines = append(lines, name+": "+j.ReloadWhy)
		}
	}
	return lines
}
