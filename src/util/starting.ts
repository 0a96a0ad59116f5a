/**
 * Whether this process (or thread) was started as a child and has not begun what it is for. Until
 * then it runs what it preloads (`--import`, `--require`, NODE_OPTIONS), or the program itself,
 * where what was started is no Node that runs our file.
 */
import { isMainThread, workerData } from 'node:worker_threads';

const BEGUN = Symbol.for('multiprocess.begun');
const scope = globalThis as { [BEGUN]?: boolean };

/**
 * Environment variable of a process that was started as a child and has not begun: whatever it
 * starts meanwhile has it too.
 */
export const STARTING = 'MULTIPROCESS_STARTING';
/**
 * Environment variable with which Electron is a Node; also the value of {@link STARTING} where the
 * library has set it.
 */
export const RUN_AS_NODE = 'ELECTRON_RUN_AS_NODE';
/** Key in the `workerData` of a thread that is a child. */
export const STARTING_KEY = 'multiprocess.starting';

/**
 * Whether this process (or thread) was started as a child, or by one, that has not begun what it is
 * for.
 */
export function isStarting(): boolean {
  if (hasBegun()) return false;
  if (isMainThread) return process.env[STARTING] !== undefined;
  return (workerData as Record<string, unknown> | null | undefined)?.[STARTING_KEY] !== undefined;
}

/** Whether this is a child that has begun. */
export function hasBegun(): boolean {
  return scope[BEGUN] === true;
}

/** Marks that a child begins what it is for. */
export function begin(): void {
  scope[BEGUN] = true;
  if (!isMainThread) return;
  if (process.env[STARTING] === RUN_AS_NODE) delete process.env[RUN_AS_NODE];
  delete process.env[STARTING];
}
