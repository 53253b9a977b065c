// Package probe is the health check by HTTP or TCP: our binary once more, inside the job's
// cgroup and with its rights, so that no image needs a curl. The timeout is that of the run.
package probe

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// Name is argv[0] of a probe. Its arguments are a URL and an address, one of them empty.
const Name = "cginit-probe"

// Run is the check, and its exit status the answer: 0, or 1 with the reason on stdout.
func Run(args []string) int {
	if len(args) != 3 {
		fmt.Fprintln(os.Stderr, "cginit: "+Name+" is cginit's own")
		return 1
	}
	err := byTCP(args[2])
	if args[1] != "" {
		err = byHTTP(args[1])
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func byTCP(address string) error {
	if address == "" {
		return nil
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// byHTTP asks with HTTP/1.0, which every server speaks and which ends by itself. net/http
// would double the binary of process 1.
func byHTTP(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return err
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), "80")
	}
	conn, err := net.DialTimeout("tcp", address, time.Minute)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: %s\r\nUser-Agent: cginit\r\nConnection: close\r\n\r\n", u.RequestURI(), u.Host); err != nil {
		return err
	}
	line, err := bufio.NewReaderSize(conn, 512).ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("no answer from %s: %w", u.Host, err)
	}
	words := strings.Fields(string(line))
	if len(words) < 2 || !strings.HasPrefix(words[0], "HTTP/") {
		return fmt.Errorf("%s does not answer in HTTP: %q", u.Host, line)
	}
	if status, err := strconv.Atoi(words[1]); err != nil || status < 200 || status > 399 {
		return fmt.Errorf("%s answers %s", text, strings.Join(words[1:], " "))
	}
	return nil
}
