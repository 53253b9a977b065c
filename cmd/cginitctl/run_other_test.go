//go:build !linux

package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestRunElsewhere checks that run says where it works, whatever its flags are.
func TestRunElsewhere(t *testing.T) {
	var stderr bytes.Buffer
	status := execute([]string{"run", "--memory", "1m", "--", "true"}, &stderr, &stderr)
	if status != statusRunFailed || !strings.Contains(stderr.String(), "docker exec") {
		t.Errorf("status %d: %s", status, stderr.String())
	}
}
