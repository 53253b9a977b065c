package host

import (
	"os"
	"strings"

	"github.com/cginit/cginit/cgroup"
)

// Way is what to add on one platform so that a container's jobs get their own cgroups.
type Way struct {
	Platform string `json:"platform"`
	// Add is the text to add, verbatim. Where says what to add it to.
	Add   string `json:"add"`
	Where string `json:"where"`
}

// ways are the ways of all platforms, the usual ones first.
var ways = []Way{
	{"docker", "--security-opt writable-cgroups=true", "docker run, Docker 28 or later (before: --cap-add SYS_ADMIN)"},
	{"compose", `security_opt: ["writable-cgroups=true"]`, "docker-compose.yml, in the service"},
	{"podman", "--security-opt unmask=/sys/fs/cgroup", "podman run, podman create"},
	{"kubernetes", "runtimeClassName: writable-cgroups", "the pod's spec, with a RuntimeClass whose containerd (2.1 or later) runtime has cgroup_writable = true: examples/kubernetes"},
	{"cri-o", `io.kubernetes.cri-o.cgroup2-mount-hierarchy-rw: "true"`, "the pod's annotations, where CRI-O's allowed_annotations has it"},
	{"nomad", `security_opt = ["writable-cgroups=true"]`, "the config of a task with the docker driver"},
}

// bySystemd is the way for an ordinary user where systemd is process 1, on a host or in a
// container.
var bySystemd = Way{"systemd", "systemd-run --user --scope --property Delegate=yes", "before the command; root needs nothing"}

// underSystemd tells whether systemd is process 1. It uses the test of sd_booted(3).
func underSystemd() bool { return exists("/run/systemd/system") && os.Getpid() != 1 }

// moreByCheck is the end of a message that names what to add.
const moreByCheck = " (cginit --check says more)"

// HowToGetCgroup returns in one line what to add here to get a cgroup for jobs, for a message.
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

// platform returns the name of what runs this container, as far as that shows. Kubernetes is tested
// before the engine below it, because the engine leaves its marks too.
func platform() string {
	switch {
	case !cgroup.InContainer(): // the files below prove nothing: a VM's disk may be made from an image
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
	case os.Getenv("container") != "": // the name that the engine gives itself: docker, podman, oci, lxc ...
		return os.Getenv("container")
	case exists("/.dockerenv"):
		return "docker"
	}
	return "container"
}

// waysOn returns the ways for a container, those of this platform first. On a host it is only that
// of systemd.
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
