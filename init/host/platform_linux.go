package host

import (
	"os"
	"strings"

	"github.com/cginit/cginit/cgroup"
)

// Way is what gives a container's jobs cgroups of their own on one platform.
type Way struct {
	Platform string `json:"platform"`
	// Add is what to add, verbatim; Where says to what.
	Add   string `json:"add"`
	Where string `json:"where"`
}

// ways are those of all platforms, the usual ones first.
var ways = []Way{
	{"docker", "--security-opt writable-cgroups=true", "docker run, Docker 28 or later (before: --cap-add SYS_ADMIN)"},
	{"compose", `security_opt: ["writable-cgroups=true"]`, "docker-compose.yml, in the service"},
	{"podman", "--security-opt unmask=/sys/fs/cgroup", "podman run, podman create"},
	{"kubernetes", "runtimeClassName: writable-cgroups", "the pod's spec, with a RuntimeClass whose containerd (2.1 or later) runtime has cgroup_writable = true: examples/kubernetes"},
	{"cri-o", `io.kubernetes.cri-o.cgroup2-mount-hierarchy-rw: "true"`, "the pod's annotations, where CRI-O's allowed_annotations has it"},
	{"nomad", `security_opt = ["writable-cgroups=true"]`, "the config of a task with the docker driver"},
}

// bySystemd is the way of an ordinary user where systemd is process 1, on a host or in a container.
var bySystemd = Way{"systemd", "systemd-run --user --scope --property Delegate=yes", "before the command; root needs nothing"}

// underSystemd tells whether systemd is process 1, as sd_booted(3) does.
func underSystemd() bool { return exists("/run/systemd/system") && os.Getpid() != 1 }

// moreByCheck ends a message that names what can be added.
const moreByCheck = " (cginit --check says more)"

// HowToGetCgroup says in one line what can be added here to get a cgroup for jobs, for a message.
func HowToGetCgroup() string {
	here := waysOn(platform())
	if len(here) == 1 {
		return "start it with " + here[0].Add + moreByCheck
	}
	words := make([]string, len(here))
	for i, w := range here {
		words[i] = w.Platform + ": " + w.Add
	}
	return "add one of: " + strings.Join(words, " | ") + moreByCheck
}

// platform returns who runs this container, as far as it shows. What Kubernetes gives a pod comes
// first: the engine below it leaves its marks too.
func platform() string {
	switch {
	case !cgroup.InContainer(): // whatever lies around: a VM's disk may have been made from an image
		return "host"
	case os.Getenv("NOMAD_ALLOC_ID") != "":
		return "nomad"
	case os.Getenv("KUBERNETES_SERVICE_HOST") != "" || exists("/var/run/secrets/kubernetes.io"):
		if exists("/run/.containerenv") {
			return "cri-o"
		}
		return "kubernetes"
	case exists("/run/.containerenv"):
		return "podman"
	case os.Getenv("container") != "": // docker, podman, oci, lxc ...: what its maker calls itself
		return os.Getenv("container")
	case exists("/.dockerenv"):
		return "docker"
	}
	return "container"
}

// waysOn returns the ways, those of the platform before all others.
func waysOn(platform string) []Way {
	if platform == "host" {
		return []Way{bySystemd}
	}
	var first, others []Way
	if underSystemd() {
		first = append(first, bySystemd)
	}
	for _, w := range ways {
		if w.Platform == platform {
			first = append(first, w)
		} else {
			others = append(others, w)
		}
	}
	return append(first, others...)
}
