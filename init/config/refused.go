package config

import (
	"slices"
	"strings"
)

// refusals are keys of Compose that have no meaning for a process.
type refusals []refusal

// refusal is a group of keys, separated by blanks, and the second half of the message about each of
// them: the reason, and what to do instead.
type refusal struct{ keys, why string }

// why returns the reason why a key is refused; empty if it is not.
func (r refusals) why(key string) string {
	for _, refused := range r {
		if slices.Contains(strings.Fields(refused.keys), key) {
			return refused.why
		}
	}
	return ""
}

const belongsToContainer = "belongs to the container, not to a process in it; "

var refusedInService = refusals{
	{
		"image build pull_policy pull_refresh_after platform provider",
		belongsToContainer + "leave it out: the service is a command of the image that cginit runs in",
	},
	{
		"ports expose networks network_mode links external_links dns dns_opt dns_search extra_hosts hostname " +
			"domainname mac_address",
		belongsToContainer + "set it where the container is started: all services share its network, as localhost",
	},
	{
		"volumes volumes_from tmpfs shm_size storage_opt read_only configs secrets",
		belongsToContainer + "set it where the container is started: all services see its files",
	},
	{
		"devices gpus device_cgroup_rules privileged runtime isolation sysctls models credential_spec " +
			"use_api_socket container_name cgroup cgroup_parent",
		belongsToContainer + "set it where the container is started",
	},
	{
		"ipc pid uts userns_mode",
		belongsToContainer + "leave it out: all services share the namespaces of the container",
	},
	{"init", "is not needed: cginit reaps zombies and tears down every service; leave it out"},
	{"extends include", "is not supported; use YAML's anchors and merge keys (<<), or several --config files"},
	{"label_file annotations", "is not supported; use labels"},
	{"attach develop", "is for the command line of docker compose; leave it out"},
	{"mem_swappiness oom_kill_disable", "has no counterpart in cgroup v2; leave it out"},
	{"cpu_quota cpu_period cpu_count cpu_percent", "is not supported; use cpus"},
	{"cpu_rt_period cpu_rt_runtime", "has no counterpart in cgroup v2; leave it out"},
	{"blkio_config", "is not supported; use resources: {blockIO: ...}, as the OCI spells it"},
	{"triggers", "is for jobs; move the service to jobs: if it is meant to end"},
}

var refusedInJob = append(refusals{
	{"scale", "is for services; of a job there is one run at a time"},
}, refusedInService...)

var refusedInFile = refusals{
	{
		"networks volumes configs secrets models",
		"belongs to containers, not to the processes in one; set it where the container is started",
	},
	{"include", "is not supported; use several --config files, which are merged"},
}

var refusedInDeploy = refusals{
	{
		"mode endpoint_mode labels placement update_config rollback_config",
		"is for an orchestrator of containers; leave it out",
	},
}

var refusedInReservations = refusals{
	{"cpus", "is for an orchestrator; use cpu_shares for a weight among the services"},
	{"devices generic_resources", belongsToContainer + "set it where the container is started"},
}

var refusedInHook = refusals{
	{"privileged", belongsToContainer + "leave it out: a step has the rights of its user"},
	{"image build", belongsToContainer + "leave it out: a step is a command of the image that cginit runs in"},
	{"per_replica", "is not supported; every replica runs its own steps"},
}

var refusedInLogging = refusals{
	{"options", "is for the drivers of the container engine; set them where the container is started"},
}

var refusedInResources = refusals{
	{"devices network", "has no counterpart in cgroup v2 that a process in a container could set; leave it out"},
	{
		"kernel kernelTCP swappiness disableOOMKiller useHierarchy checkBeforeUpdate realtimeRuntime " +
			"realtimePeriod leafWeight weightDevice",
		"has no counterpart in cgroup v2; leave it out",
	},
	{"burst", "is not supported here; use unified: {cpu.max.burst: ...}"},
	{"idle", "is not supported here; use unified: {cpu.idle: ...}"},
}
