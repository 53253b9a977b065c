package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"

	"github.com/cginit/cginit/internal/release"
)

// describe returns the SBOM of a program: its modules with their versions and hashes, and the version of Go.
func describe(sbom, program string) ([]byte, error) {
	cmd := exec.Command(sbom, "bin", "-json", "-noserial", "-notimestamp", "-std", "-version", "v"+release.Version, program)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sbom, err)
	}
	return withoutTools(out)
}

// withoutTools returns an SBOM without what made it: the hash of that program differs between machines that
// compile it for themselves.
func withoutTools(sbom []byte) ([]byte, error) {
	var all map[string]any
	if err := json.Unmarshal(sbom, &all); err != nil {
		return nil, err
	}
	metadata, ok := all["metadata"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the SBOM has no metadata: %.100s", sbom)
	}
	delete(metadata, "tools")
	out, err := json.MarshalIndent(all, "", "  ")
	return append(out, '\n'), err
}
