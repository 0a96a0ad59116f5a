/**
 * Removing parts that no item names: their writer ended before it had put the item, or their reader
 * before it had removed them.
 */
import { timeOfDay } from '../../util/timers.js';
import { type Broker, countsOf } from '../broker/index.js';
import type { ChannelNames } from '../wire/index.js';
import { readWriters } from './writer-records.js';

/** Milliseconds after which a writer that was not heard of does not put its item any more. */
const ABANDONED_MS = 3_600_000;

export async function sweepParts(broker: Broker, names: ChannelNames): Promise<void> {
  await broker.persist(
    async () => {
      const blobs = Object.keys(await countsOf(broker, names.state, names.firstParts)).map((subject) =>
        names.blobOfPart(subject),
      );
      if (blobs.length === 0) return;
      // A writer that lives may be about to put the item, so writers are asked before items are.
      const writers = await readWriters(broker, names);
      const items = await countsOf(broker, names.stream, `${names.items}.*.*`);
      for (const blob of blobs) {
        if (names.largeItem(blob) in items) continue;
        const state = writers.get(blob.split('.')[0] ?? '');
        if (state === 'open') continue;
        const ended = state === 'completed' || state === 'left';
        if (!ended && !(await isOld(broker, names, blob))) continue;
        await broker.streams.streams.purge(names.state, { filter: names.blobPart(blob, '*') });
      }
    },
    () => false,
  );
}

async function isOld(broker: Broker, names: ChannelNames, blob: string): Promise<boolean> {
  const part = await broker.streams.streams.getMessage(names.state, { last_by_subj: names.blobPart(blob, 0) });
  return part !== null && part.time.getTime() < timeOfDay() - ABANDONED_MS;
}
