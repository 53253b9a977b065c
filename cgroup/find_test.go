package cgroup

import (
	"errors"
	"testing"

	"github.com/moby/sys/mountinfo"
)

func TestLocate(t *testing.T) {
	type mount struct{ root, point string }
	const top = "/sys/fs/cgroup"
	for name, c := range map[string]struct {
		mounts []mount
		self   string
		want   Dir
		err    error
	}{
		"pure v2": {
			[]mount{{"/", top}}, "/user.slice/a.scope", top + "/user.slice/a.scope", nil,
		},
		"root":                           {[]mount{{"/", top}}, "/", top, nil},
		"hybrid":                         {[]mount{{"/", top + "/unified"}}, "/x", top + "/unified/x", nil},
		"no mount":                       {nil, "/", "", ErrNoMount},
		"bound below a delegated path":   {[]mount{{"/docker/abc", top}}, "/docker/abc", top, nil},
		"and in a child of it":           {[]mount{{"/docker/abc", top}}, "/docker/abc/x", top + "/x", nil},
		"a name that only starts alike":  {[]mount{{"/docker/abc", top}}, "/docker/abcd", "", ErrNotOurs},
		"the host's tree is bound here":  {[]mount{{"/../..", top}}, "/", "", ErrNotOurs},
		"one step up":                    {[]mount{{"/..", top}}, "/", "", ErrNotOurs},
		"moved out of our namespace":     {[]mount{{"/", top}}, "/../other", "", ErrNotOurs},
		"the second mount is the right":  {[]mount{{"/../..", "/host"}, {"/", top}}, "/", top, nil},
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
			t.Errorf("%q: %+v; it does not say whether a process lives", bad, got)
		}
	}
}

func FuzzParseEvents(f *testing.F) {
	f.Add([]byte("populated 1\nfrozen 0\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if e, err := parseEvents(data); err != nil && e != (Events{}) {
			t.Errorf("%q: an error together with %+v", data, e)
		}
	})
}
