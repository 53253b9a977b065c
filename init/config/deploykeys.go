package config

import "time"

func deployKey() *field {
	deploy := inside("deploy", "Compose's section for orchestrators, as far as it is about processes", refusedInDeploy,
		copiesKey("replicas"), restartPolicyKey(), deployResourcesKey())
	deploy.nullable = true
	return deploy
}

func restartPolicyKey() *field {
	conditions := map[string]RestartPolicy{"none": RestartNo, "on-failure": RestartOnFailure, "any": RestartAlways}
	return inside("restart_policy", "when and how it is restarted", nil,
		keyTo("condition", "after which ends it runs again", word("none", "on-failure", "any"),
			func(p *problems, n *node, d *draft, s string) { d.setPolicy(p, n, conditions[s], 0) }),
		keyTo("delay", "before the first restart (100ms); it doubles up to 30s", duration(time.Millisecond),
			func(_ *problems, _ *node, d *draft, t time.Duration) {
				d.Restart.Delay, d.Restart.MaxDelay = t, max(t, RestartMaxDelay)
			}),
		key("max_attempts", "restarts in a row before it is given up; 0: no limit", count(0, 1<<31-1),
			func(d *draft) *int { return &d.Restart.Max }),
		key("window", "a run that was ready this long makes the delay the first again (10s)", duration(0),
			func(d *draft) *time.Duration { return &d.Restart.Window }))
}

// maxReplicas bounds the copies of one service.
const maxReplicas = 10_000

func copiesKey(name string) *field {
	return keyTo(name, "how many copies of it there are, NAME-1 and so on if more than one", count(0, maxReplicas),
		func(p *problems, n *node, d *draft, copies int) { d.copies.set(p, n, copies) })
}

func scaleKey() *field { return copiesKey("scale") }

func deployResourcesKey() *field {
	return inside("resources", "limits and reservations", nil,
		inside("limits", "how much it may use", nil,
			limitKey("cpus", "processors, such as 0.5", quota(), func(l *shortLimits) *agreed[int64] { return &l.quota }),
			limitKey("memory", "memory, such as 512m", size(), func(l *shortLimits) *agreed[int64] { return &l.memory }),
			limitKey("pids", "processes and threads at once", pids(), func(l *shortLimits) *agreed[int64] { return &l.pids })),
		inside("reservations", "what is left to it when there is little", refusedInReservations,
			limitKey("memory", "memory", size(), func(l *shortLimits) *agreed[int64] { return &l.reservation })))
}
