/**
 * Starting a child by any of the start methods.
 *
 *   launch(method, options) -> the method's Popen -> prepare(popen) gathers descriptors
 *     -> the child runs options.entry -> inherit() (inherit.ts)
 *
 * A method registers itself with {@link registerStartMethod}; whoever starts children knows only
 * this file.
 */
import { ArgumentError, UnsupportedError } from '../../errors/index.js';
import { nativeError } from '../../native/index.js';
import { clause } from '../../util/clause.js';
import type { StartMethod } from '../start-method.js';
import type { LaunchOptions, Popen } from './popen.js';

/** A way to start children. */
export interface Launcher {
  /**
   * Starts one.
   * @throws ProcessError `MP_SPAWN`; MultiprocessError `MP_SYSTEM`; what `prepare` throws.
   */
  launch(options: LaunchOptions): Popen;
  /**
   * Returns why it cannot be used on this host, or `null`. Must be cheap: it is asked for
   * `getAllStartMethods()`.
   */
  unavailable(): string | null;
}

/** The start methods there are. */
const launchers = new Map<StartMethod, Launcher>();

/** Makes a start method known. */
export function registerStartMethod(method: StartMethod, launcher: Launcher): void {
  launchers.set(method, launcher);
}

/** Returns why a start method cannot be used here, or `null` when it can. */
function startMethodUnavailable(method: StartMethod): string | null {
  const launcher = launchers.get(method);
  if (launcher === undefined) return 'it is not part of this version';
  return launcher.unavailable();
}

/**
 * @throws UnsupportedError with the reason when a start method cannot be used here: `MP_NO_ADDON`
 * without the addon, else `MP_UNSUPPORTED`.
 */
export function checkAvailable(actor: string, method: StartMethod): void {
  const reason = startMethodUnavailable(method);
  if (reason === null) return;
  const others = getAllStartMethods().map((name) => `'${name}'`);
  throw new UnsupportedError(
    `${actor}: start method '${method}' cannot be used here: ${clause(reason)}. ${others.length > 0 ? `Use ${others.join(' or ')}.` : ''}`.trim(),
    { code: (nativeError() as { code?: string } | null)?.code ?? 'MP_UNSUPPORTED' },
  );
}

/**
 * Returns the start methods that work on this host, the default first.
 * @example
 * import { getAllStartMethods } from 'multiprocess';
 *
 * console.log(getAllStartMethods().includes('thread')); // true
 */
export function getAllStartMethods(): StartMethod[] {
  const order: StartMethod[] = ['spawn', 'forkserver', 'fork', 'thread'];
  return order.filter((method) => startMethodUnavailable(method) === null);
}

/**
 * Starts a child.
 *
 * @throws UnsupportedError where the method cannot be used; ArgumentError for a text with a NUL;
 * ProcessError `MP_SPAWN` when the system refuses at once (a refusal that
 *   comes later rejects `started`); what `prepare` throws.
 */
export function launch(method: StartMethod, options: LaunchOptions): Popen {
  checkAvailable(options.name, method);
  checkNoNul(options);
  return launchers.get(method)!.launch(options);
}

/**
 * The system ends a text at the first NUL.
 * @throws ArgumentError where one is in a name, an environment variable or a Node option.
 */
function checkNoNul({ name, env, execArgv }: LaunchOptions): void {
  const refuse = (what: string): never => {
    throw new ArgumentError(
      `${JSON.stringify(name)} cannot be started: ${what} holds a NUL, at which the system would end it; remove it, or hand the value over as an argument.`,
    );
  };
  if (name.includes('\0')) refuse('its name');
  for (const word of execArgv ?? []) if (word.includes('\0')) refuse(`the Node option ${JSON.stringify(word)}`);
  for (const [variable, value] of Object.entries(env ?? {})) {
    if (variable.includes('\0') || String(value).includes('\0'))
      refuse(`the environment variable ${JSON.stringify(variable)}`);
  }
}
