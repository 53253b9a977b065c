package supervisor

import (
	"os"
	"slices"
	"strings"

	"github.com/cginit/cginit/cgroup"
)

// Way is what gives a container's jobs cgroups of their own on one platform.
type Way struct {
	Platform string `json:"platform"`
	Add      string `json:"add"` // verbatim
	Where    string `json:"where"`
}

// ways are all of them, the usual platforms first.
var ways = []Way{
	{"docker", "--security-opt writable-cgroups=true", "docker run, Docker 28 or later (before: --cap-add SYS_ADMIN)"},
	{"compose", `security_opt: ["writable-cgroups=true"]`, "docker-compose.yml, in the service"},
	{"podman", "--security-opt unmask=/sys/fs/cgroup", "podman run, podman create"},
	{"kubernetes", "runtimeClassName: writable-cgroups", "the pod's spec, with a RuntimeClass whose containerd (2.1 or later) runtime has cgroup_writable = true: examples/kubernetes"},
	{"cri-o", `io.kubernetes.cri-o.cgroup2-mount-hierarchy-rw: "true"`, "the pod's annotations, where CRI-O's allowed_annotations has it"},
	{"nomad", `security_opt = ["writable-cgroups=true"]`, "the config of a task with the docker driver"},
}

// onHost is the way where there is no container.
var onHost = Way{"host", "systemd-run --user --scope --property Delegate=yes", "before the command; root needs nothing"}

// howToGetCgroup is all of them in one line, for a message.
func howToGetCgroup() string {
	words := make([]string, len(ways))
	for i, w := range ways {
		words[i] = w.Platform + ": " + w.Add
	}
	return "add one of: " + strings.Join(words, " | ") + " (cginit --check says more)"
}

// platform is who runs this container, as far as it shows. What Kubernetes gives a pod comes
// first: below it is an engine whose marks are there too.
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

// waysOn are the ways, that of the platform before all others.
func waysOn(platform string) []Way {
	if platform == "host" {
		return []Way{onHost}
	}
	own := func(w Way) bool { return w.Platform == platform }
	i := slices.IndexFunc(ways, own)
	if i < 0 {
		return ways
	}
	return append([]Way{ways[i]}, slices.DeleteFunc(slices.Clone(ways), own)...)
}
