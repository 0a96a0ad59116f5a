/** What the types of many hosts promise. Compiled by `npm run check:types`; nothing here runs. */
import { expectTypeOf } from 'vitest';
import {
  type DistributedPool,
  DistributedQueue,
  type DistributedStream,
  DistributedTopic,
} from '../../src/distributed/index.js';

declare const pool: DistributedPool;
declare const half: (x: number) => number;

// Options that calls refuse are not offered: no worker of all hosts has the items of a key.
// @ts-expect-error
void pool.map(half, [1], { key: (x: number) => x });
// @ts-expect-error
pool.mapAsync(half, [1], { key: (x: number) => x });
// @ts-expect-error
pool.imap(half, [1], { key: (x: number) => x });
// @ts-expect-error
pool.imapUnordered(half, [1], { key: (x: number) => x });

// What is offered keeps its types.
expectTypeOf(pool.imap(half, [1], { errors: 'settle', run: 'r', window: 4 })).toEqualTypeOf<
  DistributedStream<PromiseSettledResult<number>>
>();
expectTypeOf(pool.imapUnordered(half, [1], { chunkSize: 2, retries: 3 })).toEqualTypeOf<DistributedStream<number>>();
expectTypeOf(pool.map(half, [1], { errors: 'settle' })).toEqualTypeOf<Promise<PromiseSettledResult<number>[]>>();
pool.mapAsync(half, [1], { callback: (values) => expectTypeOf(values).toEqualTypeOf<number[]>(), run: 'r' });

// What the broker has is not taken back.
const named = { servers: 'nats://localhost:4222', name: 'n' };
void DistributedQueue.connect<number>({ ...named, overflow: { policy: 'drop-newest', onDrop: (item) => item + 1 } });
void DistributedQueue.connect({ ...named, overflow: { policy: 'buffer', capacity: 'unbounded' } });
// @ts-expect-error
void DistributedQueue.connect({ ...named, overflow: { policy: 'drop-oldest' } });
// @ts-expect-error
void DistributedTopic.connect({ ...named, overflow: { policy: 'latest' } });
// @ts-expect-error
void DistributedTopic.connect({ ...named, lag: 'block' });
