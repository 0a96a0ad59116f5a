/**
 * How many CPUs this process may use: the least of what the kernel leaves it (platform/cpus-linux.ts)
 * or, where no kernel says, of all there are; by hand MULTIPROCESS_CPU_COUNT, which nothing bounds.
 */
import { availableParallelism } from 'node:os';
import { ArgumentError } from '../errors/index.js';
import { allowedCpus, cpuQuota } from '../platform/cpus-linux.js';
import { describe } from './options.js';
import { checkWorkers } from './worker-limit.js';

/** The variable that says how many CPUs count, whatever the kernel says. */
const VARIABLE = 'MULTIPROCESS_CPU_COUNT';

/**
 * How many there are.
 * @param actor Who asks, for messages.
 * @param root Where `/proc` and `/sys` are. @internal
 * @throws ArgumentError `MP_INVALID_ARGUMENT` when `MULTIPROCESS_CPU_COUNT` is no number of CPUs.
 */
export function countCpus(actor: string, root = ''): number {
  return wanted(actor) ?? Math.max(1, Math.min(allowedCpus(root)?.length ?? availableParallelism(), cpuQuota(root)));
}

/**
 * How many workers a pool has where nobody says: one a CPU.
 * @throws ArgumentError where `MULTIPROCESS_CPU_COUNT` is no number of CPUs, or of more workers than
 * can run here.
 */
export function countWorkers(actor: string): number {
  const count = wanted(actor);
  if (count === undefined) return countCpus(actor);
  checkWorkers(actor, VARIABLE, count);
  return count;
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
