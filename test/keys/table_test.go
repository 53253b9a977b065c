package keys

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
)

// effects maps each key to the function that shows its effect.
var effects = map[string]func(*testing.T){
	"command":     commands,
	"entrypoint":  entrypoints,
	"environment": environments,
	"env_file":    envFiles,
	"working_dir": workingDir,
	"labels":      labels,
	"profiles":    profiles,

	"user":          users,
	"group_add":     groups,
	"umask":         umask,
	"ulimits":       ulimits,
	"cap_add":       capAdd,
	"cap_drop":      capDrop,
	"security_opt":  noNewPrivileges,
	"seal":          sealed,
	"oom_score_adj": oomScoreAdj,

	"tty":        terminal,
	"stdin_open": input,
	"logging":    logging,

	"stop_signal":         stopSignal,
	"reload_signal":       reloadSignal,
	"stop_grace_period":   gracePeriod,
	"success_exit_status": successes,
	"kill_mode":           killMode,
	"leftovers":           leftovers,
	"timeout":             timeout,
	"essential":           essential,
	"pre_stop":            preStop,

	"restart":       restart,
	"deploy":        deploy,
	"scale":         scale,
	"depends_on":    dependsOn,
	"healthcheck":   healthcheck,
	"on_unhealthy":  onUnhealthy,
	"pre_start":     preStart,
	"post_start":    postStart,
	"ready":         ready,
	"start_timeout": startTimeout,
	"watchdog":      watchdog,
	"triggers":      triggers,
}

// limits are the keys whose effect is shown in test/vm, where all controllers exist.
var limits = []string{
	"mem_limit", "mem_reservation", "memswap_limit", "cpus", "cpu_shares", "cpuset", "pids_limit", "resources",
}

func TestKeys(t *testing.T) {
	for _, key := range slices.Sorted(maps.Keys(effects)) {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			effects[key](t)
		})
	}
}

// TestEveryKeyIsShown fails for a new key whose effect nothing shows. It reads the keys from the
// schema, which another test compares with the tables of keys.
func TestEveryKeyIsShown(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(harness.Root(), "docs", "cginit.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	type keys struct {
		AdditionalProperties struct{ Properties map[string]any }
	}
	var schema struct {
		Properties struct{ Services, Jobs keys }
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	known := schema.Properties.Services.AdditionalProperties.Properties
	maps.Copy(known, schema.Properties.Jobs.AdditionalProperties.Properties)
	for key := range known {
		if effects[key] == nil && !slices.Contains(limits, key) {
			t.Errorf("nothing shows the effect of %s", key)
		}
	}
	for key := range effects {
		if known[key] == nil {
			t.Errorf("%s is not a key in the schema", key)
		}
	}
	if len(known) < 40 {
		t.Errorf("only %d keys were found in the schema", len(known))
	}
}
