package cgroup

import (
	"errors"
	"testing"

	"github.com/moby/sys/mountinfo"
)

func TestLocate(t *testing.T) {
	type mount struct{ root, point string }
	for name, c := range map[string]struct {
		mounts []mount
		self   string
		want   Dir
		err    error
	}{
		"pure v2":                        {[]mount{{"/", "/sys/fs/cgroup"}}, "/user.slice/a.scope", "/sys/fs/cgroup/user.slice/a.scope", nil},
		"root":                           {[]mount{{"/", "/sys/fs/cgroup"}}, "/", "/sys/fs/cgroup", nil},
		"hybrid":                         {[]mount{{"/", "/sys/fs/cgroup/unified"}}, "/x", "/sys/fs/cgroup/unified/x", nil},
		"no mount":                       {nil, "/", "", ErrNoMount},
		"bound below a delegated path":   {[]mount{{"/docker/abc", "/sys/fs/cgroup"}}, "/docker/abc", "/sys/fs/cgroup", nil},
		"and in a child of it":           {[]mount{{"/docker/abc", "/sys/fs/cgroup"}}, "/docker/abc/x", "/sys/fs/cgroup/x", nil},
		"a name that only starts alike":  {[]mount{{"/docker/abc", "/sys/fs/cgroup"}}, "/docker/abcd", "", ErrNotOurs},
		"the host's tree is bound here":  {[]mount{{"/../..", "/sys/fs/cgroup"}}, "/", "", ErrNotOurs},
		"one step up":                    {[]mount{{"/..", "/sys/fs/cgroup"}}, "/", "", ErrNotOurs},
		"moved out of our namespace":     {[]mount{{"/", "/sys/fs/cgroup"}}, "/../other", "", ErrNotOurs},
		"the second mount is the right":  {[]mount{{"/../..", "/host"}, {"/", "/sys/fs/cgroup"}}, "/", "/sys/fs/cgroup", nil},
		"a name that only looks like up": {[]mount{{"/", "/c"}}, "/..a", "/c/..a", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var mounts []*mountinfo.Info
			for _, m := range c.mounts {
				mounts = append(mounts, &mountinfo.Info{Root: m.root, Mountpoint: m.point})
			}
			got, err := locate(mounts, c.self)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("%q, %v; want %q, %v", got, err, c.want, c.err)
			}
		})
	}
}

func TestParseEvents(t *testing.T) {
	for text, want := range map[string]Events{
		"populated 1\nfrozen 0\n": {Populated: true},
		"populated 0\nfrozen 1\n": {Frozen: true},
		"populated 1\n":           {Populated: true}, // before Linux 5.2
	} {
		if got, err := parseEvents([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "frozen 1\n", "populatedx 1\n"} {
		if got, err := parseEvents([]byte(bad)); err == nil {
			t.Errorf("%q: %+v; nothing in it says whether a process lives", bad, got)
		}
	}
}

func FuzzParseEvents(f *testing.F) {
	f.Add([]byte("populated 1\nfrozen 0\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if e, err := parseEvents(data); err != nil && e != (Events{}) {
			t.Errorf("%q: an error and %+v", data, e)
		}
	})
}
