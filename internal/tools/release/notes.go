package main

import (
	"errors"
	"regexp"
	"strings"
)

// section matches the headings of releases, such as "## [0.1.0] - 2026-11-30" and "## Unreleased".
var section = regexp.MustCompile(`(?m)^## \[?([^]\s]+).*\n`)

// notesOf returns the section of a changelog that is about a version. Until there is one, it returns the
// section Unreleased.
func notesOf(changelog, version string) (string, error) {
	found := map[string]string{}
	headings := section.FindAllStringSubmatchIndex(changelog, -1)
	for i, h := range headings {
		end := len(changelog)
		if i+1 < len(headings) {
			end = headings[i+1][0]
		}
		found[changelog[h[2]:h[3]]] = strings.TrimSpace(changelog[h[0]:end]) + "\n"
	}
	for _, name := range []string{version, "Unreleased"} {
		if notes := found[name]; notes != "" {
			return notes, nil
		}
	}
	return "", errors.New("CHANGELOG.md has neither a section " + version + " nor one Unreleased")
}
