//go:build !amd64 && !arm64

// A package with a function without a body needs an assembly file.
