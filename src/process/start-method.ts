/**
 * How children are started, and which way is the process's default.
 *
 * The default is open until somebody sets it, or asks for it without `allowNone`: from then on it
 * is fixed, unless forced.
 */
import { ProcessError } from '../errors/process.js';
import { ArgumentError } from '../errors/usage.js';
import { nativeAvailable } from '../native/addon.js';
import { checkBoolean, checkOptions, describe } from '../util/options.js';

/**
 * How a child is started: a fresh Node, a fork of a template, a fork of this process, or a worker
 * thread.
 */
export type StartMethod = 'spawn' | 'forkserver' | 'fork' | 'thread';

/** A start method, or a context that is bound to one. */
export type ContextLike = StartMethod | MethodHolder;

/** A context: what knows a start method. */
export interface MethodHolder {
  /** Returns the method it stands for; `null` for the process's default. */
  getStartMethod(): StartMethod | null;
}

/** What names are made of: `SpawnProcess-1`, `ForkServerPoolWorker-2`. */
export const METHOD_TITLES: Readonly<Record<StartMethod, string>> = {
  spawn: 'Spawn',
  forkserver: 'ForkServer',
  fork: 'Fork',
  thread: 'Thread',
};

/** Returns the default where nobody chose one: without the addon there are threads alone. */
const defaultMethod = (): StartMethod => (nativeAvailable() ? 'spawn' : 'thread');

const CHOSEN = Symbol.for('multiprocess.startMethod');
/** On globalThis: a packed child has a copy of this module of its own. */
const state = globalThis as { [CHOSEN]?: StartMethod | null };

/** Returns whether a value names a start method, be it available here or not. */
function isStartMethod(value: unknown): value is StartMethod {
  return typeof value === 'string' && Object.hasOwn(METHOD_TITLES, value);
}

/**
 * Returns `value` when it names a start method.
 * @throws ArgumentError `MP_UNKNOWN_START_METHOD`.
 */
export function checkStartMethod(actor: string, value: unknown): StartMethod {
  if (isStartMethod(value)) return value;
  const known = Object.keys(METHOD_TITLES).map((name) => `'${name}'`);
  throw new ArgumentError(`${actor}: unknown start method ${describe(value)}; choose one of ${known.join(', ')}.`, {
    code: 'MP_UNKNOWN_START_METHOD',
  });
}

/**
 * Returns the default start method of this process.
 *
 * Python: `get_start_method`. As there, asking fixes the default, unless `allowNone` is given.
 *
 * @param options `allowNone`: answer `null` while nobody has set or asked for it.
 * @example
 * import { getStartMethod } from 'multiprocess';
 *
 * console.log(getStartMethod({ allowNone: true })); // null
 * console.log(['spawn', 'thread'].includes(getStartMethod())); // true
 */
export function getStartMethod(options: { readonly allowNone: true }): StartMethod | null;
export function getStartMethod(options?: { readonly allowNone?: boolean | undefined }): StartMethod;
export function getStartMethod(options: { readonly allowNone?: boolean | undefined } = {}): StartMethod | null {
  checkOptions('getStartMethod', options, ['allowNone']);
  checkBoolean('getStartMethod', 'allowNone', options.allowNone);
  if (options.allowNone !== true) state[CHOSEN] ??= defaultMethod();
  return state[CHOSEN] ?? null;
}

/**
 * Sets the default start method of this process: once, at the program's start.
 *
 * @param method `null` together with `force` opens the default again.
 * @throws ProcessError `MP_CONTEXT_SET` when it was set or used before, unless `force` is given.
 * @example
 * import { getStartMethod, Pool, setStartMethod } from 'multiprocess';
 *
 * setStartMethod('thread'); // once, before anything is started
 * await using pool = new Pool({ processes: 1 });
 * console.log(getStartMethod(), await pool.apply(() => process.pid) === process.pid); // thread true
 */
export function setStartMethod(
  method: StartMethod | null,
  options: { readonly force?: boolean | undefined } = {},
): void {
  checkOptions('setStartMethod', options, ['force']);
  const force = checkBoolean('setStartMethod', 'force', options.force) ?? false;
  if (method !== null || !force) checkStartMethod('setStartMethod', method);
  const chosen = state[CHOSEN] ?? null;
  if (chosen !== null && !force) {
    throw new ProcessError(
      `setStartMethod: the start method is '${chosen}' already; set it once, before it is used, or pass { force: true }.`,
      { code: 'MP_CONTEXT_SET' },
    );
  }
  state[CHOSEN] = method;
}

/**
 * Returns the start method that `context` stands for; the default where it is `undefined`.
 * @throws ArgumentError `MP_UNKNOWN_START_METHOD`.
 */
export function startMethodOf(actor: string, context: ContextLike | undefined): StartMethod {
  if (context === undefined) return getStartMethod();
  if (typeof context === 'object' && context !== null && typeof context.getStartMethod === 'function') {
    return context.getStartMethod() ?? getStartMethod();
  }
  return checkStartMethod(actor, context);
}
