/** The options of a topic of many hosts. */
import { ArgumentError } from '../../errors/index.js';
import { checkNumber, checkOptions, describe } from '../../util/options.js';
import { CHANNEL_OPTIONS, type ChannelOptions, type ChannelSettings, channelSettings } from '../channel/options.js';

/** What happens to a subscriber of many hosts that does not keep up. */
export type DistributedLag = 'drop-oldest' | 'latest' | 'error';

/** Where a subscription begins. One of the two at most; default: with what is published from now on. */
export interface DistributedReplayOptions {
  /** With the last so many items, as far as they are still there. */
  readonly replay?: number | undefined;
  /** With what was published at this time or later, by the broker's clock. */
  readonly since?: Date | undefined;
}

/** Options of {@link DistributedTopic.connect}. `maxSize` and `capacity` are how far back it goes. */
export interface DistributedTopicOptions<T = unknown> extends ChannelOptions<T>, DistributedReplayOptions {
  /**
   * What happens when a subscriber has not read what the topic drops, being full. `'drop-oldest'`
   * (default): it goes on with the oldest item there is. `'error'`: it ends with StreamOverflowError
   * `MP_TOPIC_LAG`. `'latest'`: it always gets the newest item next. What it did not get shows in
   * `gaps`.
   */
  readonly lag?: DistributedLag | undefined;
}

export interface TopicSettings extends ChannelSettings {
  readonly lag: DistributedLag;
  readonly start: DistributedReplayOptions;
}

const LAGS: readonly DistributedLag[] = ['drop-oldest', 'latest', 'error'];
const TOPIC_OPTIONS = [...CHANNEL_OPTIONS, 'replay', 'since', 'lag'];

/** @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`. */
export function topicSettings<T>(actor: string, options: DistributedTopicOptions<T>): TopicSettings {
  const settings = channelSettings(actor, options, TOPIC_OPTIONS);
  const { lag = 'drop-oldest', replay, since } = options;
  if (!LAGS.includes(lag)) {
    const why = (lag as string) === 'block' ? ' One slow host would stop all others.' : '';
    throw new ArgumentError(
      `${actor}: \`lag\` must be one of ${LAGS.map((one) => `'${one}'`).join(', ')}, not ${describe(lag)}.${why}`,
    );
  }
  return { ...settings, lag, start: checkStart(actor, { replay, since }) };
}

/** @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`. */
export function checkStart(actor: string, options: DistributedReplayOptions | undefined): DistributedReplayOptions {
  checkOptions(actor, options, ['replay', 'since'], { number: 'replay' });
  const { replay, since } = options ?? {};
  checkNumber(actor, 'replay', replay, { integer: true });
  if (since !== undefined && !(since instanceof Date && Number.isFinite(since.getTime())))
    throw new ArgumentError(`${actor}: \`since\` must be a valid Date, not ${describe(since)}.`);
  if (replay !== undefined && since !== undefined)
    throw new ArgumentError(`${actor}: \`replay\` and \`since\` both say where to begin; give one of them.`);
  return { replay, since };
}
