/**
 * How many tasks, which are processes and threads, the kernel lets there be at once.
 *
 *   of the system   kernel.pid_max, kernel.threads-max
 *   of the groups   pids.max of each control group around this process
 *   of the user     RLIMIT_NPROC, which binds nobody who has CAP_SYS_ADMIN or CAP_SYS_RESOURCE
 */
import { controlGroups, read } from './cgroups-linux.js';

/** A limit, and where it is set. */
export interface TaskLimit {
  readonly tasks: number;
  readonly source: string;
}

/** CAP_SYS_ADMIN and CAP_SYS_RESOURCE, see capabilities(7). */
const UNBOUND = (1n << 21n) | (1n << 24n);

/**
 * The least of them; `null` where the kernel does not say.
 * @param root Where `/proc` and `/sys` are. @internal
 */
export function taskLimit(root = ''): TaskLimit | null {
  const limits = ['pid_max', 'threads-max'].map((name) =>
    limitOf(read(`${root}/proc/sys/kernel/${name}`), `kernel.${name}`),
  );
  for (const { directory } of controlGroups('pids', root))
    limits.push(limitOf(read(`${directory}/pids.max`), `pids.max of ${directory.slice(root.length)}`));
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(read(`${root}/proc/self/status`) ?? '')?.[1] ?? '0';
  if ((BigInt(`0x${capabilities}`) & UNBOUND) === 0n) {
    const soft = /^Max processes\s+(\S+)/m.exec(read(`${root}/proc/self/limits`) ?? '')?.[1] ?? null;
    limits.push(limitOf(soft, 'RLIMIT_NPROC, `ulimit -u`'));
  }
  let least: TaskLimit | null = null;
  for (const limit of limits) if (limit !== null && limit.tasks < (least?.tasks ?? Infinity)) least = limit;
  return least;
}

/** `max` and `unlimited` are none. */
function limitOf(text: string | null, source: string): TaskLimit | null {
  const tasks = /^\d+$/.test(text?.trim() ?? '') ? Number(text) : 0;
  return tasks > 0 ? { tasks, source } : null;
}
