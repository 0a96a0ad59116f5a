/**
 * Streams at the broker, as pools, queues and topics make them.
 *
 * A server drops options that it does not know without an error: what it says that it has made
 * counts, not what it was asked for.
 */
import type { StreamConfig } from '@nats-io/jetstream';
import { UnsupportedError } from '../../errors/index.js';
import { debug } from '../../util/logger.js';
import { PROTOCOL, versionOf } from '../wire/subjects.js';
import { type Broker, messageOf } from './broker.js';
import { codeOf, NO_STREAM } from './errors.js';

/** Nanoseconds in a millisecond: the broker's unit. */
export const NANOS = 1e6;
/** Milliseconds within which the broker knows an id again. */
const DUPLICATE_WINDOW_MS = 120_000;
/** The broker's numbers of errors. */
const STREAM_EXISTS = 10058;
const NO_STORAGE = 10047;
const NO_RESOURCES = 10023;

/** What is asked for. */
export type StreamRequest = Partial<StreamConfig> & { readonly name: string };

/** What all streams have in common: they lie on disk, and know ids again. */
export function durable(broker: Broker): Pick<StreamConfig, 'storage' | 'num_replicas' | 'duplicate_window'> {
  return {
    storage: 'file',
    num_replicas: broker.settings.replicas,
    duplicate_window: DUPLICATE_WINDOW_MS * NANOS,
  };
}

/**
 * Makes a stream, unless it is there.
 *
 * @param made Has the names of the streams that were made.
 * @returns as it is.
 * @throws (rejects) UnsupportedError `MP_BROKER_TOO_OLD`, `MP_WIRE_VERSION`; what {@link isWithoutRoom} knows.
 */
export async function ensureStream(broker: Broker, request: StreamRequest, made: string[]): Promise<StreamConfig> {
  const { streams } = broker.streams;
  for (;;) {
    const existing = await configOf(broker, request.name);
    if (existing !== undefined) {
      checkVersion(broker, existing);
      return existing;
    }
    try {
      const { config } = await streams.add(request);
      made.push(request.name);
      checkMade(broker, request, config);
      return config;
    } catch (error) {
      // Somebody else was faster.
      if (codeOf(error) !== STREAM_EXISTS) throw error;
    }
  }
}

/**
 * What another version of this package has made has other subjects: nothing that is said here would be
 * heard there.
 * @throws UnsupportedError `MP_WIRE_VERSION`.
 */
export function checkVersion(broker: Broker, { name, subjects }: StreamConfig): void {
  const theirs = versionOf(subjects);
  if (theirs === PROTOCOL) return;
  const made = theirs === undefined ? 'was not made by this package' : `speaks wire version ${theirs}`;
  throw new UnsupportedError(
    `The stream ${name} at ${broker.address} ${made}; this version of the package speaks wire version ${PROTOCOL}. What is in it is untouched: use the version that made it on all hosts, or another \`name\`.`,
    { code: 'MP_WIRE_VERSION' },
  );
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

/**
 * Takes back streams that were made for nothing. One that somebody uses meanwhile stays: it has a
 * message, or a consumer.
 */
export async function takeBack(broker: Broker, made: readonly string[]): Promise<void> {
  const { streams } = broker.streams;
  for (const stream of made) {
    try {
      const { state } = await streams.info(stream);
      if (state.messages === 0 && state.consumer_count === 0) await streams.delete(stream);
    } catch (error) {
      debug('the stream %s was not taken back: %s', stream, messageOf(error));
    }
  }
}

/** How a stream is; `undefined` when it is not there. */
export async function configOf(broker: Broker, stream: string): Promise<StreamConfig | undefined> {
  try {
    return (await broker.streams.streams.info(stream)).config;
  } catch (error) {
    if (codeOf(error) === NO_STREAM) return undefined;
    throw error;
  }
}

/** Whether the broker has no storage for a stream. */
export function isWithoutRoom(error: unknown): boolean {
  return [NO_STORAGE, NO_RESOURCES].includes(codeOf(error) ?? 0);
}
