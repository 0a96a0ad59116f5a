/** The options of a queue of many hosts. */
import { ArgumentError } from '../../errors/index.js';
import { describe } from '../../util/options.js';
import { checkWaitOptions, type WaitOptions } from '../../util/wait-options.js';
import { CHANNEL_OPTIONS, type ChannelOptions, type ChannelSettings, channelSettings } from '../channel/options.js';

/** Options of {@link DistributedQueue.connect}. */
export interface DistributedQueueOptions<T = unknown> extends ChannelOptions<T> {
  /**
   * Milliseconds after which an item goes to others whose consumer is not heard of, at least 500.
   * Consumers renew it while their event loop turns. It holds for all who use the name, and the last
   * one that gives it counts. Default: as it is; 5,000 for a new one.
   */
  readonly lease?: number | undefined;
}

/** How an item is taken. */
export interface DistributedGetOptions extends WaitOptions {
  /**
   * `'auto'` (default): the item is done with when it is delivered. `'manual'`: when `ack` is called;
   * until then it goes to others when this process ends.
   */
  readonly ack?: 'auto' | 'manual' | undefined;
}

export type QueueSettings = ChannelSettings;

const QUEUE_OPTIONS = [...CHANNEL_OPTIONS, 'lease'];

/** @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`. */
export function queueSettings<T>(actor: string, options: DistributedQueueOptions<T>): QueueSettings {
  return channelSettings(actor, options, QUEUE_OPTIONS);
}

/** @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`. */
export function checkGet(actor: string, options: DistributedGetOptions | undefined): boolean {
  checkWaitOptions(actor, options, ['ack']);
  const ack = options?.ack ?? 'auto';
  if (ack !== 'auto' && ack !== 'manual')
    throw new ArgumentError(`${actor}: \`ack\` must be 'auto' or 'manual', not ${describe(ack)}.`);
  return ack === 'manual';
}
