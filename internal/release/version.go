// Package release has the version of cginit and cginitctl, which "make release" puts into names too.
package release

// Version is that of the release, or of the next one.
const Version = "0.1.0"
