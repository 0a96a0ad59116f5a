/**
 * Which CPUs the kernel leaves to this process.
 *
 *   affinity   Cpus_allowed_list of this thread: what taskset, sched_setaffinity and cpusets leave
 *   quota      cgroup v2: cpu.max; cgroup v1: cpu.cfs_quota_us / cpu.cfs_period_us; rounded up
 *
 * libuv's count, which `os.availableParallelism()` gives, knows
 * quotas only in newer Nodes; this one is the same in all.
 */
import { controlGroups, read } from './cgroups-linux.js';

/**
 * The CPUs this thread may run on, ascending; `null` where the kernel does not say.
 * @param root Where `/proc` and `/sys` are. @internal
 */
export function allowedCpus(root = ''): number[] | null {
  const status = read(`${root}/proc/thread-self/status`) ?? read(`${root}/proc/self/status`);
  const list = status?.match(/^Cpus_allowed_list:\s*(\S+)$/m)?.[1];
  if (list === undefined) return null;
  const cpus: number[] = [];
  for (const range of list.split(',')) {
    const [from, to = from] = range.split('-').map(Number) as [number, number?];
    if (!Number.isInteger(from) || !Number.isInteger(to)) return null;
    for (let cpu = from; cpu <= to!; cpu++) cpus.push(cpu);
  }
  return cpus.length === 0 ? null : cpus;
}

/** CPUs that the quotas of the cgroups leave; Infinity without one. */
export function cpuQuota(root = ''): number {
  const quotas = controlGroups('cpu', root).map(({ version, directory }) =>
    version === 2 ? limitV2(directory) : limitV1(directory),
  );
  return Math.min(...quotas, Number.POSITIVE_INFINITY);
}

function limitV2(directory: string): number {
  const [quota, period] = (read(`${directory}/cpu.max`) ?? '').trim().split(/\s+/);
  return cpus(Number(quota), Number(period));
}

function limitV1(directory: string): number {
  return cpus(
    Number(read(`${directory}/cpu.cfs_quota_us`) ?? -1),
    Number(read(`${directory}/cpu.cfs_period_us`) ?? -1),
  );
}

/** Part of a CPU is one: a pool of none would be no use. `max` and -1 stand for no limit. */
function cpus(quota: number, period: number): number {
  return quota > 0 && period > 0 ? Math.ceil(quota / period) : Number.POSITIVE_INFINITY;
}
