// Release builds what a release consists of: an archive for each platform, their checksums, and the notes
// from CHANGELOG.md. Two runs on the same commit with the same Go write the same bytes, wherever they run.
// "make release" calls it.
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cginit/cginit/internal/release"
)

func main() {
	out := flag.String("o", "dist", "the `directory` to write to; what a release before left there is removed")
	sbom := flag.String("sbom", "", "the path of `cyclonedx-gomod`; empty: no SBOMs")
	flag.Parse()
	if err := run(*out, *sbom, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// run builds the release for platforms, such as linux/arm/v7, in the current directory.
func run(out, sbom string, platforms []string) error {
	if len(platforms) == 0 {
		return errors.New("no platform is given, such as linux/amd64")
	}
	date, err := releaseDate()
	if err != nil {
		return err
	}
	changelog, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		return err
	}
	notes, err := notesOf(string(changelog), release.Version)
	if err != nil {
		return err
	}
	if err := emptyDir(out); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "RELEASE_NOTES.md"), []byte(notes), 0o644); err != nil {
		return err
	}
	var sums strings.Builder
	for _, name := range platforms {
		p, err := parsePlatform(name)
		if err != nil {
			return err
		}
		files, err := p.files(sbom, notes)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		archive, data, err := p.archive(files, date)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(out, archive), data, 0o644); err != nil {
			return err
		}
		fmt.Printf("%9d %s\n", len(data), archive)
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), archive)
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// emptyDir makes the directory out, and removes from it what an earlier release has written.
func emptyDir(out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, pattern := range []string{"cginit_*", "cginitctl_*", "RELEASE_NOTES.md", "SHA256SUMS"} {
		old, err := filepath.Glob(filepath.Join(out, pattern))
		if err != nil {
			return err
		}
		for _, name := range old {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// releaseDate returns the time that all files of the release have: SOURCE_DATE_EPOCH, or that of the commit.
func releaseDate() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		out, err := exec.Command("git", "log", "-1", "--format=%ct").Output()
		if err != nil {
			return time.Time{}, fmt.Errorf("git cannot tell the date of the commit (%w); set SOURCE_DATE_EPOCH", err)
		}
		text = strings.TrimSpace(string(out))
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %q is not a number of seconds", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}
