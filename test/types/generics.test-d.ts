/** What the types of the public generics promise. Compiled by `npm run check:types`; nothing here runs. */
import type { Observable } from 'rxjs';
import { of } from 'rxjs';
import { expectTypeOf } from 'vitest';
import type { ForkPool, ForkServerPool, SpawnPool, SpawnProcess } from '../../src/context/index.js';
import {
  type AsyncResult,
  type Connection,
  currentTask,
  getContext,
  Pool,
  type PoolOptions,
  Process,
  pipe,
  poolMap,
  type RawArray,
  type RawValue,
  SharedArray,
  type StreamOptions,
  type TaskStream,
  ThreadPool,
  type ThreadPoolOptions,
  Value,
} from '../../src/index.js';
import type { PoolProxy } from '../../src/managers/index.js';

declare const pool: Pool;
declare const maybe: AbortSignal | undefined;

// apply: each parameter has the type of its own argument.
expectTypeOf(
  pool.apply(
    (a, b) => {
      expectTypeOf(a).toEqualTypeOf<number>();
      expectTypeOf(b).toEqualTypeOf<string>();
      return a + b.length;
    },
    [1, 'x'],
  ),
).toEqualTypeOf<Promise<number>>();
expectTypeOf(pool.apply(() => 'plain')).toEqualTypeOf<Promise<string>>();
expectTypeOf(pool.apply(async () => 'plain')).toEqualTypeOf<Promise<string>>();
expectTypeOf(pool.apply(async (n: number) => n, [1], { timeout: 10 })).toEqualTypeOf<Promise<number>>();
expectTypeOf(pool.apply((n?: number) => n ?? 0)).toEqualTypeOf<Promise<number>>();
expectTypeOf(pool.apply((n?: number) => n ?? 0, [1])).toEqualTypeOf<Promise<number>>();
expectTypeOf(pool.apply(Math.max, [1, 2, 3])).toEqualTypeOf<Promise<number>>();
expectTypeOf(pool.apply((...all: number[]) => all.length, [1, 2, 3] as readonly number[])).toEqualTypeOf<
  Promise<number>
>();
expectTypeOf(pool.apply((mode: 'r' | 'w') => mode, ['r'])).toEqualTypeOf<Promise<'r' | 'w'>>();
expectTypeOf(pool.apply(new URL('file:///m.js'), [1, 2])).toEqualTypeOf<Promise<unknown>>();
expectTypeOf(pool.apply<[number], string>((n) => String(n), [1])).toEqualTypeOf<Promise<string>>();
// @ts-expect-error its argument is missing
void pool.apply((n: number) => n);
// @ts-expect-error one argument is missing
void pool.apply((n: number, s: string) => s + n, [1]);
// @ts-expect-error a string where a number is wanted
void pool.apply((n: number) => n, ['1']);
// @ts-expect-error one argument too many
void pool.apply((n: number) => n, [1, 2]);

// applyAsync, with what the task reports
expectTypeOf(pool.applyAsync((a, b) => a + b.length, [1, 'x'])).toEqualTypeOf<AsyncResult<number>>();
expectTypeOf(pool.applyAsync(() => 1)).toEqualTypeOf<AsyncResult<number>>();
pool.applyAsync((n: number) => n, [1], { callback: (value) => expectTypeOf(value).toEqualTypeOf<number>() });
expectTypeOf(pool.applyAsync<number, { percent: number }>(() => 1).progress).toExtend<
  Observable<{ readonly report?: { percent: number } }>
>();
// @ts-expect-error its argument is missing
void pool.applyAsync((n: number) => n);
currentTask<{ percent: number }>()?.report({ percent: 1 });
// @ts-expect-error not what it said it would report
currentTask<{ percent: number }>()?.report({ per: 1 });

// maps
expectTypeOf(pool.map((n) => n * 2, [1, 2])).toEqualTypeOf<Promise<number[]>>();
expectTypeOf(pool.starmap((a: number, b: string) => b + a, [[1, 'x']])).toEqualTypeOf<Promise<string[]>>();
expectTypeOf(pool.mapAsync((n: number) => String(n), [1])).toEqualTypeOf<AsyncResult<string[]>>();
// @ts-expect-error a string among the items
void pool.map((n: number) => n, ['a']);

// streams: `errors` decides what is emitted, also where the options come from a variable
const settle = { errors: 'settle' } as const;
const skip = { errors: 'skip', window: 4 } as const;
declare const some: StreamOptions<number>;
type Settled = PromiseSettledResult<number>;
expectTypeOf(pool.imap((n) => n, [1])).toEqualTypeOf<TaskStream<number>>();
expectTypeOf(pool.imap((n) => n, [1], { window: 4, signal: maybe })).toEqualTypeOf<TaskStream<number>>();
expectTypeOf(pool.imap((n) => n, [1], { errors: 'settle' })).toEqualTypeOf<TaskStream<Settled>>();
expectTypeOf(pool.imap((n) => n, [1], settle)).toEqualTypeOf<TaskStream<Settled>>();
expectTypeOf(pool.imap((n) => n, [1], skip)).toEqualTypeOf<TaskStream<number>>();
expectTypeOf(pool.imap((n: number) => n, [1], some)).toEqualTypeOf<TaskStream<number | Settled>>();
expectTypeOf(pool.imapUnordered((n: number) => n, [1], some)).toEqualTypeOf<TaskStream<number | Settled>>();
expectTypeOf(pool.imapUnordered((n) => n, [1], settle)).toEqualTypeOf<TaskStream<Settled>>();
expectTypeOf(of(1).pipe(poolMap(pool, (n: number) => n))).toEqualTypeOf<Observable<number>>();
expectTypeOf(of(1).pipe(poolMap(pool, (n: number) => n, { errors: 'settle' }))).toEqualTypeOf<Observable<Settled>>();
expectTypeOf(of(1).pipe(poolMap(pool, (n: number) => n, settle))).toEqualTypeOf<Observable<Settled>>();
expectTypeOf(of(1).pipe(poolMap(pool, (n: number) => n, some))).toEqualTypeOf<Observable<number | Settled>>();

// the same of a manager's pool
declare const remote: PoolProxy;
expectTypeOf(remote.map((n) => n * 2, [1, 2])).toEqualTypeOf<Promise<number[]>>();
expectTypeOf(remote.map((n) => n, [1], settle)).toEqualTypeOf<Promise<Settled[]>>();
expectTypeOf(remote.mapAsync((n: number) => String(n), [1])).toEqualTypeOf<AsyncResult<string[]>>();
expectTypeOf(remote.mapAsync((n: number) => n, [1], settle)).toEqualTypeOf<AsyncResult<Settled[]>>();
expectTypeOf(remote.starmap((a: number, b: string) => b + a, [[1, 'x']])).toEqualTypeOf<Promise<string[]>>();
expectTypeOf(remote.starmap((a: number) => a, [[1]], settle)).toEqualTypeOf<Promise<Settled[]>>();
expectTypeOf(remote.imap((n) => n, [1], skip)).toEqualTypeOf<TaskStream<number>>();
expectTypeOf(remote.imap((n) => n, [1], settle)).toEqualTypeOf<TaskStream<Settled>>();
expectTypeOf(remote.imapUnordered((n: number) => n, [1], some)).toEqualTypeOf<TaskStream<number | Settled>>();

// initArgs fit the initializer, in every class of pool
new Pool();
new Pool({ initializer: () => {} });
new Pool({ initializer: (_a: string, _b: number) => {}, initArgs: ['x', 1] });
new ThreadPool({ initializer: (_a: string) => {}, initArgs: ['x'] });
new (getContext('spawn').Pool)({ initializer: (_a: string) => {}, initArgs: ['x'] });
// @ts-expect-error a number where a string is wanted
new Pool({ initializer: (_a: string) => {}, initArgs: [1] });
// @ts-expect-error initArgs are missing
new Pool({ initializer: (_a: string) => {} });
// @ts-expect-error initArgs are missing
new ThreadPool({ initializer: (_a: string) => {} });
// @ts-expect-error a number where a string is wanted
new (getContext('thread').Pool)({ initializer: (_a: string) => {}, initArgs: [1] });
expectTypeOf(new Pool({ initializer: (_a: string) => {}, initArgs: ['x'] })).toExtend<Pool>();

// What a class of pools is made with can be named: it may be left out, and needs no initArgs.
type Made<C extends abstract new (...args: never) => unknown> = ConstructorParameters<C>[0];
const sizes = { processes: 2, maxTasksPerChild: 10 };
expectTypeOf<Made<typeof Pool>>().toEqualTypeOf<PoolOptions<[]> | undefined>();
expectTypeOf<Made<typeof ThreadPool>>().toEqualTypeOf<ThreadPoolOptions<[]> | undefined>();
expectTypeOf<typeof sizes>().toExtend<Made<typeof SpawnPool>>();
expectTypeOf<typeof sizes>().toExtend<Made<typeof ForkServerPool>>();
expectTypeOf<typeof sizes>().toExtend<Made<typeof ForkPool>>();
expectTypeOf<{ daemon: true }>().toExtend<ConstructorParameters<typeof Process>[1]>();
expectTypeOf<{ daemon: true }>().toExtend<ConstructorParameters<typeof SpawnProcess>[1]>();
expectTypeOf(new Pool(sizes)).toEqualTypeOf<Pool>();

// Process
new Process((a, b) => a.toFixed() + b.length, { args: [1, 'x'] });
new Process(() => {}, { daemon: true });
new Process((_n?: number) => {});
new Process(new URL('file:///m.js'), { args: [1] });
new (getContext('forkserver').Process)((_n: number) => {}, { args: [1] });
// @ts-expect-error its argument is missing
new Process((n: number) => n);
// @ts-expect-error a string where a number is wanted
new Process((n: number) => n, { args: ['1'] });
// @ts-expect-error its argument is missing
new (getContext('spawn').Process)((n: number) => n);
class Named extends Process {
  constructor(readonly more: number) {
    super(undefined, { name: 'named' });
  }
  override run(): void {}
}
expectTypeOf(new Named(1)).toExtend<Process>();

// Without a lock there is no wrapper.
expectTypeOf(new Value('d', 1)).toEqualTypeOf<Value<'d'>>();
expectTypeOf(new Value('d', 1, { lock: true })).toEqualTypeOf<Value<'d'>>();
expectTypeOf(new Value('d', 1, { lock: false })).toEqualTypeOf<RawValue<'d'>>();
expectTypeOf(new SharedArray('f64', 4, { lock: false })).toEqualTypeOf<RawArray<'f64'>>();
expectTypeOf(new SharedArray('f64', [1, 2])).toEqualTypeOf<SharedArray<'f64'>>();
declare const lock: boolean;
expectTypeOf(new Value('d', 1, { lock })).toEqualTypeOf<Value<'d'> | RawValue<'d'>>();
// @ts-expect-error a raw value has no lock to change it under
void new Value('d', 1, { lock: false }).update;
expectTypeOf(new SharedArray('f64', 4).array).toEqualTypeOf<Float64Array<ArrayBuffer>>();
expectTypeOf(new SharedArray('i64', 4).array).toEqualTypeOf<BigInt64Array<ArrayBuffer>>();
declare const thing: unknown;
if (thing instanceof Value) expectTypeOf(thing.getObj()).toExtend<RawValue>();

// Pipes: one type for both directions, or one each
expectTypeOf(pipe<string>()).toEqualTypeOf<[Connection<string>, Connection<string>]>();
const [ours, theirs] = pipe<{ answer: number }, { question: string }>();
void ours.send({ question: 'q' });
expectTypeOf(theirs.recv()).resolves.toEqualTypeOf<{ question: string }>();
expectTypeOf(ours.recv()).resolves.toEqualTypeOf<{ answer: number }>();
// @ts-expect-error the first end receives answers
void ours.send({ answer: 1 });

// An option that may be undefined can be passed on.
void pool.apply(() => 1, [], { signal: maybe, timeout: undefined });
void new Process(() => {}).join({ signal: maybe });
new Pool({ processes: undefined, context: undefined, execArgv: undefined });
