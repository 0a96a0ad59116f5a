/** What a pool has given up. */
import { type Broker, isNothingThere } from '../broker/index.js';
import { type DeadLetterRecord, type PoolNames, readDeadLetter } from '../wire/index.js';
import type { DeadLetter } from './dead-letter.js';

/** Reads those that the broker has, the oldest first. Those that come meanwhile are read too. */
export async function* deadLettersOf(broker: Broker, names: PoolNames): AsyncGenerator<DeadLetter, void, undefined> {
  for (let sequence = 1; ; ) {
    const query = { seq: sequence, next_by_subj: names.deadLetter };
    const message = await broker.persist(
      () => broker.streams.streams.getMessage(names.deadLetters, query).catch(noneLeft),
      () => false,
    );
    if (message === null || message === undefined) return;
    yield shown(readDeadLetter(message.data));
    sequence = message.seq + 1;
  }
}

function shown({ index, count, attempts, driver, run, host, name, message, code, time }: DeadLetterRecord): DeadLetter {
  return {
    index,
    count,
    attempts,
    key: `${driver}/${run}/${index}`,
    host,
    error: { name, message, code },
    time: new Date(time),
  };
}

function noneLeft(error: unknown): null {
  if (isNothingThere(error)) return null;
  throw error;
}
