/**
 * Messages of a stream by their subjects.
 *
 * A server of 2.9 keeps the first and the last number of each subject. One that was killed has messages
 * again that were removed, and these numbers pass over some that are there: it does not find them by
 * their subject, but counts them, and finds them when it is asked for whatever comes next. So where
 * fewer are found than counted, the whole stream is gone through.
 */
import type { Broker, StoredMessage } from './broker.js';
import { isNothingThere } from './errors.js';

/** Every subject. */
export const ALL = '>';

/** How many messages each subject of a stream has that matches `filter`; none where it is not there. */
export async function countsOf(
  broker: Broker,
  stream: string,
  filter: string,
): Promise<Readonly<Record<string, number>>> {
  try {
    const { state } = await broker.streams.streams.info(stream, { subjects_filter: filter });
    return state.subjects ?? {};
  } catch (error) {
    if (isNothingThere(error)) return {};
    throw error;
  }
}

/** How many messages of a stream match. */
export async function countOf(broker: Broker, stream: string, filter: string): Promise<number> {
  return Object.values(await countsOf(broker, stream, filter)).reduce((sum, count) => sum + count, 0);
}

/** The last message of a subject; `undefined` when there is none. */
export async function lastMessageOf(
  broker: Broker,
  stream: string,
  subject: string,
): Promise<StoredMessage | undefined> {
  try {
    const message = await broker.streams.streams.getMessage(stream, { last_by_subj: subject });
    if (message !== null) return message;
  } catch (error) {
    if (!isNothingThere(error)) throw error;
  }
  if ((await countOf(broker, stream, subject)) === 0) return undefined;
  let last: StoredMessage | undefined;
  for await (const message of messagesOf(broker, stream, ALL)) if (message.subject === subject) last = message;
  return last;
}

/** The messages that the broker finds by a filter, in order. By {@link ALL}, it finds all. */
export async function* messagesOf(
  broker: Broker,
  stream: string,
  filter: string,
): AsyncGenerator<StoredMessage, void, undefined> {
  for (let from = 1; ; ) {
    const message = await broker.nextMessage(stream, from, filter);
    if (message === undefined) return;
    yield message;
    from = message.seq + 1;
  }
}

/** Whether a filter has a subject: `*` stands for one token, a last `>` for the rest. */
export function matches(filter: string, subject: string): boolean {
  const wanted = filter.split('.');
  const tokens = subject.split('.');
  for (const [i, token] of wanted.entries()) {
    if (token === ALL) return tokens.length > i;
    if (tokens[i] === undefined || (token !== '*' && token !== tokens[i])) return false;
  }
  return tokens.length === wanted.length;
}
