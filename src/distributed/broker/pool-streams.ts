/**
 * The streams and consumers of one pool. Agents make them; what is there already is used as it is.
 */
import type { ConsumerConfig } from '@nats-io/jetstream';
import { ConnectionError } from '../../errors/index.js';
import { CLASSES, type PoolNames, type PriorityClass } from '../wire/subjects.js';
import { type Broker, messageOf } from './broker.js';
import { codeOf, NO_STREAM } from './errors.js';
import type { PulledConsumer } from './puller.js';
import { removeMatching } from './removal.js';
import { countOf, countsOf, lastMessageOf } from './stream-search.js';
import { checkVersion, configOf, durable, ensureStream, isWithoutRoom, NANOS, takeBack } from './streams.js';

/** Milliseconds that dead letters, results of durable runs, and blobs that nobody removed are kept. */
const AGE_MS = 7 * 86_400_000;
const MAX_DEAD_LETTERS = 100_000;
/** Most stored results of durable runs; while there are so many, their tasks stay with the agents. */
const MAX_RESULTS = 1_000_000;
/** The broker's number of an error. */
const CONSUMER_NOT_FOUND = 10014;

/** What may be chosen about a pool's streams. */
export interface StreamSettings {
  /** Most tasks that wait in each class of priority. */
  readonly maxQueue: number;
  /** Most bytes of tasks that wait in each class: the broker reserves them on its disk. */
  readonly maxQueueBytes: number;
  /** Milliseconds after which a task of a silent agent goes to another. */
  readonly lease: number;
}

/**
 * Makes what is missing of the streams of a pool: nothing of it, when there is no room for all.
 * @throws (rejects) ConnectionError `MP_BROKER_STORAGE`; UnsupportedError `MP_BROKER_TOO_OLD`.
 */
export async function ensurePool(broker: Broker, names: PoolNames, settings: StreamSettings): Promise<void> {
  const made: string[] = [];
  try {
    await ensureStreams(broker, names, settings, made);
  } catch (error) {
    if (!isWithoutRoom(error)) throw error;
    // Part of a pool would reserve storage that nobody uses.
    await takeBack(broker, made);
    throw noStorage(broker, names, settings, error);
  }
  for (const name of CLASSES) await ensureConsumer(broker, names, name, settings.lease);
}

async function ensureStreams(
  broker: Broker,
  names: PoolNames,
  settings: StreamSettings,
  made: string[],
): Promise<void> {
  const common = durable(broker);
  for (const name of CLASSES) {
    await ensureStream(
      broker,
      {
        ...common,
        name: names.streamOf(name),
        subjects: [names.tasksOfClass(name)],
        retention: 'workqueue',
        discard: 'new',
        max_msgs: settings.maxQueue,
        max_bytes: settings.maxQueueBytes,
      },
      made,
    );
  }
  await ensureStream(
    broker,
    {
      ...common,
      name: names.deadLetters,
      subjects: [names.deadLetter],
      retention: 'limits',
      discard: 'old',
      max_msgs: MAX_DEAD_LETTERS,
      max_age: AGE_MS * NANOS,
    },
    made,
  );
  await ensureStream(
    broker,
    {
      ...common,
      name: names.blobs,
      subjects: [names.allBlobs],
      retention: 'limits',
      discard: 'old',
      max_msgs_per_subject: 1,
      max_age: AGE_MS * NANOS,
      allow_direct: true,
    },
    made,
  );
  await ensureStream(
    broker,
    {
      ...common,
      name: names.results,
      subjects: [names.allResults],
      retention: 'limits',
      discard: 'new',
      // What is stored again takes the place of what was there.
      max_msgs_per_subject: 1,
      max_msgs: MAX_RESULTS,
      max_age: AGE_MS * NANOS,
    },
    made,
  );
}

function noStorage(
  broker: Broker,
  { pool }: PoolNames,
  { maxQueueBytes }: StreamSettings,
  cause: unknown,
): ConnectionError {
  const bytes = CLASSES.length * maxQueueBytes;
  return new ConnectionError(
    `Agent.start: the broker at ${broker.address} has no room for pool ${pool}, which reserves ${bytes} bytes of its storage, \`maxQueueBytes\` for each of ${CLASSES.length} classes of priority: ${messageOf(cause)}. Pass a smaller \`maxQueueBytes\` than ${maxQueueBytes}, or raise \`max_file_store\` in the server's configuration.`,
    { code: 'MP_BROKER_STORAGE', cause },
  );
}

async function ensureConsumer(broker: Broker, names: PoolNames, name: PriorityClass, lease: number): Promise<void> {
  await broker.streams.consumers.add(names.streamOf(name), {
    durable_name: name,
    ack_policy: 'explicit',
    ack_wait: lease * NANOS,
    // Agents count by themselves: a message that the broker has given up stays in a work queue.
    max_deliver: -1,
    max_ack_pending: -1,
    max_waiting: 512,
  } as Partial<ConsumerConfig> as ConsumerConfig);
}

/** The consumers of all classes, the most urgent first. */
export function consumersOf(names: PoolNames): PulledConsumer<PriorityClass>[] {
  return CLASSES.map((name) => ({
    name,
    stream: names.streamOf(name),
    consumer: name,
    steady: name === 'normal',
  }));
}

/** Whether a pool was ever served by an agent. @throws (rejects) UnsupportedError `MP_WIRE_VERSION`. */
export async function poolExists(broker: Broker, names: PoolNames): Promise<boolean> {
  const config = await configOf(broker, names.streamOf('normal'));
  if (config !== undefined) checkVersion(broker, config);
  return config !== undefined;
}

/** Names of the pools that the broker has. */
export async function poolsOf(broker: Broker): Promise<string[]> {
  const found: string[] = [];
  for await (const name of broker.streams.streams.names())
    if (name.startsWith('MP_T_')) found.push(name.slice('MP_T_'.length));
  return found;
}

/** The lease of a pool in milliseconds; `undefined` when its streams are not there. */
export async function leaseOf(broker: Broker, names: PoolNames): Promise<number | undefined> {
  try {
    const { config } = await broker.streams.consumers.info(names.streamOf('normal'), 'normal');
    return Number(config.ack_wait) / NANOS;
  } catch (error) {
    if (codeOf(error) === NO_STREAM || codeOf(error) === CONSUMER_NOT_FOUND) return undefined;
    throw error;
  }
}

/** Changes the lease of a pool. */
export async function setLease(broker: Broker, names: PoolNames, lease: number): Promise<void> {
  for (const name of CLASSES)
    await broker.streams.consumers.update(names.streamOf(name), name, { ack_wait: lease * NANOS });
}

/** Tasks of all classes, by subject. */
export async function taskCounts(broker: Broker, names: PoolNames): Promise<Readonly<Record<string, number>>> {
  const counts = CLASSES.map((name) => countsOf(broker, names.streamOf(name), names.tasksOfClass(name)));
  return Object.assign({}, ...(await Promise.all(counts))) as Record<string, number>;
}

/** Tasks of all classes that have a subject. */
export async function tasksLeft(broker: Broker, names: PoolNames, filter: string): Promise<number> {
  const counts = await Promise.all(CLASSES.map((name) => countOf(broker, names.streamOf(name), filter)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The record of a durable run, and its number in the stream; `undefined` when there is none. */
export async function runRecordOf(
  broker: Broker,
  names: PoolNames,
  run: string,
): Promise<{ readonly seq: number; readonly data: Uint8Array } | undefined> {
  return lastMessageOf(broker, names.results, names.runRecord(run));
}

/** Ids of the durable runs that the broker has. */
export async function runsOf(broker: Broker, names: PoolNames): Promise<string[]> {
  const records = await countsOf(broker, names.results, names.allRunRecords);
  return Object.keys(records).map((subject) => names.runOf(subject));
}

/** Removes all that is stored of a durable run beside its tasks. */
export async function purgeRun(broker: Broker, names: PoolNames, run: string): Promise<void> {
  const filter = names.resultsOf(run);
  try {
    await broker.streams.streams.purge(names.results, { filter });
  } catch (error) {
    if (codeOf(error) !== NO_STREAM) throw error;
  }
  // What a purge passes over, since the broker does not find it by its subject.
  await removeMatching(broker, names.results, filter);
  await purgeBlobs(broker, names, names.blobsOfDriver(run));
}

/** Removes blobs by their subject. */
export async function purgeBlobs(broker: Broker, names: PoolNames, filter: string): Promise<void> {
  try {
    await broker.streams.streams.purge(names.blobs, { filter });
  } catch (error) {
    if (codeOf(error) !== NO_STREAM) throw error;
  }
}
