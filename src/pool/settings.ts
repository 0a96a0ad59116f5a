/** The options of a pool as they are checked, with their defaults. */
import type { AsyncLocalStorage } from 'node:async_hooks';
import { type ResourceLimits, SHARE_ENV } from 'node:worker_threads';
import { ArgumentError, UnsupportedError } from '../errors/index.js';
import { nativeAvailable, withoutAddon } from '../native/index.js';
import { allowedCpus } from '../platform/cpus-linux.js';
import { checkAvailable, type StartMethod, startMethodOf } from '../process/index.js';
import { countWorkers } from '../util/cpu.js';
import { checkNumber, checkOptions, describe } from '../util/options.js';
import { checkWorkers } from '../util/worker-limit.js';
import { ELSEWHERE, POOL_OPTIONS, type PoolOptions } from './options.js';
import { RetryPolicy } from './scheduling/retry-policy.js';
import { LONGEST, limit } from './time-limit.js';
import { carryStore } from './wire/carried-stores.js';

/**
 * Default of `initTimeout`: loading a model takes minutes, and a limit that is too short breaks a
 * program that works, one that is too long only tells late.
 */
const INIT_TIMEOUT = 300_000;

/** Default of `exitTimeout`: what it writes may be large, and join() waits for it. */
const EXIT_TIMEOUT = 60_000;

const RESOURCE_LIMITS = [
  'maxYoungGenerationSizeMb',
  'maxOldGenerationSizeMb',
  'codeRangeSizeMb',
  'stackSizeMb',
] as const;

/** Pool options with their defaults filled in. */
export interface PoolSettings {
  readonly processes: number;
  readonly concurrency: number;
  /** Workers that are kept though there is nothing to do, if that was given. */
  readonly minProcesses: number | undefined;
  readonly method: StartMethod;
  readonly initializer: unknown;
  readonly initArgs: readonly unknown[];
  /** 0 for no limit. */
  readonly initTimeout: number;
  readonly workerExit: unknown;
  /** 0 for no limit. */
  readonly exitTimeout: number;
  /** Infinity for no limit. */
  readonly maxMemory: number;
  /** CPUs to pin workers to; `null`: they are not pinned. */
  readonly cpus: readonly number[] | null;
  readonly stores: readonly AsyncLocalStorage<unknown>[];
  readonly lifetime: number;
  readonly retries: RetryPolicy;
  readonly grace: number;
  readonly maxQueue: number;
  readonly idleTimeout: number;
  readonly env: PoolOptions['env'];
  readonly execArgv: readonly string[] | undefined;
  readonly resourceLimits: ResourceLimits | undefined;
}

/**
 * Checks pool options.
 * @throws ArgumentError; UnsupportedError for a start method this version does not have.
 */
export function poolSettings(actor: string, options: PoolOptions): PoolSettings {
  checkOptions(actor, options, POOL_OPTIONS, { number: 'processes' }, ELSEWHERE.pool);
  const { context, initializer, initArgs, workerExit } = options;
  const method = startMethodOf(actor, context);
  checkAvailable(actor, method);
  for (const [name, hook] of Object.entries({ initializer, workerExit })) {
    if (hook !== undefined && typeof hook !== 'function' && !((hook as unknown) instanceof URL))
      throw new ArgumentError(`${actor}: \`${name}\` must be a function or a module URL, not ${describe(hook)}.`);
  }
  if (initArgs !== undefined && !Array.isArray(initArgs))
    throw new ArgumentError(`${actor}: \`initArgs\` must be an array, not ${describe(initArgs)}.`);
  const { env, execArgv, resourceLimits } = options;
  if (env !== undefined && (method !== 'thread' || env !== SHARE_ENV) && (typeof env !== 'object' || env === null)) {
    const shared = method === 'thread' ? ' or SHARE_ENV' : '';
    throw new ArgumentError(`${actor}: \`env\` must be an object${shared}, not ${describe(env)}.`);
  }
  if (execArgv !== undefined && !Array.isArray(execArgv))
    throw new ArgumentError(`${actor}: \`execArgv\` must be an array of strings, not ${describe(execArgv)}.`);
  const alien = execArgv?.findIndex((word: unknown) => typeof word !== 'string') ?? -1;
  if (alien >= 0)
    throw new ArgumentError(
      `${actor}: \`execArgv\` must be an array of strings, and has ${describe(execArgv![alien])}.`,
    );
  if (resourceLimits !== undefined && method !== 'thread')
    throw new ArgumentError(
      `${actor}: \`resourceLimits\` is for threads; limit a process by \`execArgv: ['--max-old-space-size=…']\`.`,
    );
  if (resourceLimits !== undefined && (typeof resourceLimits !== 'object' || resourceLimits === null))
    throw new ArgumentError(`${actor}: \`resourceLimits\` must be an object, not ${describe(resourceLimits)}.`);
  checkOptions(`${actor}: resourceLimits`, resourceLimits, RESOURCE_LIMITS);
  for (const name of RESOURCE_LIMITS)
    checkNumber(actor, `resourceLimits.${name}`, resourceLimits?.[name], { min: 0.1 });
  const whole = { integer: true };
  const processes = checkNumber(actor, 'processes', options.processes, { min: 1, ...whole }) ?? countWorkers(actor);
  if (options.processes !== undefined) checkWorkers(actor, 'processes', processes);
  const idleTimeout =
    checkNumber(actor, 'idleTimeout', options.idleTimeout, { infinite: true }) ?? Number.POSITIVE_INFINITY;
  const minProcesses = checkNumber(actor, 'minProcesses', options.minProcesses, whole);
  if (minProcesses !== undefined && minProcesses > processes) {
    throw new ArgumentError(
      `${actor}: \`minProcesses\` must be at most \`processes\`, which is ${processes}, not ${minProcesses}; raise \`processes\` or lower it.`,
    );
  }
  return {
    processes,
    minProcesses,
    concurrency: checkNumber(actor, 'concurrency', options.concurrency, { min: 1, integer: true }) ?? 1,
    method,
    initializer,
    initArgs: initArgs ?? [],
    initTimeout: limit(
      checkNumber(actor, 'initTimeout', options.initTimeout, { min: 1, infinite: true }) ?? INIT_TIMEOUT,
    ),
    workerExit,
    exitTimeout: limit(
      checkNumber(actor, 'exitTimeout', options.exitTimeout, { min: 1, infinite: true }) ?? EXIT_TIMEOUT,
    ),
    maxMemory:
      checkNumber(actor, 'maxMemory', options.maxMemory, { min: 1, infinite: true }) ?? Number.POSITIVE_INFINITY,
    cpus: cpusOf(actor, options.pin),
    stores: storesOf(actor, options.stores),
    lifetime:
      checkNumber(actor, 'maxTasksPerChild', options.maxTasksPerChild, { min: 1, ...whole, infinite: true }) ??
      Number.POSITIVE_INFINITY,
    retries: RetryPolicy.from(actor, options.retries) ?? RetryPolicy.NONE,
    grace: Math.min(LONGEST, checkNumber(actor, 'gracePeriod', options.gracePeriod, { infinite: true }) ?? 1000),
    maxQueue:
      checkNumber(actor, 'maxQueue', options.maxQueue, { ...whole, infinite: true }) ?? Number.POSITIVE_INFINITY,
    idleTimeout,
    env,
    execArgv,
    resourceLimits,
  };
}

/** The stores, each of which can be sent from here on. @throws ArgumentError. */
function storesOf(actor: string, stores: PoolOptions['stores']): readonly AsyncLocalStorage<unknown>[] {
  if (stores === undefined) return [];
  if (!Array.isArray(stores))
    throw new ArgumentError(`${actor}: \`stores\` must be an array of AsyncLocalStorage, not ${describe(stores)}.`);
  return [...new Set(stores)].map((store) => carryStore(actor, store));
}

/** The CPUs to pin workers to. @throws ArgumentError; UnsupportedError. */
function cpusOf(actor: string, pin: PoolOptions['pin']): readonly number[] | null {
  if (pin === undefined || pin === false) return null;
  if (
    pin !== true &&
    !(Array.isArray(pin) && pin.length > 0 && pin.every((cpu) => Number.isInteger(cpu) && cpu >= 0))
  ) {
    throw new ArgumentError(
      `${actor}: \`pin\` must be true, false or an array of CPU numbers, not ${Array.isArray(pin) ? JSON.stringify(pin) : describe(pin)}.`,
    );
  }
  if (!nativeAvailable()) throw withoutAddon(`${actor}: \`pin\` needs the native addon`, 'Or leave `pin` out');
  const allowed = allowedCpus();
  if (allowed === null)
    throw new UnsupportedError(
      `${actor}: \`pin\`: this system (${process.platform}) does not say which CPUs may be used; leave \`pin\` out.`,
    );
  if (pin === true) return allowed;
  const missing = (pin as readonly number[]).filter((cpu) => !allowed.includes(cpu));
  if (missing.length === 0) return [...(pin as readonly number[])];
  throw new ArgumentError(
    `${actor}: \`pin\` names CPU ${missing.join(', ')}, which this process may not use; it may use ${allowed.join(', ')}.`,
  );
}
