package vm

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
)

// machine is what the VM of an architecture needs.
type machine struct {
	arch, qemu string
	kernel     string // Debian's package that depends on the newest kernel
	flags      []string
	// The devices in the guest: the kernel's console, and the port that carries only results.
	console, port string
	modules       []string          // what the kernel has not built in, in the order in which it is loaded
	lacks         map[string]string // scenarios that it does not run, and why
}

var machines = []machine{
	{
		arch: "amd64", qemu: "qemu-system-x86_64", kernel: "linux-image-cloud-amd64",
		flags:   []string{"-cpu", "max", "-device", "isa-serial,index=1,chardev=results"},
		console: "ttyS0", port: "/dev/ttyS1",
	},
	{
		arch: "arm64", qemu: "qemu-system-aarch64", kernel: "linux-image-cloud-arm64",
		flags:   []string{"-machine", "virt", "-cpu", "neoverse-n1", "-device", "pci-serial,chardev=results"},
		console: "ttyAMA0", port: "/dev/ttyS0",
	},
	{ // big-endian
		arch: "s390x", qemu: "qemu-system-s390x", kernel: "linux-image-s390x",
		flags:   []string{"-cpu", "max", "-device", "virtio-serial-ccw", "-device", "virtserialport,chardev=results"},
		console: "ttyS1", port: "/dev/vport0p1",
		modules: []string{"virtio_console.ko", "crc16.ko", "crc32c_generic.ko", "mbcache.ko", "jbd2.ko", "ext4.ko"},
		lacks:   map[string]string{"early": "without an entry of its own (internal/birth) an early signal is lost, or ends process 1 with the status 2 of Go"},
	},
}

// environ is the environment in which the go command builds for the machine.
func (m machine) environ() []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+m.arch)
}

// chosen returns the machine that CGINIT_VM names, by default the one with the test's own architecture.
func chosen(t testing.TB) machine {
	arch := os.Getenv("CGINIT_VM")
	if arch == "" {
		arch = runtime.GOARCH
	}
	var known []string
	for _, m := range machines {
		if m.arch == arch {
			m.qemu = harness.Command(t, m.qemu) // before anything is built
			return m
		}
		known = append(known, m.arch)
	}
	if os.Getenv("CGINIT_VM") == "" {
		harness.Missing(t, "a VM for "+arch)
	}
	t.Fatalf("CGINIT_VM=%s: there are VMs for %s", arch, strings.Join(known, ", "))
	return machine{}
}
