package proc

import (
	"os"
	"strconv"
	"strings"
)

// Cgroup returns the path of the cgroup v2 that a process is in, as /proc/PID/cgroup has it:
// relative to our cgroup namespace, with a leading slash. The path is empty if the process is in no
// cgroup v2. The error says that the file cannot be read, as that of a process that has ended.
func Cgroup(pid int) (path string, err error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(data)) {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			return strings.TrimSuffix(path, "\n"), nil
		}
	}
	return "", nil
}
