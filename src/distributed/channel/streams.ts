/** The two streams of a queue or topic: who connects first makes them. */
import type { StreamConfig } from '@nats-io/jetstream';
import {
  Broker,
  checkVersion,
  configOf,
  durable,
  ensureStream,
  isWithoutRoom,
  type StreamRequest,
  takeBack,
} from '../broker/index.js';
import { type ChannelKind, ChannelNames } from '../wire/index.js';
import { noStorage } from './messages.js';
import type { ChannelSettings } from './options.js';

/** What may be chosen; `undefined`: as it is, or the default where it is new. */
export interface ChannelLimits {
  /** Most items; 0: as many as there is room for. */
  readonly maxSize: number | undefined;
  /** Most bytes of items. */
  readonly capacity: number | undefined;
}

const DEFAULT_CAPACITY_BYTES = 128 * 2 ** 20;

/**
 * Makes what is missing of the streams, and changes what was chosen otherwise.
 * @throws (rejects) ConnectionError `MP_BROKER_STORAGE`; UnsupportedError `MP_WIRE_VERSION`,
 * `MP_BROKER_TOO_OLD`.
 */
export async function ensureChannel(
  actor: string,
  broker: Broker,
  names: ChannelNames,
  retention: Partial<StreamConfig>,
  limits: ChannelLimits,
): Promise<void> {
  const made: string[] = [];
  const wanted = limitsOf(limits);
  try {
    const items = await ensureStream(
      broker,
      {
        ...durable(broker),
        max_msgs: -1,
        max_bytes: DEFAULT_CAPACITY_BYTES,
        ...retention,
        ...wanted,
        name: names.stream,
        subjects: names.itemSubjects,
      },
      made,
    );
    await changeLimits(broker, items, wanted);
    const state: StreamRequest = {
      ...durable(broker),
      name: names.state,
      subjects: names.stateSubjects,
      retention: 'limits',
      discard: 'old',
      max_msgs_per_subject: 1,
      allow_direct: true,
      republish: names.republish,
    };
    await ensureStream(broker, state, made);
  } catch (error) {
    if (!isWithoutRoom(error)) throw error;
    await takeBack(broker, made);
    throw noStorage(names, actor, broker.address, limits.capacity ?? DEFAULT_CAPACITY_BYTES, error);
  }
}

/**
 * Changes how much a stream may have: as far as nothing is lost, where it is to keep what it has. The
 * broker drops the oldest messages of a stream that has more than a new limit.
 */
export async function changeLimits(broker: Broker, stream: StreamConfig, wanted: StreamLimits): Promise<void> {
  const { max_msgs = stream.max_msgs, max_bytes = stream.max_bytes } = wanted;
  if (max_msgs === stream.max_msgs && max_bytes === stream.max_bytes) return;
  const { streams } = broker.streams;
  if (stream.discard === 'new') {
    const { messages, bytes } = (await streams.info(stream.name)).state;
    // Others put meanwhile, so half of it has to be free.
    if (!isRoomy(max_msgs, messages, stream.max_msgs) || !isRoomy(max_bytes, bytes, stream.max_bytes)) return;
  }
  await streams.update(stream.name, { max_msgs, max_bytes });
}

/** Whether a limit is not lower than before, or much higher than what is there. Negative: none. */
function isRoomy(limit: number, there: number, before: number): boolean {
  return limit < 0 || (before >= 0 && limit >= before) || 2 * there <= limit;
}

/** Most messages and bytes of a stream; negative: no limit. */
export interface StreamLimits {
  readonly max_msgs?: number;
  readonly max_bytes?: number;
}

function limitsOf({ maxSize, capacity }: ChannelLimits): StreamLimits {
  return {
    ...(maxSize === undefined ? {} : { max_msgs: maxSize === 0 ? -1 : maxSize }),
    ...(capacity === undefined ? {} : { max_bytes: capacity }),
  };
}

/**
 * Removes all that is there. Returns whether there was something.
 * @throws (rejects) UnsupportedError `MP_WIRE_VERSION` for what is not this version's: nothing is removed.
 */
async function removeChannel(broker: Broker, names: ChannelNames): Promise<boolean> {
  const found: string[] = [];
  for (const stream of [names.stream, names.state]) {
    const config = await configOf(broker, stream);
    if (config === undefined) continue;
    checkVersion(broker, config);
    found.push(stream);
  }
  for (const stream of found) await broker.streams.streams.delete(stream);
  return found.length > 0;
}

/**
 * Removes a queue or topic from the broker. Returns whether there was something.
 * @throws (rejects) what `Broker.connect` throws; UnsupportedError `MP_WIRE_VERSION`.
 */
export async function deleteChannel(actor: string, kind: ChannelKind, settings: ChannelSettings): Promise<boolean> {
  const broker = await Broker.connect(actor, settings.broker, `multiprocess ${kind} ${settings.name}`);
  try {
    return await removeChannel(broker, new ChannelNames(kind, settings.name));
  } finally {
    await broker.close();
  }
}
