package config

import (
	"slices"
	"strings"
)

// refusals are the keys that Compose knows and that mean nothing here, by the reason, which
// says what to do instead.
type refusals []refusal

type refusal struct{ keys, why string }

func (r refusals) why(key string) string {
	for _, refused := range r {
		if slices.Contains(strings.Fields(refused.keys), key) {
			return refused.why
		}
	}
	return ""
}

const ofContainer = "belongs to the container, not to a process in it; "

var refusedInService = refusals{
	{"image build pull_policy pull_refresh_after platform provider", ofContainer + "leave it out: the service is a command of the image that cginit runs in"},
	{
		"ports expose networks network_mode links external_links dns dns_opt dns_search extra_hosts hostname domainname mac_address",
		ofContainer + "say it where the container is started: all services share its network, as localhost",
	},
	{"volumes volumes_from tmpfs shm_size storage_opt read_only configs secrets", ofContainer + "say it where the container is started: all services see its files"},
	{
		"devices gpus device_cgroup_rules privileged runtime isolation sysctls models credential_spec use_api_socket container_name cgroup cgroup_parent",
		ofContainer + "say it where the container is started",
	},
	{"ipc pid uts userns_mode", ofContainer + "its namespaces are those of all services"},
	{"init", "is not needed: cginit reaps and tears down for every service"},
	{"extends include", "is not supported; use YAML's anchors and merge keys (<<), or several --config files"},
	{"label_file annotations", "is not supported; use labels"},
	{"attach develop", "is of docker compose's own command line; leave it out"},
	{"mem_swappiness oom_kill_disable", "has no counterpart in cgroup v2; leave it out"},
	{"cpu_quota cpu_period cpu_count cpu_percent", "is not supported; use cpus"},
	{"cpu_rt_period cpu_rt_runtime", "has no counterpart in cgroup v2; leave it out"},
	{"blkio_config", "is not supported; use resources: {blockIO: ...}, as the OCI spells it"},
	{"triggers", "is for jobs; put the service under jobs: if it is to end"},
}

var refusedInJob = append(refusals{
	{"scale", "is for services; a job runs once at a time"},
}, refusedInService...)

var refusedInFile = refusals{
	{"networks volumes configs secrets models", "belongs to containers, not to the processes in one; say it where the container is started"},
	{"include", "is not supported; give several --config files, which are merged"},
}

var refusedInDeploy = refusals{
	{"mode endpoint_mode labels placement update_config rollback_config", "is for an orchestrator of containers; leave it out"},
}

var refusedInReservations = refusals{
	{"cpus", "is for a scheduler of machines; for a weight among the services use cpu_shares"},
	{"devices generic_resources", ofContainer + "say it where the container is started"},
}

var refusedInHook = refusals{
	{"privileged", ofContainer + "a step has the rights of its user"},
	{"image build", ofContainer + "leave it out: a step is a command of the image that cginit runs in"},
	{"per_replica", "is not supported; every replica runs its own steps"},
}

var refusedInLogging = refusals{
	{"options", "is for the engine's drivers; give them where the container is started"},
}

var refusedInResources = refusals{
	{"devices network", "has no counterpart in cgroup v2 that a process in a container could set; leave it out"},
	{
		"kernel kernelTCP swappiness disableOOMKiller useHierarchy checkBeforeUpdate realtimeRuntime realtimePeriod leafWeight weightDevice",
		"has no counterpart in cgroup v2; leave it out",
	},
	{"burst", "is not supported here; use unified: {cpu.max.burst: ...}"},
	{"idle", "is not supported here; use unified: {cpu.idle: ...}"},
}
