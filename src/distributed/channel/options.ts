/** The options that queues and topics of many hosts have in common: their contract, their checks. */
import { ArgumentError } from '../../errors/index.js';
import { type Serializer, type SerializerOption, serializerOf } from '../../reduction/index.js';
import { checkOverflow, type Overflow } from '../../streams/index.js';
import { checkNumber, checkOptions, describe } from '../../util/options.js';
import { checkWaitOptions, type WaitOptions } from '../../util/wait-options.js';
import { BROKER_OPTIONS, type BrokerOptions, brokerSettings, checkLease, checkName } from '../broker/options.js';

/** What a writer that is lost makes of streams. */
export type OnWriterLost = 'error' | 'complete' | 'wait';

/** What DistributedQueue and DistributedTopic have in common. */
export interface ChannelOptions<T = unknown> extends BrokerOptions {
  /** Its name: 1 to 64 letters, digits, `-` and `_`. Who has the same name has the same one. */
  readonly name: string;
  /**
   * How items become bytes. `'multiprocess'` (default): any value; **decoding can run code of the
   * writers**. `'msgpackr'`: plain data, for other languages too; items of a writer that has
   * `'multiprocess'` are refused. `{ encode, decode }`: one's own, which readers need too.
   */
  readonly serializer?: SerializerOption | undefined;
  /**
   * Items that it holds at most; 0: as many as there is room for in `capacity`. It holds for all who
   * use the name, and the last one that gives it counts; a queue whose items take more than half of a
   * smaller one keeps what it has, and its limit. Default: as it is; 0 for a new one.
   */
  readonly maxSize?: number | undefined;
  /**
   * Bytes of items that it holds at most: the broker reserves them on its disk. Items that are
   * larger than a message may take as much again. Likewise for all. Default: as it is; 128 MiB for a
   * new one.
   */
  readonly capacity?: number | undefined;
  /**
   * What streams end with when a writer has not been heard of for the lease and had not completed:
   * `'error'` (default) a ProducerLostError, `'complete'` as if it had completed. With `'wait'` they
   * go on, for writers that come and go.
   */
  readonly onWriterLost?: OnWriterLost | undefined;
  /** How many writers must have completed before streams may end. Default 1. */
  readonly writers?: number | undefined;
  /**
   * What `next` does when as many items as `capacity` says wait here for the broker. `error`
   * (default, with 1,024) throws QueueFullError, `buffer` too; `drop-newest` drops the item.
   */
  readonly overflow?: (Overflow<T> & { readonly policy: 'error' | 'buffer' | 'drop-newest' }) | undefined;
}

/** How an item is put. */
export interface DistributedPutOptions extends WaitOptions {
  /**
   * What tells the item from others, 1 to 200 printable characters of ASCII: of those with the same
   * one that are put within two minutes, the first is stored. Default: one for each `put`.
   */
  readonly id?: string | undefined;
}

/** What they say, checked. */
export interface ChannelSettings {
  readonly broker: ReturnType<typeof brokerSettings>;
  readonly name: string;
  readonly serializer: Serializer;
  readonly maxSize: number | undefined;
  readonly capacity: number | undefined;
  readonly lease: number | undefined;
  readonly onWriterLost: OnWriterLost;
  readonly writers: number;
  readonly overflow: Overflow<never>;
}

export const CHANNEL_OPTIONS: readonly string[] = [
  ...BROKER_OPTIONS,
  'name',
  'serializer',
  'maxSize',
  'capacity',
  'onWriterLost',
  'writers',
  'overflow',
];
const ON_WRITER_LOST: readonly OnWriterLost[] = ['error', 'complete', 'wait'];
const OVERFLOWS = ['error', 'buffer', 'drop-newest'];
const MIN_CAPACITY_BYTES = 4_096;
const ID = /^[!-~]{1,200}$/;

/** @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`. */
export function channelSettings<T>(
  actor: string,
  options: ChannelOptions<T> & { readonly lease?: number | undefined },
  known: readonly string[],
): ChannelSettings {
  checkOptions(actor, options ?? {}, known);
  const { onWriterLost = 'error', overflow } = options;
  if (!ON_WRITER_LOST.includes(onWriterLost)) {
    throw new ArgumentError(
      `${actor}: \`onWriterLost\` must be 'error', 'complete' or 'wait', not ${describe(onWriterLost)}.`,
    );
  }
  checkOverflow(actor, overflow);
  if (overflow !== undefined && !OVERFLOWS.includes(overflow.policy)) {
    throw new ArgumentError(
      `${actor}: \`overflow.policy\` must be 'error', 'buffer' or 'drop-newest': what the broker has is not taken back. It is '${overflow.policy}'.`,
    );
  }
  return {
    broker: brokerSettings(actor, options),
    name: checkName(actor, options.name),
    serializer: serializerOf(actor, options.serializer),
    maxSize: checkNumber(actor, 'maxSize', options.maxSize, { integer: true }),
    capacity: checkNumber(actor, 'capacity', options.capacity, { min: MIN_CAPACITY_BYTES, integer: true }),
    lease: checkLease(actor, options.lease),
    onWriterLost,
    writers: checkNumber(actor, 'writers', options.writers, { min: 1, integer: true }) ?? 1,
    overflow: (overflow ?? { policy: 'error' }) as Overflow<never>,
  };
}

/** @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`. */
export function checkPut(actor: string, options: DistributedPutOptions | undefined): void {
  checkWaitOptions(actor, options, ['id']);
  const id = options?.id;
  if (id !== undefined && !(typeof id === 'string' && ID.test(id)))
    throw new ArgumentError(
      `${actor}: \`id\` must have 1 to 200 printable characters of ASCII without spaces, not ${describe(id)}.`,
    );
}
