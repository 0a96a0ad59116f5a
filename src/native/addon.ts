import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:process';
import { fileURLToPath } from 'node:url';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { UnsupportedError } from '../errors/usage.js';
import { clause } from '../util/clause.js';
import { otherHost } from '../util/host.js';
import { setPathKeeper } from '../util/owned-paths.js';
import { PACKAGE } from '../util/package.js';
import type { Addon } from './calls.js';

const candidates = ['build/Release/multiprocess.node', `prebuilds/${platform}-${arch}/multiprocess.node`];

let calls: Addon | undefined;
/** Makes what stands for the addon. */
let standIn: (() => Addon) | undefined;
/** Why {@link calls} are not the addon's. */
let failure: UnsupportedError | null = null;

/** Environment variable: `off` has this program do without the addon, as where there is none. */
const VARIABLE = 'MULTIPROCESS_NATIVE';

/**
 * Key of what a thread's parent decided: threads share memory, so all of them have the addon or
 * none has. `null`: with it; otherwise why without.
 */
const DECIDED = 'multiprocess.withoutAddon';

interface Decision {
  readonly message: string;
  readonly code: string;
}

/**
 * Decides whether this thread has the addon: once, since what was shared without it means nothing
 * with it.
 * @throws UnsupportedError where the thread's parent has it, and this thread cannot load it.
 */
function decide(): Addon {
  const decided = getEnvironmentData(DECIDED) as Decision | null | undefined;
  if (decided === undefined && process.env[VARIABLE] === 'off') {
    return doWithout({
      message: `The native addon of multiprocess is switched off by ${VARIABLE}=off; start the program without it.`,
      code: 'MP_NO_ADDON',
    });
  }
  if (decided !== undefined && decided !== null) return doWithout(decided);
  // The addon ends Bun (1.4), which has no libuv, and what Deno (2.9) has of libuv is too little.
  const host = otherHost();
  if (host !== null) {
    return doWithout({
      message: `The native addon of multiprocess needs Node.js, and this is ${host}; run the program with Node for processes and named shared memory.`,
      code: 'MP_UNSUPPORTED',
    });
  }
  const reasons: unknown[] = [];
  const found = load(reasons);
  if (found !== null) {
    setPathKeeper(found);
    setEnvironmentData(DECIDED, null as never); // Its type leaves `null` out.
    calls = found;
    return found;
  }
  const decision =
    platform === 'linux'
      ? { message: `The native addon of multiprocess ${explanation(reasons)}.`, code: 'MP_NO_ADDON' }
      : {
          message: `multiprocess has no native addon for ${platform}, without which it has threads alone; run the program on Linux, or in a Linux container.`,
          code: 'MP_UNSUPPORTED',
        };
  // A file that is there may load later (descriptors or memory ran out), as it did in the parent.
  if (decided === null) throw new UnsupportedError(decision.message, { code: decision.code, cause: reasons[0] });
  return doWithout(decision, reasons);
}

function load(reasons: unknown[]): Addon | null {
  for (const candidate of candidates) {
    const path = fileURLToPath(new URL(candidate, PACKAGE));
    if (!existsSync(path)) continue;
    try {
      return createRequire(import.meta.url)(path) as Addon;
    } catch (error) {
      reasons.push(error);
    }
  }
  return null;
}

/** Threads alone, from here on. */
function doWithout({ message, code }: Decision, reasons: readonly unknown[] = []): Addon {
  const error = new UnsupportedError(message, { code, ...(reasons.length === 0 ? {} : { cause: reasons[0] }) });
  failure = error;
  setEnvironmentData(DECIDED, { message, code });
  if (standIn === undefined) throw error;
  calls = standIn();
  setPathKeeper(calls);
  return calls;
}

/**
 * Returns what is wrong with the addon, and what helps.
 * @param reasons What loading each file that is there threw.
 */
function explanation(reasons: readonly unknown[]): string {
  const { permission } = process as { permission?: { has(scope: string, reference: string): boolean } };
  if (reasons.some((error) => (error as NodeJS.ErrnoException).code === 'ERR_DLOPEN_DISABLED')) {
    const forbidden = [...process.execArgv, process.env['NODE_OPTIONS']].join(' ').includes('--no-addons');
    if (forbidden || permission === undefined)
      return 'may not be loaded: Node was started with --no-addons; start it without';
    return 'may not be loaded: Node was started with --permission; add --allow-addons';
  }
  if (reasons.length > 0) return `could not be loaded (${reasons.map(clause).join('; ')}); ${REBUILD}`;
  const folder = fileURLToPath(PACKAGE);
  if (permission?.has('fs.read', folder) === false) {
    return `may not be read: Node was started with --permission; add --allow-fs-read=${folder}*`;
  }
  return `is not there for ${platform}-${arch}; ${REBUILD}`;
}

const REBUILD = 'build it with `npm rebuild multiprocess --foreground-scripts` (needs g++, make and python3)';

/**
 * From here on threads can do without the addon. It is no import: a process that was started as a
 * child has the addon or ends, and must not load this for nothing.
 */
export function provideStandIn(make: () => Addon): void {
  standIn = make;
}

/**
 * Returns the addon; where there is none, what stands for it between threads, whose other calls
 * throw UnsupportedError.
 * @throws UnsupportedError where the thread's parent has it, and this thread cannot load it.
 */
export function addon(): Addon {
  return calls ?? decide();
}

/** Returns whether the addon is there and loads. Never throws. */
export function nativeAvailable(): boolean {
  return nativeError() === null;
}

/** Returns why the addon is not available, or `null` when it is. Never throws. */
export function nativeError(): Error | null {
  try {
    addon();
    return failure;
  } catch (error) {
    return error as Error;
  }
}

/**
 * Returns the error of what cannot be had without the addon, which says why there is none. Its code
 * is that of the reason: `MP_NO_ADDON` where the addon could be had, else `MP_UNSUPPORTED`.
 *
 * @param what was asked for: `Pool: \`pin\` cannot be had here`.
 * @param instead what to do, as a sentence of its own without its full stop.
 */
export function withoutAddon(what: string, instead: string): UnsupportedError {
  const cause = nativeError();
  const { code = 'MP_UNSUPPORTED' } = cause as { readonly code?: string };
  return new UnsupportedError(`${what}: ${clause(cause)}. ${instead}.`, { code, cause });
}
