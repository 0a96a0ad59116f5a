/** Forks this process: the first steps of the copy. */
import { closeSync, openSync } from 'node:fs';
import { constants, devNull } from 'node:os';
import { leaveProcess, setParentDeathSignal } from '../../native/index.js';
import { runBeforeFork } from '../../util/after-fork.js';
import { afterForkInChild } from './after-fork-child.js';
import { forkHere } from './fork-here.js';
import { type NodeInternals, nodeInternals } from './node-internals.js';
import { quiesce } from './quiesce.js';
import { refusedCopy } from './refused-copy.js';

/** What the copy is to be. */
export interface CopyOptions {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv | undefined;
  /** What it does: called in the copy only. */
  readonly begin: () => void;
}

/**
 * Forks this process, from the event loop (callFromLoop).
 *
 * @returns the child's pid; never in the child, but for the event loop, which it goes on with.
 * @throws UnsupportedError `MP_UNSUPPORTED`, with the reason; ProcessError `MP_SPAWN`;
 * MultiprocessError `MP_SYSTEM`.
 */
export function startCopy(options: CopyOptions): number {
  const internals = nodeInternals();
  const parent = process.pid;
  runBeforeFork();
  const result = forkHere(true);
  if (typeof result === 'string') throw refusedCopy(result);
  if (result === 0) begin(options, internals, parent);
  return result;
}

function begin({ name, env, begin: body }: CopyOptions, internals: NodeInternals, parent: number): void {
  if (!setParentDeathSignal(constants.signals.SIGKILL, parent)) leaveProcess(1);
  quiesce(internals);
  afterForkInChild();
  emptyStdin();
  if (env !== undefined) replaceEnvironment(env);
  process.title = `${process.title.split(' ', 1)[0]} ${name}`;
  body();
}

/** What is typed is the parent's. */
function emptyStdin(): void {
  try {
    closeSync(0);
  } catch {
    // It was closed before.
  }
  openSync(devNull, 'r'); // takes the lowest number that is free
}

function replaceEnvironment(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (env[name] === undefined) delete process.env[name];
  for (const [name, value] of Object.entries(env)) if (value !== undefined) process.env[name] = String(value);
}
