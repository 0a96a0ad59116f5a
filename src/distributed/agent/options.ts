/** The options of an agent: their contract and their checks. */
import { ArgumentError } from '../../errors/index.js';
import type { ContextLike } from '../../process/index.js';
import { countWorkers } from '../../util/cpu.js';
import { checkBoolean, checkNumber, checkOptions, describe } from '../../util/options.js';
import { checkWorkers } from '../../util/worker-limit.js';
import { BROKER_OPTIONS, type BrokerOptions, brokerSettings, checkLease, checkName } from '../broker/options.js';

/** Options of {@link Agent.start}. */
export interface AgentOptions extends BrokerOptions {
  /** Name of the pool: 1 to 64 letters, digits, `-` and `_`. */
  readonly name: string;
  /** Number of workers. Default: the CPUs this process may use. */
  readonly processes?: number | undefined;
  /** How workers are started. Default: the process's. */
  readonly context?: ContextLike | undefined;
  /**
   * Modules that each worker loads before its first task: packages as this folder's program imports
   * them, paths that begin with `.`, URLs.
   */
  readonly preload?: readonly string[] | undefined;
  /**
   * Whether functions run that drivers send with their code. **They can do whatever this process
   * can**: for drivers, and a broker, that are trusted as one's own program is. Default `false`: a
   * driver names exports of modules that this host has.
   */
  readonly allowFunctions?: boolean | undefined;
  /**
   * Milliseconds after which the tasks of an agent that is not heard of go to others, at least 500.
   * It holds for the whole pool. Default: as the pool has it; 5,000 for a new one.
   */
  readonly lease?: number | undefined;
  /**
   * Most tasks (calls, chunks of items) that wait in each class of priority: when it is full,
   * sources wait. Counts when the pool is new. Default 100,000.
   */
  readonly maxQueue?: number | undefined;
  /**
   * Most bytes of tasks that wait, likewise. The broker reserves them on its disk, for each of the
   * three classes. Default 128 MiB.
   */
  readonly maxQueueBytes?: number | undefined;
  /**
   * Milliseconds a worker whose task was cancelled has to end it, before it is killed. Default
   * 1,000.
   */
  readonly gracePeriod?: number | undefined;
  /**
   * Port on which `GET /` answers 200 while tasks are taken and 503 while they are not, with what
   * the agent is doing as JSON; 0 for any free one, see {@link Agent.httpPort}. Default: none.
   */
  readonly http?: number | undefined;
}

/** What {@link AgentOptions} say, checked. */
export interface AgentSettings {
  readonly broker: ReturnType<typeof brokerSettings>;
  readonly name: string;
  readonly processes: number;
  readonly context: ContextLike | undefined;
  readonly preload: readonly string[];
  readonly allowFunctions: boolean;
  readonly lease: number | undefined;
  readonly maxQueue: number;
  readonly maxQueueBytes: number;
  readonly gracePeriod: number | undefined;
  readonly http: number | undefined;
}

const AGENT_OPTIONS = [
  ...BROKER_OPTIONS,
  'name',
  'processes',
  'context',
  'preload',
  'allowFunctions',
  'lease',
  'maxQueue',
  'maxQueueBytes',
  'gracePeriod',
  'http',
];

export const DEFAULT_LEASE_MS = 5_000;
const MAX_PORT = 65_535;

/** @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`. */
export function agentSettings(actor: string, options: AgentOptions): AgentSettings {
  checkOptions(actor, options ?? {}, AGENT_OPTIONS);
  const { preload, allowFunctions, http } = options;
  if (preload !== undefined && !(Array.isArray(preload) && preload.every((name) => typeof name === 'string')))
    throw new ArgumentError(`${actor}: \`preload\` must be an array of modules, not ${describe(preload)}.`);
  checkBoolean(actor, 'allowFunctions', allowFunctions);
  if (http !== undefined && !(Number.isInteger(http) && http >= 0 && http <= MAX_PORT))
    throw new ArgumentError(`${actor}: \`http\` must be a port from 0 to ${MAX_PORT}, not ${describe(http)}.`);
  const whole = { min: 1, integer: true };
  const processes = checkNumber(actor, 'processes', options.processes, whole) ?? countWorkers(actor);
  if (options.processes !== undefined) checkWorkers(actor, 'processes', processes);
  return {
    broker: brokerSettings(actor, options),
    name: checkName(actor, options.name),
    processes,
    context: options.context,
    preload: preload ?? [],
    allowFunctions: allowFunctions ?? false,
    lease: checkLease(actor, options.lease),
    maxQueue: checkNumber(actor, 'maxQueue', options.maxQueue, whole) ?? 100_000,
    maxQueueBytes: checkNumber(actor, 'maxQueueBytes', options.maxQueueBytes, whole) ?? 128 * 2 ** 20,
    gracePeriod: checkNumber(actor, 'gracePeriod', options.gracePeriod),
    http,
  };
}
