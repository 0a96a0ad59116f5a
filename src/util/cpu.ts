/**
 * How many CPUs this process may use: the least of three limits.
 *
 *   affinity   Cpus_allowed_list of this thread: what taskset, sched_setaffinity and cpusets leave
 *   quota      cgroup v2: cpu.max; cgroup v1: cpu.cfs_quota_us / cpu.cfs_period_us; rounded up
 *   by hand    MULTIPROCESS_CPU_COUNT, which the other two do not bound
 *
 * A quota holds for everything beneath its group, so the groups above this process's own count as
 * far as they are mounted here. libuv's count, which `os.availableParallelism()` gives, knows
 * quotas only in newer Nodes; this one is the same in all.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { ArgumentError } from '../errors/index.js';
import { describe } from './options.js';

/** The variable that says how many CPUs count, whatever the kernel says. */
const VARIABLE = 'MULTIPROCESS_CPU_COUNT';

/**
 * @param actor Who asks, for messages.
 * @param root Where `/proc` and `/sys` are. @internal
 * @throws ArgumentError `MP_INVALID_ARGUMENT` when `MULTIPROCESS_CPU_COUNT` is no number of CPUs.
 */
export function countCpus(actor: string, root = ''): number {
  return wanted(actor) ?? Math.max(1, Math.min(allowedCpus(root)?.length ?? availableParallelism(), quota(root)));
}

/** The CPUs this thread may run on, ascending; `null` where the kernel does not say. */
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

function wanted(actor: string): number | undefined {
  const text = process.env[VARIABLE];
  // `default` as in PYTHON_CPU_COUNT; an empty variable is how shells leave one out.
  if (text === undefined || text === '' || text === 'default') return undefined;
  const count = /^\s*\d+\s*$/.test(text) ? Number(text) : 0;
  if (count >= 1 && Number.isSafeInteger(count)) return count;
  throw new ArgumentError(
    `${actor}: the environment variable ${VARIABLE} must be an integer of at least 1, or 'default', not ${describe(text)}; correct it, or unset it to count the CPUs.`,
  );
}

/** CPUs that the quotas of the cgroups leave; Infinity without one. */
function quota(root: string): number {
  let least = Number.POSITIVE_INFINITY;
  const groups = read(`${root}/proc/self/cgroup`);
  if (groups === null) return least;
  const mounts = (read(`${root}/proc/self/mountinfo`) ?? '').split('\n').map(mountOf);
  for (const line of groups.split('\n')) {
    // hierarchy:controllers:path; that of version 2 has no controllers
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const unified = controllers === '';
    if (!unified && !controllers.split(',').includes('cpu')) continue;
    for (const mount of mounts) {
      if (mount === null || (unified ? mount.type !== 'cgroup2' : mount.type !== 'cgroup' || !mount.options.includes('cpu'))) continue;
      for (const directory of upwards(mount, path)) least = Math.min(least, (unified ? limitV2 : limitV1)(`${root}${directory}`));
    }
  }
  return least;
}

interface Mount {
  readonly type: string;
  /** The group that is mounted. */
  readonly root: string;
  readonly point: string;
  readonly options: readonly string[];
}

/** A line of mountinfo: id, parent, device, root, mount point, options, …, `-`, type, source, options. */
function mountOf(line: string): Mount | null {
  const [before, after] = line.split(' - ');
  const fields = before?.split(' ') ?? [];
  const [type, , options] = after?.split(' ') ?? [];
  if (type !== 'cgroup' && type !== 'cgroup2') return null;
  const [root, point] = fields
    .slice(3, 5)
    .map((text) => text.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))));
  return root === undefined || point === undefined ? null : { type, root, point, options: options?.split(',') ?? [] };
}

/** The directory of a group and those of the groups above it, as far as they are mounted. */
function upwards(mount: Mount, path: string): string[] {
  const root = mount.root === '/' ? '' : mount.root;
  // Of another part of the tree, as a container sees it that has no namespace of its own: what is
  // mounted is as near as one gets.
  const below = path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : '';
  const steps = below.split('/').filter((step) => step !== '' && step !== '..');
  return Array.from({ length: steps.length + 1 }, (_, i) => [mount.point.replace(/\/$/, ''), ...steps.slice(0, i)].join('/'));
}

function limitV2(directory: string): number {
  const [quota, period] = (read(`${directory}/cpu.max`) ?? '').trim().split(/\s+/);
  return cpus(Number(quota), Number(period));
}

function limitV1(directory: string): number {
  return cpus(Number(read(`${directory}/cpu.cfs_quota_us`) ?? -1), Number(read(`${directory}/cpu.cfs_period_us`) ?? -1));
}

/** Part of a CPU is one: a pool of none would be no use. `max` and -1 stand for no limit. */
function cpus(quota: number, period: number): number {
  return quota > 0 && period > 0 ? Math.ceil(quota / period) : Number.POSITIVE_INFINITY;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
