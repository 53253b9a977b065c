package config

import "time"

// deployKey is the part of Compose's deploy that is about processes.
func deployKey() *field {
	deploy := inside("deploy", "the part of Compose's deploy that is about processes", refusedInDeploy,
		copiesKey("replicas"), restartPolicyKey(), deployResourcesKey())
	deploy.nullable = true
	return deploy
}

// restartPolicyKey is the long form of restart.
func restartPolicyKey() *field {
	conditions := map[string]RestartPolicy{"none": RestartNo, "on-failure": RestartOnFailure, "any": RestartAlways}
	return inside("restart_policy", "when and how it is started again", nil,
		keyTo("condition", "after which ends it runs again", word("none", "on-failure", "any"),
			func(p *problems, n *node, d *draft, s string) { d.setPolicy(p, n, conditions[s], 0) }),
		keyTo("delay", "the delay before the first restart (default 100ms); it doubles with each, up to 30s",
			duration(time.Millisecond),
			func(_ *problems, _ *node, d *draft, t time.Duration) {
				d.Restart.Delay, d.Restart.MaxDelay = t, max(t, RestartMaxDelay)
			}),
		key("max_attempts", "how many restarts in a row there may be; 0: no limit", count(0, 1<<31-1),
			func(d *draft) *int { return &d.Restart.Max }),
		key("window", "how long a run must be ready to set the delay back to the first one (default 10s)", duration(0),
			func(d *draft) *time.Duration { return &d.Restart.Window }))
}

// maxReplicas bounds the replicas of one service.
const maxReplicas = 10_000

// copiesKey is the number of replicas, which has two names in Compose.
func copiesKey(name string) *field {
	return keyTo(name, "how many replicas of it run; if not one, they are called NAME-1, NAME-2 and so on",
		count(0, maxReplicas),
		func(p *problems, n *node, d *draft, copies int) { d.copies.set(p, n, copies) })
}

// scaleKey is the short form of deploy.replicas.
func scaleKey() *field { return copiesKey("scale") }

// deployResourcesKey is the long form of the short limit keys.
func deployResourcesKey() *field {
	return inside("resources", "limits and reservations", nil,
		inside("limits", "how much it may use", nil,
			limitKey("cpus", "how many processors, such as 0.5", quota(),
				func(l *shortLimits) *agreed[int64] { return &l.quota }),
			limitKey("memory", "the most memory, such as 512m", size(),
				func(l *shortLimits) *agreed[int64] { return &l.memory }),
			limitKey("pids", "the most processes and threads at once", pids(),
				func(l *shortLimits) *agreed[int64] { return &l.pids })),
		inside("reservations", "the amounts that are kept for it", refusedInReservations,
			limitKey("memory", "memory that is left to it when memory is short", size(),
				func(l *shortLimits) *agreed[int64] { return &l.reservation })))
}
