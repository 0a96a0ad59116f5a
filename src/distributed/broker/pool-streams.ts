/**
 * The streams and consumers of one pool. Agents make them; what is there already is used as it is.
 *
 * A server drops options that it does not know without an error: what it says that it has made
 * counts, not what it was asked for.
 */
import type { ConsumerConfig, StreamConfig } from '@nats-io/jetstream';
import { ConnectionError, UnsupportedError } from '../../errors/index.js';
import { CLASSES, type PoolNames, type PriorityClass } from '../wire/subjects.js';
import { type Broker, messageOf } from './broker.js';
import { codeOf, NO_STREAM } from './errors.js';

const NANOS = 1e6;
/** Milliseconds within which the broker knows an id again. */
const DUPLICATE_WINDOW_MS = 120_000;
/** Milliseconds that dead letters, and blobs of drivers that are gone, are kept. */
const DEAD_LETTER_AGE_MS = 7 * 86_400_000;
const BLOB_AGE_MS = 86_400_000;
const MAX_DEAD_LETTERS = 100_000;
/** The broker's numbers of errors. */
const STREAM_EXISTS = 10058;
const NO_STORAGE = 10047;
const NO_RESOURCES = 10023;
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
    if (![NO_STORAGE, NO_RESOURCES].includes(codeOf(error) ?? 0)) throw error;
    // Part of a pool would reserve storage that nobody uses.
    for (const stream of made) await broker.streams.streams.delete(stream).catch(() => {});
    throw noStorage(broker, names, settings, error);
  }
  for (const name of CLASSES) await ensureConsumer(broker, names, name, settings.lease);
}

async function ensureStreams(broker: Broker, names: PoolNames, settings: StreamSettings, made: string[]): Promise<void> {
  const common = { storage: 'file', num_replicas: broker.settings.replicas, duplicate_window: DUPLICATE_WINDOW_MS * NANOS };
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
      } as StreamRequest,
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
      max_age: DEAD_LETTER_AGE_MS * NANOS,
    } as StreamRequest,
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
      max_age: BLOB_AGE_MS * NANOS,
      allow_direct: true,
    } as StreamRequest,
    made,
  );
}

function noStorage(broker: Broker, { pool }: PoolNames, { maxQueueBytes }: StreamSettings, cause: unknown): ConnectionError {
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

type StreamRequest = Partial<StreamConfig> & { readonly name: string };

/** @param made Has the names of the streams that were made. */
async function ensureStream(broker: Broker, request: StreamRequest, made: string[]): Promise<void> {
  const { streams } = broker.streams;
  const existing = await infoOf(broker, request.name);
  if (existing === undefined) {
    try {
      const { config } = await streams.add(request);
      made.push(request.name);
      checkMade(broker, request, config);
    } catch (error) {
      // Another agent was faster.
      if (codeOf(error) !== STREAM_EXISTS) throw error;
    }
  }
}

function checkMade(broker: Broker, request: StreamRequest, made: StreamConfig): void {
  for (const key of ['retention', 'discard', 'max_msgs_per_subject', 'allow_direct'] as const) {
    if (request[key] === undefined || request[key] === made[key]) continue;
    throw new UnsupportedError(
      `The broker at ${broker.address}, version ${broker.version}, does not know \`${key}\` of a stream, which many hosts need; use nats-server 2.9 or newer.`,
      { code: 'MP_BROKER_TOO_OLD' },
    );
  }
}

/** Whether a pool was ever served by an agent. */
export async function poolExists(broker: Broker, names: PoolNames): Promise<boolean> {
  return (await infoOf(broker, names.streamOf('normal'))) !== undefined;
}

/** Names of the pools that the broker has. */
export async function poolsOf(broker: Broker): Promise<string[]> {
  const found: string[] = [];
  for await (const name of broker.streams.streams.names()) if (name.startsWith('MP_T_')) found.push(name.slice('MP_T_'.length));
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
  for (const name of CLASSES) await broker.streams.consumers.update(names.streamOf(name), name, { ack_wait: lease * NANOS });
}

/** Messages in a stream, by subject, of those that match `filter`. */
async function countsOf(broker: Broker, stream: string, filter: string): Promise<Readonly<Record<string, number>>> {
  const { state } = await broker.streams.streams.info(stream, { subjects_filter: filter });
  return state.subjects ?? {};
}

/** Tasks of all classes, by subject. */
export async function taskCounts(broker: Broker, names: PoolNames): Promise<Readonly<Record<string, number>>> {
  const counts = CLASSES.map((name) => countsOf(broker, names.streamOf(name), names.tasksOfClass(name)));
  return Object.assign({}, ...(await Promise.all(counts))) as Record<string, number>;
}

/** Removes blobs by their subject. */
export async function purgeBlobs(broker: Broker, names: PoolNames, filter: string): Promise<void> {
  try {
    await broker.streams.streams.purge(names.blobs, { filter });
  } catch (error) {
    if (codeOf(error) !== NO_STREAM) throw error;
  }
}

async function infoOf(broker: Broker, stream: string): Promise<StreamConfig | undefined> {
  try {
    return (await broker.streams.streams.info(stream)).config;
  } catch (error) {
    if (codeOf(error) === NO_STREAM) return undefined;
    throw error;
  }
}
