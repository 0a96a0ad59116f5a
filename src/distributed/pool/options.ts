/** The options of a distributed pool: their contract and their checks. */
import { ArgumentError } from '../../errors/index.js';
import { checkNumber, checkOptions, describe } from '../../util/options.js';
import { MIN_LEASE_MS } from '../agent/options.js';
import { BROKER_OPTIONS, type BrokerOptions, brokerSettings, checkName } from '../broker/options.js';
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
  readonly poolTimeout: number;
}

const POOL_OPTIONS = [...BROKER_OPTIONS, 'name', 'serializer', 'window', 'lease', 'maxAttempts', 'poolTimeout'];

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
    lease: checkNumber(actor, 'lease', options.lease, { min: MIN_LEASE_MS, integer: true }),
    maxAttempts: checkNumber(actor, 'maxAttempts', options.maxAttempts, whole) ?? 3,
    poolTimeout: checkNumber(actor, 'poolTimeout', options.poolTimeout, { infinite: true }) ?? 10_000,
  };
}
