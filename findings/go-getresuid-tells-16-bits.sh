#!/bin/sh
# unix.Getresuid of golang.org/x/sys tells 65534 for every uid above 65535 on 386 and arm.
#
# Linux has two calls of that kind on these platforms: getresuid, from the time of 16-bit uids, which answers with
# an overflow uid for the others, and getresuid32. The package calls the second one for Getuid and Geteuid, but
# the first one for Getresuid and Getresgid. Who compares the two, or checks what a change of the user has done,
# gets a wrong answer. The kernel writes two bytes of each number; the rest stays what it was, zero.
#
# The program below is built for 386, which amd64 runs too. It needs go and root, to have a large uid.
#
# Seen with golang.org/x/sys v0.49.0 and Go 1.26.8 on Linux 6.18:
#   uid 100000: Getuid says 100000, Getresuid says 65534 65534 65534
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'EOF'
package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func main() {
	real, effective, saved := unix.Getresuid()
	fmt.Println("uid 100000: Getuid says", fmt.Sprint(unix.Getuid())+", Getresuid says", real, effective, saved)
}
EOF
{
	go mod init example.com/finding
	go get golang.org/x/sys@v0.49.0
	GOARCH=386 CGO_ENABLED=0 go build -o program .
} >log 2>&1 || { cat log; exit 2; }
chmod 755 "$dir"
setpriv --reuid 100000 --clear-groups ./program | tee seen
echo "uid 100000: Getuid says 100000, Getresuid says 65534 65534 65534" | cmp -s - seen
