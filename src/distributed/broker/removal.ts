/**
 * Removing messages from streams, one at a time.
 *
 * Never by the purge of a subject where a consumer reads: a server of 2.9 sets the consumer past all that
 * is in the stream then, so that it gives the tasks of other runs and drivers to nobody any more.
 */
import { CLASSES, type PoolNames } from '../wire/subjects.js';
import type { Broker } from './broker.js';
import { codeOf, NO_MESSAGE, NO_STREAM } from './errors.js';
import { ALL, countOf, matches, messagesOf } from './stream-search.js';

/** Requests under way. */
const WINDOW = 32;
/** The broker's number for a message that cannot be removed: it is not there. */
const NOT_REMOVED = 10057;

/** Removes messages by their numbers. Those that are not there any more count as removed. */
export async function removeTasks(broker: Broker, stream: string, sequences: readonly number[]): Promise<void> {
  let next = 0;
  const remove = async (): Promise<void> => {
    while (next < sequences.length) await removeOne(broker, stream, sequences[next++]!);
  };
  await Promise.all(Array.from({ length: Math.min(WINDOW, sequences.length) }, remove));
}

/**
 * Removes tasks that have a subject, of whatever class: a look for each.
 * @param isUnwanted Tells those that go from those that stay. Default: all go.
 */
export async function removeTasksOf(
  broker: Broker,
  names: PoolNames,
  filter: string,
  isUnwanted?: (message: Uint8Array) => boolean,
): Promise<void> {
  await Promise.all(CLASSES.map((name) => removeMatching(broker, names.streamOf(name), filter, isUnwanted)));
}

/** Removes messages of a stream by their subject; with `isUnwanted` some of them. */
export async function removeMatching(
  broker: Broker,
  stream: string,
  filter: string,
  isUnwanted: (message: Uint8Array) => boolean = () => true,
): Promise<void> {
  const kept = new Set<number>();
  const removeBy = async (search: string): Promise<void> => {
    const removing = new Set<Promise<void>>();
    for await (const { subject, seq, data } of messagesOf(broker, stream, search)) {
      if (kept.has(seq) || !matches(filter, subject)) continue;
      if (!isUnwanted(data)) {
        kept.add(seq);
        continue;
      }
      const removal = removeOne(broker, stream, seq).finally(() => removing.delete(removal));
      // Its failure is thrown below.
      removal.catch(() => {});
      removing.add(removal);
      if (removing.size >= WINDOW) await Promise.race(removing);
    }
    await Promise.all(removing);
  };
  await removeBy(filter);
  if ((await countOf(broker, stream, filter)) > kept.size) await removeBy(ALL);
}

async function removeOne(broker: Broker, stream: string, sequence: number): Promise<void> {
  try {
    await broker.streams.streams.deleteMessage(stream, sequence, false);
  } catch (error) {
    const code = codeOf(error);
    if (code !== NO_STREAM && code !== NO_MESSAGE && code !== NOT_REMOVED) throw error;
  }
}
