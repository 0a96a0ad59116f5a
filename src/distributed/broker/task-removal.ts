/**
 * Removing tasks from the streams of their classes, one message at a time.
 *
 * Never by the purge of a subject: a server of 2.9 sets the consumer past all that is in the stream
 * then, so that it gives the tasks of other runs and drivers to nobody any more.
 */
import { CLASSES, type PoolNames } from '../wire/subjects.js';
import type { Broker } from './broker.js';
import { codeOf, NO_STREAM } from './errors.js';

/** Requests under way. */
const WINDOW = 32;
/** The broker's numbers for a message that is not there. */
const NO_MESSAGE = new Set([10037, 10057]);

/** Removes messages by their numbers. Those that are not there any more count as removed. */
export async function removeTasks(broker: Broker, stream: string, sequences: readonly number[]): Promise<void> {
  let next = 0;
  const remove = async (): Promise<void> => {
    while (next < sequences.length) await removeOne(broker, stream, sequences[next++]!);
  };
  await Promise.all(Array.from({ length: Math.min(WINDOW, sequences.length) }, remove));
}

/** Removes what has a subject, of whatever class: a look for each message. */
export async function removeTasksOf(broker: Broker, names: PoolNames, filter: string): Promise<void> {
  await Promise.all(CLASSES.map((name) => removeMatching(broker, names.streamOf(name), filter)));
}

async function removeMatching(broker: Broker, stream: string, filter: string): Promise<void> {
  const removing = new Set<Promise<void>>();
  for (let from = 1; ; ) {
    const sequence = await nextOf(broker, stream, filter, from);
    if (sequence === undefined) break;
    from = sequence + 1;
    const removal = removeOne(broker, stream, sequence).finally(() => removing.delete(removal));
    // Its failure is thrown below.
    removal.catch(() => {});
    removing.add(removal);
    if (removing.size >= WINDOW) await Promise.race(removing);
  }
  await Promise.all(removing);
}

async function nextOf(broker: Broker, stream: string, filter: string, from: number): Promise<number | undefined> {
  try {
    return (await broker.streams.streams.getMessage(stream, { seq: from, next_by_subj: filter } as { seq: number }))?.seq;
  } catch (error) {
    if (codeOf(error) === NO_STREAM) return undefined;
    throw error;
  }
}

async function removeOne(broker: Broker, stream: string, sequence: number): Promise<void> {
  try {
    await broker.streams.streams.deleteMessage(stream, sequence, false);
  } catch (error) {
    const code = codeOf(error);
    if (code !== NO_STREAM && !NO_MESSAGE.has(code ?? 0)) throw error;
  }
}
