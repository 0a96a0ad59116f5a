/**
 * The streams and consumers of one pool. Agents make them; what is there already is used as it is.
 *
 * A server drops options that it does not know without an error: what it says that it has made
 * counts, not what it was asked for.
 */
import type { ConsumerConfig, StreamConfig } from '@nats-io/jetstream';
import { UnsupportedError } from '../../errors/index.js';
import { CLASSES, type PoolNames } from '../wire/subjects.js';
import type { Broker } from './broker.js';

const NANOS = 1e6;
/** Milliseconds within which the broker knows an id again. */
const DUPLICATE_WINDOW_MS = 120_000;
/** Milliseconds that dead letters, and blobs of drivers that are gone, are kept. */
const DEAD_LETTER_AGE_MS = 7 * 86_400_000;
const BLOB_AGE_MS = 86_400_000;
const MAX_DEAD_LETTERS = 100_000;
const MAX_BLOB_BYTES = 2 ** 30;
/** The broker's numbers of errors. */
const STREAM_NOT_FOUND = 10059;
const STREAM_EXISTS = 10058;
const CONSUMER_NOT_FOUND = 10014;

/** What may be chosen about a pool's streams. */
export interface StreamSettings {
  /** Most tasks that wait. */
  readonly maxQueue: number;
  /** Most bytes of tasks that wait. */
  readonly maxQueueBytes: number;
  /** Milliseconds after which a task of a silent agent goes to another. */
  readonly lease: number;
}

/** Makes what is missing of the streams of a pool. */
export async function ensurePool(broker: Broker, names: PoolNames, settings: StreamSettings): Promise<void> {
  const common = { storage: 'file', num_replicas: broker.settings.replicas, duplicate_window: DUPLICATE_WINDOW_MS * NANOS };
  await ensureStream(broker, {
    ...common,
    name: names.tasks,
    subjects: [names.allTasks],
    retention: 'workqueue',
    discard: 'new',
    max_msgs: settings.maxQueue,
    max_bytes: settings.maxQueueBytes,
  } as StreamRequest);
  await ensureStream(broker, {
    ...common,
    name: names.deadLetters,
    subjects: [names.deadLetter],
    retention: 'limits',
    discard: 'old',
    max_msgs: MAX_DEAD_LETTERS,
    max_age: DEAD_LETTER_AGE_MS * NANOS,
  } as StreamRequest);
  await ensureStream(broker, {
    ...common,
    name: names.blobs,
    subjects: [names.allBlobs],
    retention: 'limits',
    discard: 'old',
    max_msgs_per_subject: 1,
    max_bytes: MAX_BLOB_BYTES,
    max_age: BLOB_AGE_MS * NANOS,
    allow_direct: true,
  } as StreamRequest);
  for (const name of CLASSES) {
    await broker.streams.consumers.add(names.tasks, {
      durable_name: name,
      filter_subject: names.tasksOfClass(name),
      ack_policy: 'explicit',
      ack_wait: settings.lease * NANOS,
      // Agents count by themselves: a message that the broker has given up stays in a work queue.
      max_deliver: -1,
      max_ack_pending: -1,
      max_waiting: 512,
    } as Partial<ConsumerConfig> as ConsumerConfig);
  }
}

type StreamRequest = Partial<StreamConfig> & { readonly name: string };

async function ensureStream(broker: Broker, request: StreamRequest): Promise<void> {
  const { streams } = broker.streams;
  const existing = await infoOf(broker, request.name);
  if (existing === undefined) {
    try {
      const { config } = await streams.add(request);
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
  return (await infoOf(broker, names.tasks)) !== undefined;
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
    const { config } = await broker.streams.consumers.info(names.tasks, 'normal');
    return Number(config.ack_wait) / NANOS;
  } catch (error) {
    if (codeOf(error) === STREAM_NOT_FOUND || codeOf(error) === CONSUMER_NOT_FOUND) return undefined;
    throw error;
  }
}

/** Changes the lease of a pool. */
export async function setLease(broker: Broker, names: PoolNames, lease: number): Promise<void> {
  for (const name of CLASSES) await broker.streams.consumers.update(names.tasks, name, { ack_wait: lease * NANOS });
}

/** Messages in a stream, by subject, of those that match `filter`. */
export async function countsOf(broker: Broker, stream: string, filter: string): Promise<Readonly<Record<string, number>>> {
  const { state } = await broker.streams.streams.info(stream, { subjects_filter: filter });
  return state.subjects ?? {};
}

/** Removes the messages of a subject. */
export async function purge(broker: Broker, stream: string, filter: string): Promise<void> {
  try {
    await broker.streams.streams.purge(stream, { filter });
  } catch (error) {
    if (codeOf(error) !== STREAM_NOT_FOUND) throw error;
  }
}

async function infoOf(broker: Broker, stream: string): Promise<StreamConfig | undefined> {
  try {
    return (await broker.streams.streams.info(stream)).config;
  } catch (error) {
    if (codeOf(error) === STREAM_NOT_FOUND) return undefined;
    throw error;
  }
}

function codeOf(error: unknown): number | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'number' ? code : undefined;
}
