package child

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cginit/cginit/internal/self"
)

// ProbeArgs returns the arguments of a probe of a URL or of an address (host:port); the other must
// be empty. The program is our own binary ([self.Exe]).
func ProbeArgs(url, address string) []string { return self.Probe.Args(url, address) }

// runProbe is a probe: a health check by HTTP or TCP. A probe is our binary, executed inside the job's cgroup
// and with its rights, so that no image needs curl. Its arguments are a URL and an address, one of them empty.
// The supervisor bounds its time. It returns exit status 0, or prints the reason on stdout and returns 1.
func runProbe(args []string) int {
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, "cginit: "+self.NotForUsers)
		return 1
	}
	err := byTCP(args[1])
	if args[0] != "" {
		err = byHTTP(args[0])
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// byTCP returns an error if it cannot connect to the address. It does nothing for an empty one.
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

// byHTTP returns an error if a GET of the URL is not answered with status 200 to 399. It uses
// HTTP/1.0, which every server speaks and in which the answer ends with the connection. net/http
// would double the size of process 1's binary.
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
