/**
 * The first thing a spawned child does: bind its life to its parent's, and take over what it was given.
 *
 * Arguments: node [options] <entry> <parent pid> <name>; descriptors from FIRST_DESCRIPTOR on.
 */
import { setCloseOnExec, setParentDeathSignal } from '../native/index.js';

/** Number, in the child, of the first descriptor its parent passed: those below are the standard streams. */
export const FIRST_DESCRIPTOR = 3;

const SIGKILL = 9;

/** Who this child is. */
export interface Identity {
  /** Name the parent gave it, such as `SpawnPoolWorker-1`. */
  readonly name: string;
  /** The parent's process id. */
  readonly parentPid: number;
}

/**
 * Makes the kernel kill this process when its parent ends, however that ends, and keeps the inherited descriptors from
 * this process's own children. Ends the process at once when the parent is gone already.
 *
 * @param descriptors How many descriptors the parent passed.
 */
export function bootstrap(descriptors: number): Identity {
  const parentPid = Number(process.argv[2]);
  const name = process.argv[3] ?? 'Process';
  if (!setParentDeathSignal(SIGKILL, parentPid)) process.exit(1);
  for (let fd = FIRST_DESCRIPTOR; fd < FIRST_DESCRIPTOR + descriptors; fd++) setCloseOnExec(fd, true);
  process.argv.splice(2, 2);
  return { name, parentPid };
}

/** A phase of a child's life in which starting further processes means that a main module is being run again. */
const PHASE = Symbol.for('multiprocess.bootstrapping');

/** Marks that modules are being loaded on behalf of the parent. Counts: phases may nest. */
export function enterBootstrapping(): void {
  const scope = globalThis as { [PHASE]?: number };
  scope[PHASE] = (scope[PHASE] ?? 0) + 1;
}

/** Ends {@link enterBootstrapping}. */
export function leaveBootstrapping(): void {
  const scope = globalThis as { [PHASE]?: number };
  scope[PHASE] = Math.max(0, (scope[PHASE] ?? 0) - 1);
}

/** Whether this process is loading modules on behalf of its parent. */
export function isBootstrapping(): boolean {
  return ((globalThis as { [PHASE]?: number })[PHASE] ?? 0) > 0;
}
