/** `share`: encoded once, decoded once in each process, copy on write, and gone with its last user. */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import {
  ClosedError,
  getAllStartMethods,
  JoinableQueue,
  Lock,
  manager,
  Pool,
  Process,
  pipe,
  Queue,
  Shared,
  SharedArray,
  share,
  Topic,
  Value,
} from 'multiprocess';
import { forkserver } from 'multiprocess/forkserver';
import { dumps, loads } from 'multiprocess/reduction';
import { share as fromSubpath } from 'multiprocess/share';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFixture } from '../support/fixture-process.js';
import { itNeeds } from '../support/needs.js';
import { until } from '../support/until.js';

const KIB_64 = 1 << 16;
const methods = getAllStartMethods();

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 1 });
});
afterAll(async () => {
  await pool.terminate();
  await forkserver.stop();
});

/** Called in workers too: handles that were sent or awaited end now, not after 30 s, and garbage is collected. */
function collect(): void {
  for (const end of (globalThis as Record<symbol, (() => void)[] | undefined>)[
    Symbol.for('multiprocess.endTransits')
  ] ?? [])
    end();
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
  (process.getBuiltinModule('node:vm').runInNewContext('gc') as () => void)();
}

/** A value that counts where it is decoded. */
class Counted {
  [Symbol.for('multiprocess.reduce')]() {
    return [
      () => {
        const world = globalThis as { decodes?: number };
        world.decodes = (world.decodes ?? 0) + 1;
        return 'decoded';
      },
      [],
    ];
  }
}
const decodes = (): number => (globalThis as { decodes?: number }).decodes ?? 0;

describe('share', () => {
  it('gives a copy of the value as it was, and the same copy each time', () => {
    const value = { rows: [{ id: 1 }, { id: 2 }], at: new Date(5), map: new Map([['a', [1]]]) };
    using shared = share(value);
    value.rows[0]!.id = 9;
    expect(shared.value).toEqual({ rows: [{ id: 1 }, { id: 2 }], at: new Date(5), map: new Map([['a', [1]]]) });
    expect(shared.value).toBe(shared.value);
    expect(shared.value).not.toBe(value);
  });

  it('takes primitives, functions, classes and their instances', () => {
    class Point {
      constructor(readonly x: number) {}
      twice() {
        return this.x * 2;
      }
    }
    using shared = share({ fn: (x: number) => new Point(x).twice(), point: new Point(4), Point });
    expect(shared.value.fn(3)).toBe(6);
    expect(shared.value.point.twice()).toBe(8);
    expect(shared.value.point).toBeInstanceOf(shared.value.Point);
    for (const each of [0, -0, 'text', null, undefined, 12n, true, Symbol.for('name'), '']) {
      using primitive = share(each);
      expect(primitive.value).toBe(each);
    }
  });

  it('encodes once, lazily decodes once in a process, also after collections and by new handles', async () => {
    using shared = share(new Counted());
    const before = await pool.apply(decodes);
    const read = () => {
      const { value } = shared;
      collect();
      return value;
    };
    await pool.apply((_: unknown) => collect(), [shared]);
    expect(await pool.apply(decodes)).toBe(before);
    for (let i = 0; i < 5; i++) {
      expect(await pool.apply(read)).toBe('decoded');
      await pool.apply(collect);
    }
    expect(await pool.apply(decodes)).toBe(before + 1);
  });

  it('is one object in a process, as are its values', async () => {
    using shared = share({ n: [1] });
    expect(loads(dumps(shared))).toBe(shared);
    const same = await pool.apply(
      (a: Shared<{ n: number[] }>, b: { c: unknown }) => a === b.c && a.value.n === shared.value.n,
      [shared, { c: shared }],
    );
    expect(same).toBe(true);
    expect(await pool.apply((each: unknown) => each, [shared])).toBe(shared);
  });

  it('comes from workers too, and outlives them', async () => {
    const one = new Pool({ processes: 1 });
    const made = await one.apply(() => share({ table: new Float64Array(KIB_64).fill(3), text: 'x' }));
    await one.terminate();
    expect(made).toBeInstanceOf(Shared);
    expect(made.value.text).toBe('x');
    expect(made.value.table.every((each) => each === 3)).toBe(true);
    made.close();
  });

  it('is under `multiprocess/share` as well', () => {
    expect(fromSubpath).toBe(share);
  });
});

describe('large memory in a shared value', () => {
  it('is mapped copy on write: who writes changes nobody else', async () => {
    const doubles = new Float64Array(KIB_64).map((_, i) => i);
    using shared = share({ doubles, bytes: Buffer.alloc(2 * KIB_64, 7) });
    doubles.fill(-1);
    const write = () => {
      const { doubles: mine, bytes } = shared.value;
      const seen = [mine[0], mine.at(-1), bytes[9]];
      mine.fill(5);
      bytes.fill(5);
      return [...seen, mine[100], bytes[100]];
    };
    const two = new Pool({ processes: 2 });
    // A value stays what a task of the same process made of it.
    const [first] = await Promise.all([two.apply(write), pool.apply(write)]);
    expect(first).toEqual([0, KIB_64 - 1, 7, 5, 5]);
    expect(shared.value.doubles[100]).toBe(100);
    expect(shared.value.bytes[100]).toBe(7);
    shared.value.doubles.fill(8);
    shared.value.bytes.fill(8);
    expect(await pool.apply(() => [shared.value.doubles[3], shared.value.bytes[3]])).toEqual([5, 5]);
    const fresh = new Pool({ processes: 1 });
    expect(await fresh.apply(() => [shared.value.doubles[3], shared.value.bytes[3]])).toEqual([3, 7]);
    await Promise.all([two.terminate(), fresh.terminate()]);
  });

  it('has ArrayBuffers of its own, which views share as before', () => {
    const memory = new ArrayBuffer(4 * KIB_64);
    new Uint8Array(memory).fill(1);
    const alone = new Uint32Array(KIB_64).fill(2);
    using shared = share({
      whole: new Uint8Array(memory),
      part: new Float32Array(memory, 8, 4),
      memory,
      alone,
      view: new DataView(memory, 16),
    });
    const { whole, part, memory: buffer, alone: other, view } = shared.value;
    expect(whole.buffer).toBe(buffer);
    expect(part.buffer).toBe(buffer);
    expect(view.buffer).toBe(buffer);
    expect([buffer.byteLength, part.byteOffset, part.length, view.byteOffset]).toEqual([4 * KIB_64, 8, 4, 16]);
    expect(other.buffer.byteLength).toBe(4 * KIB_64);
    whole[16] = 77;
    expect(view.getUint8(0)).toBe(77);
    expect(other.every((each) => each === 2)).toBe(true);
  });

  it('of every size around a page and the threshold arrives', () => {
    const sizes = [0, 1, 4095, 4096, 4097, KIB_64 - 1, KIB_64, KIB_64 + 1, KIB_64 + 4096, 1_000_003];
    const arrays = sizes.map((size) => new Uint8Array(size).map((_, i) => i * 31 + size));
    using shared = share(arrays);
    expect(
      shared.value.map((each) => Buffer.from(each).equals(Buffer.from(arrays[sizes.indexOf(each.length)]!))),
    ).toEqual(sizes.map(() => true));
  });

  it('can be sent on as what it is: a copy of its bytes, no more', async () => {
    using shared = share({ a: new Uint8Array(KIB_64).fill(1), b: new Uint8Array(64 * KIB_64) });
    expect(dumps(shared.value.a).length).toBeLessThan(KIB_64 + 100);
    expect(await pool.apply((a: Uint8Array) => a.reduce((sum, each) => sum + each, 0), [shared.value.a])).toBe(KIB_64);
  });

  it('is there for who holds it after the value was disposed of', () => {
    let array: Float64Array;
    {
      using shared = share(new Float64Array(KIB_64).fill(4));
      array = shared.value;
    }
    for (let i = 0; i < 20; i++) share(new Float64Array(KIB_64).fill(i)).close();
    collect();
    expect(array.every((each) => each === 4)).toBe(true);
    array.fill(1);
    expect(array[KIB_64 - 1]).toBe(1);
  });
});

describe('what was encoded', () => {
  const gone = async (value: WeakRef<object>): Promise<void> => {
    await until(() => {
      collect();
      return value.deref() === undefined;
    }, 'the end of what was encoded');
  };
  const used = async (use: (value: Uint8Array) => unknown): Promise<WeakRef<object>> => {
    const value = new Uint8Array(4 * KIB_64);
    await use(value);
    return new WeakRef(value.buffer);
  };

  it.each<[string, (value: Uint8Array) => unknown]>([
    ['share', (value) => share({ value }).close()],
    ['dumps', (value) => dumps([value])],
    ['an argument', (value) => pool.apply((each: Uint8Array) => each.length, [value])],
    [
      'arguments that wait',
      (value) =>
        pool.map(
          (each: Uint8Array) => each.length,
          Array.from({ length: 20 }, () => value),
        ),
    ],
    ['a captured variable', (value) => pool.apply(() => value.length)],
  ])('by %s is not held', async (_, use) => {
    await gone(await used(use));
  });
});

describe('shareable objects in a shared value', () => {
  it('stay the same objects', async () => {
    const lock = new Lock();
    const count = new Value('i', 0);
    const cells = new SharedArray('f64', 4);
    const inner = share([1, 2, 3]);
    using shared = share({ lock, count, view: cells.array, inner, again: [lock] });
    expect(shared.value.lock).toBe(lock);
    expect(shared.value.again[0]).toBe(lock);
    expect(shared.value.inner).toBe(inner);
    const held = await lock.hold();
    const seen = await pool.apply(() => {
      const { lock: theirs, count: value, view, inner: list } = shared.value;
      value.value = 5;
      view[2] = 2.5;
      return [theirs.locked(), theirs.tryAcquire(), list.value];
    });
    held[Symbol.dispose]();
    expect(seen).toEqual([true, false, [1, 2, 3]]);
    expect(count.value).toBe(5);
    expect(cells.array[2]).toBe(2.5);
    inner.close();
  });

  it('are kept by it when their maker has dropped them', async () => {
    const shared = share({ queue: new Queue<number>(), lock: new Lock() });
    shared.value.queue.putSync(4);
    collect();
    expect(await pool.apply(() => shared.value.queue.getSync({ timeout: 10_000 }))).toBe(4);
    shared.value.queue.close();
    shared.close();
  });

  it('nest: a shared value of a shared value', () => {
    using inner = share('deep');
    using outer = share(inner);
    expect(outer.value).toBe(inner);
  });
});

describe('a shared value travels', () => {
  const table = Array.from({ length: 100 }, (_, id) => ({ id }));

  it.each(methods.filter((method) => method !== 'fork'))(
    'to a process by %s, as argument and captured',
    async (context) => {
      using shared = share({ table, doubles: new Float64Array(KIB_64).fill(2) });
      const results = new Queue<unknown>();
      const child = new Process(
        (given: typeof shared, queue: typeof results) => {
          given.value.doubles[0] = 9;
          queue.putSync([
            given === shared,
            shared.value.table[7]!.id,
            shared.value.doubles[0],
            shared.value.doubles[1],
          ]);
        },
        { args: [shared, results], context },
      );
      await child.start();
      expect(await results.get()).toEqual([true, 7, 9, 2]);
      await child.join();
      expect(child.exitCode).toBe(0);
      expect(shared.value.doubles[0]).toBe(2);
      results.close();
      await child[Symbol.asyncDispose]();
    },
  );

  it.each(methods)('to a pool by %s', async (context) => {
    if (context === 'fork') return;
    using shared = share(table);
    const own = new Pool({ processes: 1, context });
    expect(await own.map((id: number) => shared.value[id]!.id, [3, 99])).toEqual([3, 99]);
    await own.terminate();
  });

  it('through queues, topics, connections and managers', async () => {
    using shared = share(table);
    const queue = new JoinableQueue<typeof shared>();
    await queue.put(shared);
    expect(await queue.get()).toBe(shared);
    const topic = new Topic<typeof shared>({ replay: 1 });
    await topic.publish(shared);
    const [left, right] = pipe<typeof shared>();
    await left.send(shared);
    expect(await right.recv()).toBe(shared);
    const read = await pool.apply(
      async (from: Topic<typeof shared>) => {
        for await (const each of from) return each.value[5]!.id;
        return -1;
      },
      [topic],
    );
    expect(read).toBe(5);
    queue.close();
    topic.close();
    left.close();
    right.close();
    await using server = await manager();
    const dict = await server.dict<string, typeof shared>();
    await dict.set('table', shared);
    expect(await dict.get('table')).toBe(shared);
  });

  it('in a handle, however large it is', () => {
    using shared = share(new Float64Array(1 << 20));
    expect(shared.size).toBeGreaterThan(8 << 20);
    expect(dumps(shared).length).toBeLessThan(1024);
    expect(dumps(() => shared.value.length).length).toBeLessThan(4096);
  });
});

describe('a shared value is refused', () => {
  it.each([
    ['a promise', () => ({ a: Promise.resolve() }), 'MP_PROMISE', 'share: Cannot send a Promise (.a)'],
    ['a WeakMap', () => new WeakMap(), 'MP_WEAK', 'share: Cannot send a WeakMap'],
    ['a socket', () => [new net.Socket()], 'MP_NATIVE_OBJECT', 'share: Cannot send an instance of Socket ([0])'],
    [
      'a SharedArrayBuffer',
      () => new SharedArrayBuffer(8),
      'MP_SHARED_ARRAY_BUFFER',
      'share: Cannot send a SharedArrayBuffer',
    ],
  ])('with %s', (_, value, code, message) => {
    expect(() => share(value())).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });

  it('with a connected socket, which one receiver gets once', async () => {
    const server = net.createServer().listen(0);
    await new Promise((done) => server.once('listening', done));
    expect(() => share({ server })).toThrow(expect.objectContaining({ code: 'MP_NATIVE_OBJECT' }));
    expect(server.listening).toBe(true);
    await new Promise((done) => server.close(done));
  });

  it('by the constructor', () => {
    expect(() => new (Shared as unknown as new (value: unknown) => unknown)({})).toThrow('it is made by share(value)');
  });

  it('when it was disposed of, by its name', async () => {
    const shared = share([1]);
    expect(shared.closed).toBe(false);
    shared.close();
    shared.close();
    expect(shared.closed).toBe(true);
    expect(String(shared)).toBe('Shared (closed)');
    expect(() => shared.value).toThrow(ClosedError);
    expect(() => shared.value).toThrow('Shared: it was disposed of in this thread and cannot be read any more');
    expect(() => dumps(shared)).toThrow('Shared: it is closed in this thread and cannot be sent');
    await expect(shared.load()).rejects.toThrow(ClosedError);
    await expect(pool.apply(() => shared.value)).rejects.toThrow(
      'Shared: it is closed in this thread and cannot be sent',
    );
  });
});

describe('modules of functions in a shared value', () => {
  /** Shared by a worker, so that the module is new here. */
  const sharedFrom = (name: string) =>
    pool.apply(
      async (url: string) => {
        const { answer } = (await import(url)) as { answer(): number };
        return share({ answer });
      },
      [new URL(`../fixtures/share/${name}.mjs`, import.meta.url).href],
    );

  it('are loaded by load(), also those with a top-level await', async () => {
    using shared = await sharedFrom('awaits');
    expect(() => shared.value).toThrow(expect.objectContaining({ code: 'MP_ASYNC_MODULE' }));
    const [one, two] = await Promise.all([shared.load(), shared.load()]);
    expect(one).toBe(two);
    expect(shared.value).toBe(one);
    expect(one.answer()).toBe(42);
  });

  it('are loaded by value', async () => {
    using shared = await sharedFrom('plain');
    expect(shared.value.answer()).toBe(41);
  });
});

describe('the memory of a shared value', () => {
  const OURS = /memfd:multiprocess-arena/;
  /** Bytes that a process has mapped of memory files larger than 8 MiB. */
  const mapped = (pid: number | 'self' = 'self'): number =>
    readFileSync(`/proc/${pid}/maps`, 'utf8')
      .split('\n')
      .filter((line) => OURS.test(line))
      .map(
        (line) =>
          line
            .split(' ')[0]!
            .split('-')
            .map((each) => Number.parseInt(each, 16)) as [number, number],
      )
      .map(([from, to]) => to - from)
      .filter((bytes) => bytes > 8 << 20)
      .reduce((sum, bytes) => sum + bytes, 0);
  const gone = async (): Promise<void> => {
    await until(() => {
      collect();
      return mapped() === 0;
    }, 'the end of the memory');
  };
  const goneIn = async (worker: Pool, pid: number): Promise<void> => {
    do await worker.apply(collect);
    while (mapped(pid) > 0);
  };

  itNeeds('mappings')('goes when it was disposed of', async () => {
    const shared = share(new Uint8Array(16 << 20));
    expect(mapped()).toBeGreaterThan(0);
    shared.close();
    await gone();
  });

  it('goes with the last that holds it, also when nobody disposes of it', async () => {
    for (let i = 0; i < 3; i++) void share(new Uint8Array(16 << 20)).value;
    await gone();
  });

  itNeeds('mappings')('goes in a worker after its maker has let go, and not before', async () => {
    const one = new Pool({ processes: 1 });
    const pid = await one.apply(() => process.pid);
    const shared = share(new Uint8Array(16 << 20));
    const read = () => shared.value.length;
    expect(await one.apply(read)).toBe(16 << 20);
    for (let i = 0; i < 5; i++) await one.apply(collect);
    expect(mapped(pid)).toBeGreaterThanOrEqual(16 << 20);
    shared.close();
    await goneIn(one, pid);
    await one.terminate();
    await gone();
  });

  itNeeds('mappings')('goes with a killed worker, and its value lives on elsewhere', async () => {
    using shared = share(new Uint8Array(16 << 20).fill(6));
    const one = new Pool({ processes: 1, gracePeriod: 0 });
    expect(await one.apply(() => shared.value[5])).toBe(6);
    await expect(
      one.apply(() => {
        shared.value.fill(1);
        process.kill(process.pid, 'SIGKILL');
      }),
    ).rejects.toThrow(expect.objectContaining({ code: 'MP_WORKER_CRASH' }));
    expect(shared.value[5]).toBe(6);
    expect(await one.apply(() => shared.value[5])).toBe(6);
    await one.terminate();
    shared.close();
    await gone();
  });

  itNeeds('mappings')('outlives a killed maker for who has it', async () => {
    const fixture = startFixture('share/maker.mjs');
    const shared = loads<Shared<{ bytes: Uint8Array; text: string }>>(Buffer.from((await fixture.line())!, 'hex'));
    fixture.child.kill('SIGKILL');
    await fixture.ended;
    expect(shared.value.text).toBe('of a process that is gone');
    expect(shared.value.bytes.every((each) => each === 3)).toBe(true);
    const one = new Pool({ processes: 1 });
    const pid = await one.apply(() => process.pid);
    expect(await one.apply(() => shared.value.bytes.length)).toBe(16 << 20);
    shared.close();
    await goneIn(one, pid);
    await one.terminate();
    await gone();
  });

  it('of a value that nobody can attach any more gives MP_OWNER_GONE', async () => {
    const fixture = startFixture('share/maker.mjs');
    const line = (await fixture.line())!;
    fixture.child.kill('SIGKILL');
    await fixture.ended;
    expect(() => loads(Buffer.from(line, 'hex'))).toThrow(expect.objectContaining({ code: 'MP_OWNER_GONE' }));
  });
});
