/** What the types of queues, topics, locks, operators and codecs promise. Compiled by `npm run check:types`; nothing here runs. */
import { from, type Observable, of } from 'rxjs';
import { expectTypeOf } from 'vitest';
import {
  type AsyncResult,
  type Connection,
  Event,
  fromQueue,
  JoinableQueue,
  Lock,
  type Pool,
  Queue,
  RawArray,
  RawValue,
  RLock,
  RwLock,
  ShareableList,
  SharedArray,
  SharedMap,
  SimpleQueue,
  StateTopic,
  type SyncManager,
  struct,
  type TaskStream,
  Topic,
  task,
  throughQueue,
  toQueue,
  Value,
} from '../../src/index.js';
import type { Remote, RemoteCall } from '../../src/managers/index.js';
import {
  batchPull,
  bounded,
  concatMapPull,
  filterPull,
  mapPull,
  mergeMapPull,
  type RemoteTarget,
  remote,
  takePull,
} from '../../src/operators/index.js';
import { loads } from '../../src/reduction/index.js';
import { copy, synchronized } from '../../src/sharedctypes/index.js';
import { Finalize } from '../../src/util/index.js';

declare const pool: Pool;
declare const maybe: AbortSignal | undefined;
interface Row {
  readonly id: number;
}

// Queues and topics carry one type.
const queue = new Queue<Row>({
  maxSize: 4,
  overflow: { policy: 'drop-oldest', onDrop: (row) => expectTypeOf(row).toEqualTypeOf<Row>() },
});
expectTypeOf(queue.get({ signal: maybe })).resolves.toEqualTypeOf<Row>();
expectTypeOf(queue.consume({ ack: 'manual', prefetch: undefined })).toEqualTypeOf<TaskStream<Row>>();
queue.subscribe((row) => expectTypeOf(row).toEqualTypeOf<Row>());
// @ts-expect-error no row
queue.putNowait({ name: 'x' });
expectTypeOf(new JoinableQueue<Row>().join({ timeout: 1 })).resolves.toEqualTypeOf<boolean>();
expectTypeOf(new SimpleQueue<Row>().get()).resolves.toEqualTypeOf<Row>();
expectTypeOf(new StateTopic<number>(1).getValue()).toEqualTypeOf<number>();
const topic = new Topic<Row>({ lag: 'latest' });
expectTypeOf(topic.stream()).toEqualTypeOf<TaskStream<Row>>();
// @ts-expect-error no row
topic.tryPublish(1);
async function iterate(): Promise<void> {
  for await (const row of queue) expectTypeOf(row).toEqualTypeOf<Row>();
  for await (const row of topic) expectTypeOf(row).toEqualTypeOf<Row>();
  for await (const row of pool.imap((id: number): Row => ({ id }), [1])) expectTypeOf(row).toEqualTypeOf<Row>();
  const { value, done } = await queue[Symbol.asyncIterator]().next();
  if (done !== true) expectTypeOf(value).toEqualTypeOf<Row>();
}
void iterate;

// Operators
expectTypeOf(of({ id: 1 }).pipe(throughQueue(queue))).toEqualTypeOf<Observable<Row>>();
expectTypeOf(of({ id: 1 }).pipe(toQueue(queue))).toEqualTypeOf<Observable<never>>();
expectTypeOf(fromQueue(queue)).toEqualTypeOf<TaskStream<Row>>();
expectTypeOf(from([1]).pipe(mapPull(async (n) => String(n)))).toEqualTypeOf<Observable<string>>();
expectTypeOf(from([1]).pipe(filterPull((n) => n > 0))).toEqualTypeOf<Observable<number>>();
expectTypeOf(from([1]).pipe(takePull(1), batchPull(2))).toEqualTypeOf<Observable<number[]>>();
expectTypeOf(from([1]).pipe(concatMapPull((n) => [String(n)]))).toEqualTypeOf<Observable<string>>();
expectTypeOf(from([1]).pipe(mergeMapPull((n) => of({ id: n }), { concurrency: undefined }))).toEqualTypeOf<
  Observable<{ id: number }>
>();
expectTypeOf(from([1]).pipe(bounded({ policy: 'latest' }))).toEqualTypeOf<Observable<number>>();
expectTypeOf(remote(pool, (n: number) => [n, n], [1])).toEqualTypeOf<TaskStream<number>>();
// @ts-expect-error a string where a number is wanted
remote(pool, (n: number) => [n, n], ['1']);
// one type given by hand: the items'
const repeat = function* (n: number) {
  yield n;
};
expectTypeOf(remote<number>(pool, repeat, [3])).toEqualTypeOf<TaskStream<number>>();
expectTypeOf(remote<number>(pool, new URL('file:///m.js'), [3])).toEqualTypeOf<TaskStream<number>>();
expectTypeOf(remote(pool, new URL('file:///m.js'), [3])).toEqualTypeOf<TaskStream<unknown>>();
declare const either: RemoteTarget<number>;
expectTypeOf(remote<number>(pool, either, [3])).toEqualTypeOf<TaskStream<number>>();
// @ts-expect-error it gives numbers
remote<string>(pool, repeat, [3]);

// Streams
const stream = pool.imap((n: number) => String(n), [1]);
expectTypeOf(stream).toExtend<Observable<string>>();
expectTypeOf(stream).toExtend<AsyncIterable<string>>();
expectTypeOf(stream.toArray()).resolves.toEqualTypeOf<string[]>();
expectTypeOf(stream.enumerate()).toEqualTypeOf<TaskStream<readonly [index: number, value: string]>>();
void stream.forEachAsync((text) => expectTypeOf(text).toEqualTypeOf<string>());
// @ts-expect-error a stream is no promise
void stream.then;

// Results
declare const result: AsyncResult<number>;
expectTypeOf(result.get({ timeout: 1 })).resolves.toEqualTypeOf<number>();
expectTypeOf(result.then(String)).resolves.toEqualTypeOf<string>();
expectTypeOf(from(result)).toEqualTypeOf<Observable<number>>();

// Explicit captures
const scaled = task({ factor: 3 }, ({ factor }, x: number) => x * factor);
expectTypeOf(pool.apply(scaled, [1])).resolves.toEqualTypeOf<number>();
expectTypeOf(pool.map(scaled, [1])).resolves.toEqualTypeOf<number[]>();
// @ts-expect-error a string where a number is wanted
void pool.apply(scaled, ['1']);

// Shared values
const Point = struct({ x: 'f64', name: 'c', big: 'i64', ok: 'bool' });
const point = new Value(Point, { x: 1 });
expectTypeOf(point.value.x).toEqualTypeOf<number>();
expectTypeOf(point.value.big).toEqualTypeOf<bigint>();
expectTypeOf(point.value.ok).toEqualTypeOf<boolean>();
expectTypeOf(new RawArray(Point, 2).get(0).name).toEqualTypeOf<string>();
expectTypeOf(new Value('q', 1).value).toEqualTypeOf<bigint>();
// @ts-expect-error no such field
new Value(Point, { z: 1 });
// @ts-expect-error no such type
new RawValue('x');
expectTypeOf(synchronized(new RawValue('i', 1))).toEqualTypeOf<Value<'i'>>();
expectTypeOf(copy(new SharedArray('u8', 1))).toEqualTypeOf<SharedArray<'u8'>>();
expectTypeOf(new ShareableList([1, 2]).get(0)).toExtend<unknown>();

// Locks
expectTypeOf(new Lock().runExclusive(() => 1)).resolves.toEqualTypeOf<number>();
expectTypeOf(new RLock().runExclusive(async () => 'x', { timeout: 1 })).resolves.toEqualTypeOf<string>();
expectTypeOf(new Event().asObservable()).toEqualTypeOf<Observable<boolean>>();

// The rest
expectTypeOf(loads(new Uint8Array())).toEqualTypeOf<unknown>();
new Finalize(null, (a: number, b: string) => [a, b], { args: [1, 'x'], exitPriority: 1 });
// @ts-expect-error a number where a string is wanted
new Finalize(null, (a: number, b: string) => [a, b], { args: [1, 2], exitPriority: 1 });

// A lock of readers and writers gives what releases it, or what ran within it.
const rwLock = new RwLock();
expectTypeOf(rwLock.read({ timeout: 1, signal: maybe })).resolves.toEqualTypeOf<Disposable>();
expectTypeOf(rwLock.tryWrite()).toEqualTypeOf<Disposable | null>();
expectTypeOf(rwLock.runRead(async () => 1)).resolves.toEqualTypeOf<number>();

// A shared map has a type of keys and one of values.
const rows = new SharedMap<number, Row>({ capacity: 10 });
expectTypeOf(rows.get(1)).toEqualTypeOf<Row | undefined>();
expectTypeOf(rows.update(1, (row, key) => ({ id: (row?.id ?? 0) + key }))).resolves.toEqualTypeOf<Row>();
expectTypeOf([...rows]).toEqualTypeOf<[number, Row][]>();
expectTypeOf([...rows.keys()]).toEqualTypeOf<number[]>();
// @ts-expect-error no row
rows.set(1, { name: 'x' });
// @ts-expect-error no key
rows.get('1');
// @ts-expect-error no capacity
new SharedMap();

// What a server gives back is the shared thing, and a stream is a stream.
class Office {
  declare readonly jobs: Queue<Row>;
  declare readonly line: () => Connection<Row, string>;
  declare readonly queue: () => Queue<Row>;
  declare readonly joinable: () => Promise<JoinableQueue<Row>>;
  declare readonly topic: () => Topic<Row>;
  declare readonly state: () => StateTopic<Row> | undefined;
  declare readonly items: () => Observable<Row>;
}
declare const office: Remote<Office>;
expectTypeOf(office.jobs).toEqualTypeOf<Promise<Queue<Row>>>();
expectTypeOf(office.line()).toEqualTypeOf<RemoteCall<Connection<Row, string>>>();
expectTypeOf(office.queue()).toEqualTypeOf<RemoteCall<Queue<Row>>>();
expectTypeOf(office.joinable()).toEqualTypeOf<RemoteCall<JoinableQueue<Row>>>();
expectTypeOf(office.topic()).toEqualTypeOf<RemoteCall<Topic<Row>>>();
expectTypeOf(office.state()).toEqualTypeOf<RemoteCall<StateTopic<Row> | undefined>>();
expectTypeOf(office.items()).toEqualTypeOf<RemoteCall<TaskStream<Row>>>();
expectTypeOf(office.items().toArray()).resolves.toEqualTypeOf<Row[]>();
expectTypeOf(office.queue().toArray()).resolves.toEqualTypeOf<never[]>();
declare const server: SyncManager;
const queues = await server.list<Queue<Row>>();
expectTypeOf(queues.get(0)).toEqualTypeOf<RemoteCall<Queue<Row>>>();
expectTypeOf(queues.pop()).toEqualTypeOf<RemoteCall<Queue<Row>>>();
const topics = await server.dict<string, Topic<Row>>();
expectTypeOf(topics.get('x')).toEqualTypeOf<RemoteCall<Topic<Row> | undefined>>();
expectTypeOf(topics.pop('x')).toEqualTypeOf<RemoteCall<Topic<Row>>>();
