import { checkNumber } from '../../util/options.js';
import { checkWaitOptions } from '../../util/wait-options.js';

/**
 * What of a wait's options reaches the server: the signal stays with the caller, whose giving up
 * ends the call.
 */
export interface ServerWait {
  /** Milliseconds; 0 or less: do not wait. Default: no limit. */
  readonly timeout?: number | undefined;
}

/** Which of its agent's tasks calls, for locks that tell them apart. */
export interface OfTask {
  /** Number of the task's acquisition, given by the proxy. Default 0: the agent as a whole. */
  readonly task?: number | undefined;
}

/** Returns the time limit of a wait in the server, checked. @throws ArgumentError. */
export function timeoutIn(actor: string, options: ServerWait | undefined): number | undefined {
  checkWaitOptions(actor, options);
  return options?.timeout;
}

/** Returns the options of a wait for a lock, checked. @throws ArgumentError. */
export function lockWait(
  actor: string,
  options: (ServerWait & OfTask) | undefined,
): { timeout: number | undefined; task: number } {
  checkWaitOptions(actor, options, ['task']);
  return { timeout: options?.timeout, task: taskOf(actor, options) };
}

/** Returns the task of a caller, checked. @throws ArgumentError. */
export function taskOf(actor: string, options: OfTask | undefined): number {
  return checkNumber(actor, 'task', options?.task, { integer: true }) ?? 0;
}
