/** The durable consumer of a queue: one for all who take from it. */
import type { ConsumerConfig, ConsumerInfo } from '@nats-io/jetstream';
import { type Broker, codeOf, NANOS } from '../broker/index.js';
import type { ChannelNames } from '../wire/index.js';
import { CONSUMER } from './item-consumer.js';

const DEFAULT_LEASE_MS = 5_000;
/** The broker's number of an error. */
const CONSUMER_NOT_FOUND = 10014;

/** Makes the consumer, and gives it this lease where one is asked for. Returns the lease. */
export async function ensureConsumer(broker: Broker, names: ChannelNames, lease: number | undefined): Promise<number> {
  const { consumers } = broker.streams;
  const existing = await infoOf(broker, names);
  if (existing === undefined) {
    await consumers.add(names.stream, {
      durable_name: CONSUMER,
      ack_policy: 'explicit',
      ack_wait: (lease ?? DEFAULT_LEASE_MS) * NANOS,
      max_deliver: -1,
      max_ack_pending: -1,
      max_waiting: 4_096,
    } as Partial<ConsumerConfig> as ConsumerConfig);
    return lease ?? DEFAULT_LEASE_MS;
  }
  const known = Number(existing.config.ack_wait) / NANOS;
  if (lease === undefined || lease === known) return known;
  await consumers.update(names.stream, CONSUMER, { ack_wait: lease * NANOS });
  return lease;
}

export async function infoOf(broker: Broker, names: ChannelNames): Promise<ConsumerInfo | undefined> {
  try {
    return await broker.streams.consumers.info(names.stream, CONSUMER);
  } catch (error) {
    if (codeOf(error) === CONSUMER_NOT_FOUND) return undefined;
    throw error;
  }
}
