/** The records of writers at the broker. */
import { type Broker, codeOf, countsOf, lastMessageOf, NO_STREAM } from '../broker/index.js';
import { type ChannelNames, readWriter, type WriterState } from '../wire/index.js';

/** Requests under way. */
const WINDOW = 32;

/** What each writer said last. */
export async function readWriters(broker: Broker, names: ChannelNames): Promise<Map<string, WriterState>> {
  const states = new Map<string, WriterState>();
  const subjects = Object.keys(await countsOf(broker, names.state, names.writers));
  let next = 0;
  const read = async (): Promise<void> => {
    while (next < subjects.length) {
      const subject = subjects[next++]!;
      const message = await lastMessageOf(broker, names.state, subject);
      const state = message === undefined ? undefined : readWriter(message.data);
      if (state !== undefined) states.set(names.writerOf(subject), state);
    }
  };
  await Promise.all(Array.from({ length: Math.min(WINDOW, subjects.length) }, read));
  return states;
}

/**
 * Removes the records of an earlier round of writers, when all of them have ended: what is put from
 * here on has an end of its own.
 */
export async function removeFinished(
  broker: Broker,
  names: ChannelNames,
  states: ReadonlyMap<string, WriterState>,
): Promise<void> {
  const all = [...states];
  const over = !all.some(([, state]) => state === 'open') && all.some(([, state]) => state === 'completed');
  for (const [writer, state] of all) {
    if (state === 'left' || over)
      await broker.streams.streams.purge(names.state, { filter: names.writer(writer) }).catch(unlessGone);
  }
}

function unlessGone(error: unknown): void {
  if (codeOf(error) !== NO_STREAM) throw error;
}
