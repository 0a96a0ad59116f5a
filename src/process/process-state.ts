/**
 * What a process knows of its children. It is kept beside the Process objects, not in them: an
 * instance of a subclass is sent to its child, and what the parent knows stays at home.
 */
import { ClosedError, ProcessError } from '../errors/index.js';
import { identity } from './identity.js';
import type { Popen } from './popen/index.js';
import type { JoinOptions, ProcessOptions, Target } from './process-options.js';
import type { Sentinel } from './sentinel.js';

/** What this process knows of a Process. */
export interface ProcessState {
  target: Target<never, unknown> | undefined;
  args: readonly unknown[];
  name: string;
  daemon: boolean;
  authkey: Uint8Array | null;
  readonly path: string;
  /** The process that made it: a fork of that one has this state too. */
  readonly maker: number;
  readonly options: Pick<ProcessOptions, 'context' | 'env' | 'execArgv'>;
  popen: Popen | null;
  sentinel: Sentinel | null;
  /** While the instance itself is being encoded for its child. */
  encoding: boolean;
  closed: boolean;
  /** Waits under way; the last one lets the event loop end before the child again. */
  waits: number;
}

export const states = new WeakMap<object, ProcessState>();

/**
 * Makes an instance that arrived in its child stand for this process, with the target that its own
 * `run` may call.
 */
export function adopt(instance: object, target: Target<never, unknown> | undefined, args: readonly unknown[]): void {
  const own = identity();
  own.self = instance;
  states.set(instance, { ...fresh(own.name, own.daemon, own.path), target, args });
}

/** Returns the state of one that was not started. */
export function fresh(name: string, daemon: boolean, path: string): ProcessState {
  return {
    target: undefined,
    args: [],
    name,
    daemon,
    authkey: null,
    path,
    maker: process.pid,
    options: {},
    popen: null,
    sentinel: null,
    encoding: false,
    closed: false,
    waits: 0,
  };
}

/** What a fork may ask of a process that its parent made. */
const ALLOWED_IN_FORK = new Set(['name', 'daemon', 'authkey', 'pid', 'ident']);

/**
 * Returns the state of a process that was made here. @throws ProcessError `MP_NOT_PARENT`;
 * ClosedError.
 */
export function stateOf(of: object, member: string, closedToo = false): ProcessState {
  const state = states.get(of);
  if (state === undefined || identity().self === of || (state.maker !== process.pid && !ALLOWED_IN_FORK.has(member))) {
    throw new ProcessError(`Process.${member}: only the parent of a process can do this, and this is not its parent.`, {
      code: 'MP_NOT_PARENT',
    });
  }
  if (state.closed && !closedToo) throw new ClosedError(`Process.${member}: process object is closed (${state.name}).`);
  return state;
}

/** Its child. @throws ProcessError `MP_NOT_STARTED`. */
export function startedOf(state: ProcessState, member: string): Popen {
  if (state.popen === null) {
    throw new ProcessError(`Process.${member}: ${state.name} was not started; call start() first.`, {
      code: 'MP_NOT_STARTED',
    });
  }
  return state.popen;
}

/**
 * Waits for the end of the child, during which the event loop stays alive for it: whether it has
 * ended.
 */
export async function waitFor(state: ProcessState, popen: Popen, options: JoinOptions): Promise<boolean> {
  if (state.waits++ === 0) popen.ref();
  try {
    return (await popen.wait(options)) !== null;
  } finally {
    if (--state.waits === 0) popen.unref();
  }
}
