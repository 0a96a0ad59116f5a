/** The options of a distributed pool: their contract and their checks. */
import { ArgumentError } from '../../errors/index.js';
import type { AsyncMapOptions, MapOptions, StreamOptions } from '../../pool/index.js';
import { checkBoolean, checkNumber, checkOptions, describe } from '../../util/options.js';
import { BROKER_OPTIONS, type BrokerOptions, brokerSettings, checkLease, checkName } from '../broker/options.js';
import { SERIALIZERS, type SerializerName } from '../wire/messages.js';

/** Options of {@link DistributedPool.connect}. */
export interface DistributedPoolOptions extends BrokerOptions {
  /** Name of the pool, as its agents have it. */
  readonly name: string;
  /**
   * How arguments and results become bytes. `'multiprocess'` (default): any value; decoding results
   * can run code of the agents. `'msgpackr'`: plain data only.
   */
  readonly serializer?: SerializerName | undefined;
  /** Default of `window` for imap and imapUnordered. */
  readonly window?: number | undefined;
  /**
   * Milliseconds after which the tasks of an agent that is not heard of go to others, and those of a
   * driver that is gone are withdrawn; at least 500. It is the pool's: it holds for all drivers.
   * Default: as the pool has it; 5,000 for a new one.
   */
  readonly lease?: number | undefined;
  /**
   * Runs of an item that may end with the death of its worker or its host; after the last it fails
   * and becomes a dead letter. `retries` of a call are one less. Default 3.
   */
  readonly maxAttempts?: number | undefined;
  /**
   * Whether runs (calls, maps, streams) go on when this driver dies or terminates its pool; see
   * {@link DistributedPool.resume}. Results are stored at the broker, which costs a message for each
   * chunk. Default `false`: what a driver began is withdrawn after the lease.
   */
  readonly durable?: boolean | undefined;
  /**
   * Milliseconds that the first calls wait for a pool that no agent has served yet. Default 10,000.
   */
  readonly poolTimeout?: number | undefined;
}

export interface DistributedPoolSettings {
  readonly broker: ReturnType<typeof brokerSettings>;
  readonly name: string;
  readonly serializer: SerializerName;
  readonly window: number | undefined;
  readonly lease: number | undefined;
  readonly maxAttempts: number;
  readonly durable: boolean;
  readonly poolTimeout: number;
}

const POOL_OPTIONS = [
  ...BROKER_OPTIONS,
  'name',
  'serializer',
  'window',
  'lease',
  'maxAttempts',
  'durable',
  'poolTimeout',
];

/** @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`. */
export function poolSettings(actor: string, options: DistributedPoolOptions): DistributedPoolSettings {
  checkOptions(actor, options ?? {}, POOL_OPTIONS);
  const { serializer } = options;
  if (serializer !== undefined && !SERIALIZERS.includes(serializer)) {
    throw new ArgumentError(
      `${actor}: \`serializer\` must be 'multiprocess' or 'msgpackr', which agents have too, not ${describe(serializer)}.`,
    );
  }
  const whole = { min: 1, integer: true };
  return {
    broker: brokerSettings(actor, options),
    name: checkName(actor, options.name),
    serializer: serializer ?? 'multiprocess',
    window: checkNumber(actor, 'window', options.window, whole),
    lease: checkLease(actor, options.lease),
    maxAttempts: checkNumber(actor, 'maxAttempts', options.maxAttempts, whole) ?? 3,
    durable: checkBoolean(actor, 'durable', options.durable) ?? false,
    poolTimeout: checkNumber(actor, 'poolTimeout', options.poolTimeout, { infinite: true }) ?? 10_000,
  };
}

/** Names a durable run. */
export interface RunOptions {
  /**
   * Name of the run, for {@link DistributedPool.resume}: 1 to 64 letters, digits, `-` and `_`, that no
   * other run of the pool has. In pools that are `durable` only. Default: a random one, which
   * {@link DistributedPool.runs} lists, and the stream has as its `run`.
   */
  readonly run?: string | undefined;
}

/**
 * Options of map and starmap: Pool's without `key`, which names a worker of one host.
 */
export interface DistributedMapOptions extends Omit<MapOptions, 'key'>, RunOptions {}

/** Options of mapAsync and starmapAsync. `R` is what one item gives. */
export interface DistributedAsyncMapOptions<R> extends Omit<AsyncMapOptions<R>, 'key'>, RunOptions {}

/** Options of imap and imapUnordered: Pool's without `key`, which names a worker of one host. */
export interface DistributedStreamOptions<T> extends Omit<StreamOptions<T>, 'key'>, RunOptions {}

/** @throws ArgumentError `MP_INVALID_ARGUMENT` for a name that is none, or without `durable`. */
export function checkRun(actor: string, { run }: RunOptions, { durable }: DistributedPoolSettings): string | undefined {
  if (run === undefined) return undefined;
  if (durable) return checkName(actor, run, 'run');
  throw new ArgumentError(
    `${actor}: \`run\` names a durable run, and this pool is not durable; connect with \`durable: true\`, or leave it out.`,
  );
}
