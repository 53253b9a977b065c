package keys

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
)

// healthcheck checks that a job that waits for the service starts when the check has succeeded.
func healthcheck(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/well" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	for _, test := range []string{
		`[CMD, test, "a  b", =, "a  b"]`, "[CMD-SHELL, 'test $$A = a']", "test $$A = a && exit 0",
		"[HTTP, 'http://" + address + "/well']", "[TCP, '" + address + "']",
	} {
		w := start(t, healthy("test: "+test))
		w.Line("healthy")
		w.stop()
	}
	for test, limit := range map[string]string{
		"[CMD, sh, -c, 'echo why; exit 3']": "1m", "[HTTP, 'http://" + address + "/ill']": "1m", "[TCP, '127.0.0.1:1']": "1m",
		"[CMD, sleep, '1000']": "200ms",
	} {
		w := start(t, healthy("timeout: "+limit+", interval: 1ms, retries: 2, test: "+test))
		if said := w.rest(); said != "" { // db may be asked to end before it has set its trap
			is(t, said, "got TERM\n")
		}
		if r := w.Wait(); r.Code == 0 || r.Clean() != nil || !strings.Contains(r.Stderr, "cannot start db: it is unhealthy: its check") ||
			strings.Contains(test, "why") && !strings.Contains(r.Stderr, ": why") {
			t.Errorf("%s: %d, %v: %s", test, r.Code, r.Clean(), r.Stderr)
		}
	}
	t.Run("start period", func(t *testing.T) {
		// The third check is the first that succeeds, and one failure would be too many.
		w := start(t, healthy("start_period: 10m, start_interval: 20ms, interval: 10m, retries: 1, test: 'echo >>{dir}/checks; test $$(wc -l <{dir}/checks) = 3'"))
		w.Line("healthy")
		is(t, w.file("checks"), "\n\n\n")
		w.stop()
	})
	for _, off := range []string{"disable: true", "test: [NONE]"} {
		is(t, saysWith(t, one("jobs", "echo up", "healthcheck: {"+off+"}")), "up\n")
	}
}

// healthy is a file with a service that has a check, and a service that waits for it.
func healthy(check string) string {
	if !strings.Contains(check, "interval") {
		check += ", interval: 50ms"
	}
	return "services:\n" + entry("db", strings.Replace(asked, "echo up; ", "", 1), "environment: {A: a}\nhealthcheck: {"+check+"}") +
		entry("web", "echo healthy; exec sleep 1000", "depends_on: {db: {condition: service_healthy}}")
}

// onUnhealthy checks that a service that becomes unhealthy is started again, or only reported.
func onUnhealthy(t *testing.T) {
	for _, way := range []string{"restart", "none"} {
		w := start(t, healthyWhile(way))
		w.Line("healthy")
		if err := os.Remove(w.dir + "/well"); err != nil {
			t.Fatal(err)
		}
		if way == "restart" {
			w.Line("run")
		} else {
			pod.Until(t, "it says so", func() bool { return strings.Contains(w.Stderr(), "db: it is unhealthy: its check") })
		}
		all := w.stop()
		runs := 0
		for _, r := range all {
			if r.Job == "db" {
				runs++
			}
		}
		if (runs > 1) != (way == "restart") {
			t.Errorf("%s: %+v", way, all)
		}
	}
}

func healthyWhile(way string) string {
	return fmt.Sprintf("services:\n%s%s",
		entry("db", "touch {dir}/well; echo run; exec sleep 1000", "on_unhealthy: "+way+"\nhealthcheck: {test: 'test -e {dir}/well', interval: 20ms, retries: 2}"),
		entry("web", "echo healthy; exec sleep 1000", "depends_on: {db: {condition: service_healthy}}"))
}
