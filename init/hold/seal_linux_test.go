package hold

import (
	"os"
	"testing"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/seal"
)

// TestSealAuto checks that only those jobs are sealed that have no-new-privileges and could signal no other.
func TestSealAuto(t *testing.T) {
	if _, err := seal.Version(); err != nil {
		t.Skipf("SKIPPED for want of Landlock: %v", err)
	}
	job := func(uid int, noNew bool) *config.Spec {
		s := &config.Spec{SealAuto: true}
		s.NoNewPrivileges = noNew
		switch uid {
		case -1:
			s.User = &config.User{Auto: true}
		default:
			s.User = &config.User{UID: uint32(uid)}
		}
		return s
	}
	may := job(1003, true)
	may.CapAdd = []string{"CAP_KILL"}
	for name, c := range map[string]struct {
		jobs []*config.Spec
		want []bool
	}{
		"alone":                {[]*config.Spec{job(1000, true)}, []bool{true}},
		"root alone":           {[]*config.Spec{job(0, true)}, []bool{false}},
		"our own user":         {[]*config.Spec{job(os.Getuid(), true)}, []bool{false}},
		"without":              {[]*config.Spec{job(1000, false)}, []bool{false}},
		"users of their own":   {[]*config.Spec{job(1000, true), job(1001, true)}, []bool{true, true}},
		"root can signal all":  {[]*config.Spec{job(0, true), job(1001, true)}, []bool{false, true}},
		"the same user":        {[]*config.Spec{job(1000, true), job(1000, true)}, []bool{false, false}},
		"uids of their own":    {[]*config.Spec{job(-1, true), job(-1, true), job(1000, true)}, []bool{true, true, true}},
		"with CAP_KILL":        {[]*config.Spec{may, job(1000, true)}, []bool{false, true}},
		"one that says itself": {[]*config.Spec{{}, job(1000, true)}, []bool{false, true}},
	} {
		SealAuto(c.jobs)
		for i, s := range c.jobs {
			if s.Seal != c.want[i] {
				t.Errorf("%s: job %d: sealed is %v", name, i, s.Seal)
			}
		}
	}
}
