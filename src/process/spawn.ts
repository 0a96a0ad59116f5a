import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ProcessError } from '../errors/index.js';
import { inheritedArguments, inheritedNodeOptions } from './node-arguments.js';

/** What {@link spawnNode} starts. */
export interface SpawnOptions {
  /** Module that the child runs. */
  readonly entry: URL;
  /** Name shown by `ps` and in the child's messages. */
  readonly name: string;
  /** Descriptors that the child finds from FIRST_DESCRIPTOR on. */
  readonly descriptors: readonly number[];
}

/**
 * Starts a fresh Node that runs `entry`. Its stdout and stderr are this process's own, so nothing written there is lost;
 * its stdin is empty. The child learns its parent's pid and its own name from its arguments (see bootstrap.ts).
 *
 * @returns the child; where the system has no process or descriptor left (EAGAIN, EMFILE, ENFILE) or cannot run Node, one without
 * a `pid` that emits `error` soon.
 * @throws ProcessError `MP_SPAWN` when the system refuses for any other reason.
 */
export function spawnNode(options: SpawnOptions): ChildProcess {
  const env = { ...process.env };
  if (env['NODE_OPTIONS'] !== undefined) env['NODE_OPTIONS'] = inheritedNodeOptions(env['NODE_OPTIONS']);
  const args = [...inheritedArguments(process.execArgv), fileURLToPath(options.entry), String(process.pid), options.name];
  try {
    return spawn(process.execPath, args, { env, stdio: ['ignore', 'inherit', 'inherit', ...options.descriptors] });
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new ProcessError(
      `Cannot start ${options.name}: ${reason}. Check the limits on processes and open files (ulimit -u, ulimit -n) and free memory.`,
      {
        code: 'MP_SPAWN',
        cause,
      },
    );
  }
}
