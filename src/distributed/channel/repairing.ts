/** Storing what a broker refuses that has lost the streams: they are made again first. */
import { RemoteError } from '../../errors/index.js';
import type { BrokerRefusal } from '../broker/index.js';
import type { ChannelNames } from '../wire/index.js';
import { refused } from './messages.js';

/** No stream has the subject. Never leaves this folder. */
class StreamMissing extends RemoteError {}

/** What a refusal is to {@link repairing}. */
export function refusal(names: ChannelNames, actor: string, { noStream, description }: BrokerRefusal): RemoteError {
  return noStream ? new StreamMissing(description) : refused(names, actor, description);
}

/** Repeats `attempt` after a `repair` as long as it throws that a stream is missing. */
export async function repairing<T>(repair: () => Promise<void>, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof StreamMissing)) throw error;
    }
    await repair();
  }
}
