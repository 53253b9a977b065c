package child

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// DefaultPath is the PATH that is searched if the command's environment has none.
const DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// LookPath returns the path of a command, searched as execvp(3) does in the PATH of env, the
// command's environment. The error is an [*ExecError].
func LookPath(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, executable(name)
	}
	path := DefaultPath
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, "PATH="); ok {
			path = value
		}
	}
	var found error = &ExecError{Path: name, Err: fmt.Errorf("%w in PATH %q", unix.ENOENT, path)}
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, name)
		err := executable(file)
		if err == nil {
			return file, nil
		}
		if errors.Is(err, unix.EACCES) && !isDir(file) {
			found = err // a file that cannot be executed is the error only if no other one is found
		}
	}
	return "", found
}

// LookPathIn is [LookPath] for a command that runs in dir: a name with a slash is relative to dir.
// An empty dir is our own directory. It also returns an error if dir cannot be used.
func LookPathIn(dir, name string, env []string) (string, error) {
	if dir == "" {
		return LookPath(name, env)
	}
	if info, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("cannot run in %s: %w", dir, errors.Unwrap(err))
	} else if !info.IsDir() {
		return "", fmt.Errorf("cannot run in %s: it is not a directory", dir)
	}
	if strings.Contains(name, "/") && !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	return LookPath(name, env)
}

// executable returns an [*ExecError] if the file does not exist, is a directory, or is not marked
// executable.
func executable(file string) error {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return &ExecError{Path: file, Err: errors.Unwrap(err)}
	case info.IsDir():
		return &ExecError{Path: file, Err: fmt.Errorf("%w: it is a directory", unix.EACCES)}
	case info.Mode()&0o111 == 0:
		return &ExecError{Path: file, Err: fmt.Errorf("%w: it is not marked executable", unix.EACCES)}
	}
	return nil
}

// isDir tells whether the file is a directory.
func isDir(file string) bool { info, err := os.Stat(file); return err == nil && info.IsDir() }
