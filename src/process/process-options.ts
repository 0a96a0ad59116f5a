/** What a Process is made with, and what its calls take. */
import { ArgumentError } from '../errors/index.js';
import { checkBoolean, checkOptions, describe, MODULE_FORM } from '../util/options.js';
import type { ContextLike } from './start-method.js';

const PROCESS_OPTIONS = ['args', 'name', 'daemon', 'context', 'env', 'execArgv'];

/**
 * What a Process runs: a function with its captures, or the URL of a module with a function as its
 * default export.
 */
export type Target<A extends readonly unknown[], R> = ((...args: A) => R | Promise<R>) | URL;

/** Options of a Process. */
export interface ProcessOptions<A extends unknown[] = unknown[]> {
  /** Arguments of the target: anything that can be sent. Read when the process is started. */
  readonly args?: readonly [...A] | undefined;
  /**
   * Default: `Process-1`, counted by this process; `Process-1:2` in a child; `SpawnProcess-1` with
   * a context.
   */
  readonly name?: string | undefined;
  /**
   * Whether it is ended when this process ends, and may have no children. Default: as this process.
   */
  readonly daemon?: boolean | undefined;
  /** How it is started. Default: the process's own, see `getStartMethod()`. */
  readonly context?: ContextLike | undefined;
  /** Its environment variables. Default: this process's at the start. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Node options in place of those it would inherit. */
  readonly execArgv?: readonly string[] | undefined;
}

/** What {@link Process.join} takes. */
export interface JoinOptions {
  /** Milliseconds to wait at most; 0 or less only looks. Default: no limit. */
  readonly timeout?: number | undefined;
  /** Ends the wait, which rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** Checks what a Process is made with. @throws ArgumentError. */
export function checkProcess(
  target: unknown,
  options: {
    readonly args?: unknown;
    readonly name?: unknown;
    readonly daemon?: unknown;
    readonly env?: unknown;
    readonly execArgv?: unknown;
  },
): void {
  if (target !== undefined && typeof target !== 'function' && !(target instanceof URL)) {
    const form = typeof target === 'string' ? MODULE_FORM : ' Write `new Process(target, { args: [...] })`.';
    throw new ArgumentError(`Process: the target must be a function or a module URL, not ${describe(target)}.${form}`);
  }
  checkOptions('Process', options, PROCESS_OPTIONS, { array: 'args', string: 'name' });
  const { args, name, daemon, env, execArgv } = options;
  if (args !== undefined && !Array.isArray(args)) {
    throw new ArgumentError(`Process: \`args\` must be an array, not ${describe(args)}.`);
  }
  if (env !== undefined && (typeof env !== 'object' || env === null))
    throw new ArgumentError(`Process: \`env\` must be an object, not ${describe(env)}.`);
  if (execArgv !== undefined && !(Array.isArray(execArgv) && execArgv.every((word) => typeof word === 'string')))
    throw new ArgumentError(`Process: \`execArgv\` must be an array of strings, not ${describe(execArgv)}.`);
  if (name !== undefined) checkName(name);
  checkBoolean('Process', 'daemon', daemon);
}

/** @throws ArgumentError. */
export function checkName(name: unknown): void {
  if (typeof name !== 'string') throw new ArgumentError(`Process: \`name\` must be a string, not ${describe(name)}.`);
}
