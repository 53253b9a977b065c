package supervisor

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestNotification checks what messages say. What is not valid says nothing.
func TestNotification(t *testing.T) {
	const second = time.Second
	for text, want := range map[string][]notification{
		"READY=1":                                {{kind: sayReady}},
		"READY=1\n":                              {{kind: sayReady}},
		"STATUS=a=b\nREADY=1\nX=1":               {{kind: sayStatus, status: "a=b"}, {kind: sayReady}},
		"STATUS=":                                {{kind: sayStatus}},
		"STOPPING=1\nSTOPPING=1":                 {{kind: sayStopping}, {kind: sayStopping}},
		"WATCHDOG=1\nWATCHDOG=trigger":           {{kind: sayAlive}, {kind: sayBad}},
		"WATCHDOG_USEC=1000000":                  {{kind: sayWatchdog, span: second}},
		"EXTEND_TIMEOUT_USEC=01000000":           {{kind: sayExtend, span: second}},
		"EXTEND_TIMEOUT_USEC=9223372036854775":   {{kind: sayExtend, span: extendMost}},
		"WATCHDOG_USEC=9223372036854775":         {{kind: sayWatchdog, span: 9223372036854775 * time.Microsecond}},
		"WATCHDOG_USEC=9223372036854776":         nil,
		"WATCHDOG_USEC=18446744073709551615":     nil,
		"WATCHDOG_USEC=99999999999999999999999":  nil,
		"WATCHDOG_USEC=0\nEXTEND_TIMEOUT_USEC=0": nil,
		"WATCHDOG_USEC=-1\nWATCHDOG_USEC=+1":     nil,
		"WATCHDOG_USEC= 1\nWATCHDOG_USEC=1 ":     nil,
		"WATCHDOG_USEC=1e6\nWATCHDOG_USEC=0x10":  nil,
		"WATCHDOG_USEC=1\r\nWATCHDOG_USEC=1_000": nil,
		"WATCHDOG_USEC=\nWATCHDOG_USEC":          nil,
		"ready=1\nStopping=1\nwatchdog=trigger":  nil,
		"READY=0\nREADY=11\nREADY=\nREADY":       nil,
		"RELOADING=1\nMONOTONIC_USEC=5":          {{kind: sayReloading}},
		"RELOADING=0\nRELOADING":                 nil,
		"STOPPING=0\nSTOPPING=yes\nSTOPPING":     nil,
		"WATCHDOG=0\nWATCHDOG=TRIGGER":           nil,
		" READY=1\nREADY =1\n\x00READY=1":        nil,
		"READY=1\x00":                            nil,
		"MAINPID=17":                             {{kind: sayMain, pid: 17}},
		"MAINPID=0\nMAINPID=-1\nMAINPID=\nMAINPID=1 2\nMAINPID=2147483648\nmainpid=3": nil,
		"":          nil,
		"\n\n=\n=1": nil,
	} {
		if got := parseNotification(text); !slices.Equal(got, want) {
			t.Errorf("%q says %+v, want %+v", text, got, want)
		}
	}
}

// FuzzNotification checks what holds for every message.
func FuzzNotification(f *testing.F) {
	f.Add("READY=1\nSTATUS=works\nWATCHDOG=trigger\nWATCHDOG_USEC=20\nEXTEND_TIMEOUT_USEC=99999999999999999999\nMAINPID=5\nSTOPPING=1")
	f.Add("watchdog=1\nWATCHDOG_USEC=-1\n\xff=\x00\n\nREADY")
	f.Fuzz(func(t *testing.T, text string) {
		all := parseNotification(text)
		if lines := strings.Count(text, "\n") + 1; len(all) > lines {
			t.Errorf("%q says %d things in %d lines", text, len(all), lines)
		}
		for _, n := range all {
			timed := n.kind == sayWatchdog || n.kind == sayExtend
			if timed != (n.span > 0) || n.kind == sayExtend && n.span > extendMost {
				t.Errorf("%q says %+v", text, n)
			}
			if (n.kind == sayMain) != (n.pid > 0) {
				t.Errorf("%q says %+v", text, n)
			}
			if n.status != "" && (n.kind != sayStatus || strings.Contains(n.status, "\n")) {
				t.Errorf("%q says %+v", text, n)
			}
		}
		if twice := parseNotification(text + "\n" + text); !slices.Equal(twice, append(all, all...)) {
			t.Errorf("%q twice says %+v", text, twice)
		}
	})
}
