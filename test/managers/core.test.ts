import { inspect } from 'node:util';
import { getAllStartMethods, type StartMethod } from 'multiprocess';
import { forkserver } from 'multiprocess/forkserver';
import { BaseManager, BaseProxy, type Remote, tokenOf } from 'multiprocess/managers';
import { lastValueFrom, Observable, take, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../support/until.js';

class Counter {
  n = 0;
  readonly label = 'a counter';
  #secret = 42;
  add(by = 1): number {
    this.n += by;
    return this.n;
  }
  get double(): number {
    return 2 * this.n;
  }
  _private(): number {
    return this.#secret;
  }
  async later(ms: number, options?: { signal?: AbortSignal }): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      options?.signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(options.signal!.reason as Error);
      });
    });
    return 'late';
  }
  fail(): never {
    throw Object.assign(new RangeError('no such thing', { cause: new TypeError('inner') }), { extra: { deep: [1] } });
  }
  whoami(): number {
    return process.pid;
  }
  *numbers(n: number): Generator<number> {
    for (let i = 0; i < n; i++) yield i;
  }
  async *slowly(n: number): AsyncGenerator<number> {
    for (let i = 0; i < n; i++) yield i;
  }
  watch(): Observable<number> {
    return new Observable<number>((subscriber) => {
      let i = 0;
      const timer = setInterval(() => subscriber.next(i++), 1);
      return () => {
        clearInterval(timer);
        this.n = -1;
      };
    });
  }
  async apply<T>(fn: (n: number) => T | Promise<T>): Promise<T> {
    return await fn(this.n);
  }
  async options({ on }: { on: (x: string) => unknown }): Promise<unknown> {
    return [await on('a'), await on('b')];
  }
}

class Cell {
  value: unknown = null;
  listeners: ((value: unknown) => unknown)[] = [];
  get(): unknown {
    return this.value;
  }
  set(value: unknown): void {
    this.value = value;
    for (const each of this.listeners) each(value);
  }
  on(fn: (value: unknown) => unknown): void {
    this.listeners.push(fn);
  }
  off(fn: (value: unknown) => unknown): number {
    this.listeners = this.listeners.filter((each) => each !== fn);
    return this.listeners.length;
  }
}

class Jobs extends BaseManager.with({
  Counter,
  Cell: () => new Cell(),
  Shy: { callable: () => new Counter(), exposed: ['add', '_private'] },
  broken: (): Counter => {
    throw new TypeError('cannot be made');
  },
}) {}

let jobs: Jobs;
beforeAll(async () => {
  jobs = new Jobs();
  await jobs.start();
});
afterAll(async () => {
  await forkserver.stop();
  await jobs.shutdown();
  expect(jobs.process!.exitCode).toBe(0);
});

const codeOf = (promise: PromiseLike<unknown>) =>
  promise.then(
    (value) => ['no error', value],
    (error: { code?: unknown }) => error.code,
  );

describe('a proxy', () => {
  test('calls methods in the server, one after the other, many under way', async () => {
    const counter = await jobs.Counter();
    expect(await counter.add(2)).toBe(2);
    expect(await Promise.all(Array.from({ length: 1000 }, () => counter.add()))).toEqual(
      Array.from({ length: 1000 }, (_, i) => i + 3),
    );
    expect(await counter.whoami()).toBe(jobs.process!.pid);
    expect(counter).toBeInstanceOf(BaseProxy);
    expect(`${counter}`).toMatch(/^<Counter proxy of object \d+ at ".*">$/);
    expect(inspect(counter)).toBe(String(counter));
    expect(tokenOf(counter)).toMatchObject({ typeid: 'Counter', address: jobs.address });
  });

  test('has the public properties, as promises', async () => {
    const counter = await jobs.Counter();
    await counter.add(4);
    expect(await counter.n).toBe(4);
    expect(await counter.double).toBe(8);
    expect(await counter.label).toBe('a counter');
  });

  test('a call that waits does not hold up others', async () => {
    const counter = await jobs.Counter();
    const late = counter.later(200);
    expect(await Promise.race([late, counter.add(1)])).toBe(1);
    expect(await late).toBe('late');
  });

  test('gets errors whole: class, fields, cause, and both stacks', async () => {
    const counter = await jobs.Counter();
    async function caller() {
      await counter.fail();
    }
    const failure = () => caller().catch((caught: unknown) => caught as RangeError & { extra: unknown });
    let error = await failure();
    // Callers are captured as often as that is cheap: after a burst of calls, one in some
    // milliseconds.
    const end = Date.now() + 10_000;
    while (!/called from/.test((error as Error).stack!) && Date.now() < end) error = await failure();
    if (!(error instanceof RangeError)) throw new Error('no RangeError');
    expect(error.message).toBe('no such thing');
    expect(error.extra).toEqual({ deep: [1] });
    expect(error.cause).toBeInstanceOf(TypeError);
    expect(error.stack).toMatch(/at .*fail .*core\.test\.ts.*\n {4}--- called from ---\n.*core\.test\.ts/);
  });

  test('of a type with `exposed` has these names and no others', async () => {
    const shy = await jobs.Shy();
    expect(await shy.add(1)).toBe(1);
    expect(await shy.callMethod('_private')).toBe(42);
    expect(await codeOf(shy.callMethod('fail'))).toBe('MP_NOT_EXPOSED');
    expect((shy as unknown as Counter).fail).toBeUndefined();
  });

  test.each([
    '_private',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'valueOf',
    '#secret',
    '',
    'n',
    'then',
  ])('does not reach `%s`', async (name) => {
    const counter = await jobs.Counter();
    expect(await codeOf(counter.callMethod(name))).toBe('MP_NOT_EXPOSED');
  });

  test('getValue gives a copy', async () => {
    const cell = await jobs.Cell();
    await cell.set({ deep: new Map([[1, new Set([2])]]) });
    const copy = (await cell.getValue()) as Cell;
    expect(copy.value).toEqual({ deep: new Map([[1, new Set([2])]]) });
  });

  test('rejects arguments and results that cannot be sent', async () => {
    const cell = await jobs.Cell();
    expect(await codeOf(cell.set(Promise.resolve(1)))).toBe('MP_PROMISE');
    await cell.set(1);
    expect(await cell.get()).toBe(1);
  });

  test('an object that cannot be made is a RemoteError with its cause', async () => {
    const error = await jobs.broken().then(
      () => null,
      (caught: Error) => caught,
    );
    expect(error).toMatchObject({ name: 'RemoteError', code: 'MP_REMOTE', cause: { message: 'cannot be made' } });
    expect(error!.cause).toBeInstanceOf(TypeError);
  });
});

describe('streams', () => {
  test('generators, async generators and Observables arrive as streams, awaited or not', async () => {
    const counter = await jobs.Counter();
    expect(await (await counter.numbers(5)).toArray()).toEqual([0, 1, 2, 3, 4]);
    expect(await counter.slowly(3).toArray()).toEqual([0, 1, 2]);
    const seen: number[] = [];
    for await (const n of counter.slowly(1000)) seen.push(n);
    expect(seen.length).toBe(1000);
    expect(await lastValueFrom((await counter.watch()).pipe(take(3), toArray()))).toEqual([0, 1, 2]);
    await until2(async () => (await counter.n) === -1, 'the end of the subscription in the server');
    expect(await lastValueFrom(counter.watch().pipe(take(2), toArray()))).toEqual([0, 1]);
  });

  test('a stream is not read further than its window', async () => {
    class Sources extends BaseManager.with({
      Source: class {
        given = 0;
        async *endless(): AsyncGenerator<number> {
          for (;;) yield this.given++;
        }
      },
    }) {}
    await using sources = new Sources({ context: 'thread' });
    await sources.start();
    const source = await sources.Source();
    const iterator = source.endless()[Symbol.asyncIterator]();
    for (let i = 0; i < 10; i++) expect(await iterator.next()).toEqual({ value: i, done: false });
    const given = await source.given;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await source.given).toBeLessThanOrEqual(Math.max(given, 300));
    await iterator.return?.();
  });

  test('a second reading of a generator that has ended fails', async () => {
    const counter = await jobs.Counter();
    const stream = await counter.numbers(2);
    await stream.toArray();
    expect(await codeOf(stream.toArray())).toBe('MP_STREAM_CONSUMED');
  });

  test('reading a call whose method returned no stream fails', async () => {
    const counter = await jobs.Counter();
    const call = counter.add(1) as unknown as { toArray(): Promise<unknown> };
    expect(await codeOf(call.toArray())).toBe('MP_NO_STREAM');
  });
});

describe('functions', () => {
  test('are called back in the process that they come from', async () => {
    const counter = await jobs.Counter();
    await counter.add(7);
    const seen: number[] = [];
    const answer = await counter.apply(async (n) => {
      seen.push(n);
      return `${n} here in ${process.pid}`;
    });
    expect(answer).toBe(`7 here in ${process.pid}`);
    expect(seen).toEqual([7]);
    expect(await counter.options({ on: (x) => x.toUpperCase() })).toEqual(['A', 'B']);
    await expect(
      counter.apply(() => {
        throw new RangeError('thrown here');
      }),
    ).rejects.toThrow(RangeError);
  });

  test('the same function arrives as the same one', async () => {
    const cell = await jobs.Cell();
    const seen: unknown[] = [];
    const listener = (value: unknown) => void seen.push(value);
    await cell.on(listener);
    await cell.set(1);
    await until(() => seen.length === 1, 'the call back');
    expect(await cell.off(listener)).toBe(0);
  });
});

describe('calls', () => {
  test('end at their timeout', async () => {
    const counter = await jobs.Counter();
    expect(await codeOf(counter.callMethod('later', [60_000], { timeout: 20 }))).toBe('MP_TIMEOUT');
  });

  test('are cancelled by a signal, in the server too', async () => {
    const counter = await jobs.Counter();
    const gone = new AbortController();
    const reason = new Error('enough');
    const call = counter.callMethod('later', [60_000], { signal: gone.signal });
    setTimeout(() => gone.abort(reason), 10);
    await expect(call).rejects.toBe(reason);
    const other = new AbortController();
    const waits = counter.later(60_000, { signal: other.signal });
    setTimeout(() => other.abort(reason), 10);
    await expect(waits).rejects.toBe(reason);
    expect(await codeOf(counter.callMethod('add', [1], { signal: AbortSignal.abort() }))).toBe(20);
  });

  test('misspelled options are refused', async () => {
    const counter = await jobs.Counter();
    await expect(counter.callMethod('add', [], { timout: 1 } as never)).rejects.toThrow(/did you mean `timeout`/);
  });
});

async function until2(holds: () => Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((done) => setTimeout(done, 2));
  }
}

describe('nested proxies', () => {
  test('are the same object, in the server and here', async () => {
    const inner = await jobs.Counter();
    const outer = await jobs.Cell();
    await outer.set(inner);
    const again = (await outer.get()) as Remote<Counter>;
    expect(again).toBe(inner);
    await outer.set({ list: [inner] });
    const held = (await outer.get()) as { list: [Remote<Counter>] };
    expect(held.list[0]).toBe(inner);
    await inner.add(5);
    expect(await held.list[0].n).toBe(5);
  });

  test('live as long as something refers to them, and are freed then, cycles too', async () => {
    await using own = new Jobs();
    await own.start();
    const outer = await own.Cell();
    const inner = await own.Counter();
    await inner.add(3);
    await outer.set(inner);
    inner[Symbol.dispose]();
    expect(await own.numberOfObjects()).toBe(2);
    const again = (await outer.get()) as Remote<Counter>;
    expect(await again.n).toBe(3);
    again[Symbol.dispose]();
    expect(await own.numberOfObjects()).toBe(2);
    await outer.set(null);
    expect(await own.numberOfObjects()).toBe(1);
    const a = await own.Cell();
    const b = await own.Cell();
    await a.set(b);
    await b.set(a);
    expect(await own.numberOfObjects()).toBe(3);
    a[Symbol.dispose]();
    b[Symbol.dispose]();
    expect(await own.numberOfObjects()).toBe(1);
    expect(await codeOf(b.get())).toBe('MP_CLOSED');
  });
});

describe.each(getAllStartMethods().filter((method) => method !== 'fork'))('a server by %s', (method: StartMethod) => {
  test('serves, and ends', async () => {
    await using own = new Jobs({ context: method });
    await own.start();
    const counter = await own.Counter();
    expect(await counter.add(3)).toBe(3);
    await own.shutdown();
    await own.join();
    expect(own.process!.exitCode).toBe(0);
    expect(await codeOf(counter.add(1))).toBe('MP_MANAGER_LOST');
    expect(await codeOf(own.Counter())).toBe('MP_CLOSED');
  });
});
