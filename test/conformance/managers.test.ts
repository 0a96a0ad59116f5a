/**
 * The lines of _TestContainers, _TestMyManager, _TestRemoteManager, _TestManagerRestart, TestManagerExceptions, _TestZZZNumberOfObjects and
 * TestSyncManagerTypes, each under its name.
 */
import { deepStrictEqual } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  getAllStartMethods,
  getContext,
  manager,
  Process,
  QueueEmptyError,
  RemoteError,
  ShareableList,
  type SyncManager,
} from 'multiprocess';
import { Manager } from 'multiprocess/dummy';
import { forkserver } from 'multiprocess/forkserver';
import { BaseManager, type DictProxy, type ListProxy, SharedMemoryManager, textOf } from 'multiprocess/managers';
import { lastValueFrom, take, tap, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.js';

const same = (actual: unknown, expected: unknown): void => deepStrictEqual(actual, expected);
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
let m: SyncManager;
beforeAll(async () => {
  m = await manager();
});
afterAll(async () => {
  await m.shutdown();
  await forkserver.stop();
});

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** What a task of a child of its own gives. */
async function inChild<R>(task: () => Promise<R>): Promise<void> {
  const child = await new Process(task).start();
  expect(await child.join({ timeout: 20_000 })).toBe(true);
  expect(child.exitCode).toBe(0);
}

describe('_TestContainers', () => {
  it('test_list: copies, extension, repetition, and lists of proxies', async () => {
    const a = await m.list(upTo(10));
    expect(await a.slice()).toEqual(upTo(10));
    const b = await m.list<number>();
    expect(await b.slice()).toEqual([]);
    await b.extend(upTo(5));
    expect([await b.slice(), await b.get(2), await b.slice(2, 10)]).toEqual([upTo(5), 2, [2, 3, 4]]);
    await b.repeat(2);
    expect(await b.slice()).toEqual([...upTo(5), ...upTo(5)]);
    expect([...(await b.copy()), 5, 6]).toEqual([...upTo(5), ...upTo(5), 5, 6]);
    expect(await a.slice()).toEqual(upTo(10));
    const d = await m.list([a, b]);
    expect(await Promise.all((await d.slice()).map((each) => each.copy()))).toEqual([
      upTo(10),
      [...upTo(5), ...upTo(5)],
    ]);
    const f = await m.list([a]);
    await a.append('hello' as never);
    expect(await (await f.get(0)).slice()).toEqual([...upTo(10), 'hello']);
    await inChild(async () => {
      await (await d.get(0)).append(77);
    });
    expect(await a.get(-1)).toBe(77);
  });

  it('test_list_isinstance: the proxy has every method of the mutable-sequence interface', async () => {
    const a = (await m.list()) as unknown as Record<string, unknown>;
    const python = [
      'append',
      'clear',
      'copy',
      'count',
      'extend',
      'index',
      'insert',
      'pop',
      'remove',
      'reverse',
      'sort',
    ];
    for (const name of [...python, 'get', 'set', 'delete']) expect(typeof a[name], name).toBe('function');
    expect(await a['length']).toBe(0);
  });

  it('test_list_iter: all items come once, and a change during the iteration is seen', async () => {
    const a = await m.list(upTo(10));
    const seen: number[] = [];
    for await (const item of a) seen.push(item);
    expect(seen).toEqual(upTo(10));
    const iterator = a[Symbol.asyncIterator]();
    await a.set(0, 100);
    expect((await iterator.next()).value).toBe(100);
  });

  it('test_list_proxy_in_list: a write through an inner proxy changes just that list; a list may contain itself', async () => {
    const a = await m.list<ListProxy<number>>([]);
    for (const _ of upTo(3)) await a.append(await m.list(upTo(3)));
    const inner = async () => Promise.all((await a.copy()).map((each) => each.copy()));
    expect(await inner()).toEqual([upTo(3), upTo(3), upTo(3)]);
    await (await a.get(0)).set(-1, 55);
    expect(await inner()).toEqual([[0, 1, 55], upTo(3), upTo(3)]);
    const itself = await m.list<unknown>();
    await itself.append(itself);
    expect([await itself.get(0), await itself.includes(itself)]).toEqual([itself, true]);
    itself[Symbol.dispose]();
  });

  it('test_dict: set, copy, keys, values and entries agree with a plain Map', async () => {
    const d = await m.dict<number, string>();
    const plain = new Map(upTo(26).map((i) => [i, String.fromCharCode(65 + i)]));
    for (const [key, value] of plain) await d.set(key, value);
    expect(await d.copy()).toEqual(plain);
    expect([await d.keys(), await d.values(), await d.entries()]).toEqual([
      [...plain.keys()],
      [...plain.values()],
      [...plain],
    ]);
  });

  it('test_dict_isinstance: the proxy has every method of the mutable-mapping interface', async () => {
    const d = (await m.dict()) as unknown as Record<string, unknown>;
    const python = ['clear', 'copy', 'get', 'keys', 'pop', 'popitem', 'setdefault', 'update', 'values'];
    for (const name of [...python, 'entries', 'has', 'set', 'delete']) expect(typeof d[name], name).toBe('function');
  });

  it('test_dict_iter: keys come in the order in which they were set; clearing meanwhile makes the next step fail', async () => {
    const d = await m.dict<number, number>(upTo(10).map((i) => [9 - i, i] as const));
    const keys: number[] = [];
    for await (const [key] of d) keys.push(key);
    expect(keys).toEqual(upTo(10).reverse());
    const iterator = d[Symbol.asyncIterator]();
    await iterator.next();
    await d.clear();
    await expect(iterator.next()).rejects.toMatchObject({ code: 'MP_CHANGED' });
  });

  it('test_dict_proxy_nested: nested dicts share state both ways, and outlive handles and containers', async () => {
    let pets: DictProxy<string, number> | null = await m.dict({ ferrets: 2, hamsters: 4 });
    let supplies: DictProxy<string, number> | null = await m.dict({ water: 10, feed: 3 });
    const d = await m.dict<string, DictProxy<string, number>>({ pets, supplies });
    expect(await (await d.get('supplies'))!.get('water')).toBe(10);
    await supplies.set('blankets', 5);
    expect(await (await d.get('supplies'))!.get('blankets')).toBe(5);
    await (await d.get('supplies'))!.set('water', 7);
    expect(await supplies.get('water')).toBe(7);
    pets = null;
    supplies = null;
    gc();
    const [outer, inner] = [await d.get('pets'), await d.get('supplies')];
    expect(await Promise.all([outer!.get('hamsters'), inner!.get('blankets')])).toEqual([4, 5]);
    await d.clear();
    expect([await d.size, await outer!.size, await inner!.get('water')]).toEqual([0, 2, 7]);
    const list = await m.list<unknown>([outer, inner, [1, 2]]);
    expect(await (list.get(0) as Promise<DictProxy>).then((each) => each.get('ferrets'))).toBe(2);
    expect(await list.get(2)).toEqual([1, 2]);
  });

  it('test_nested_queue: a queue is used through the list and the dict that hold it', async () => {
    const queue = await m.Queue<string>();
    const a = await m.list([queue]);
    await (await a.get(0)).put('this is a test');
    expect(await (await a.get(0)).get()).toBe('this is a test');
    const b = await m.dict({ queue });
    await queue.put('another');
    expect(await (await b.get('queue'))!.get()).toBe('another');
    expect(await b.get('queue')).toBe(queue);
  });

  it('test_namespace: values are set, read and deleted; names with an underscore stay here', async () => {
    const n = (await m.Namespace()) as unknown as Record<string, unknown> & { settled(): Promise<void> };
    n['name'] = 'Bob';
    n['job'] = 'Builder';
    n['_hidden'] = 'hidden';
    await n.settled();
    expect([await n['name'], await n['job'], n['_hidden']]).toEqual(['Bob', 'Builder', 'hidden']);
    delete n['job'];
    await n.settled();
    expect(await textOf(n)).toBe("Namespace(name='Bob')");
    expect(await n['job']).toBeUndefined();
  });
});

class FooBar {
  f(): string {
    return 'f()';
  }
  g(): never {
    throw new RangeError('g');
  }
  _h(): string {
    return '_h()';
  }
}

describe('_TestMyManager', () => {
  const types = {
    Foo: FooBar,
    Bar: { callable: FooBar, exposed: ['f', '_h'] },
    baz: function* () {
      for (let i = 0; i < 10; i++) yield i * i;
    },
  };
  class MyManager extends BaseManager.with(types) {}

  async function common(my: MyManager): Promise<void> {
    const foo = await my.Foo();
    expect(await foo.f()).toBe('f()');
    await expect(foo.g()).rejects.toThrow(RangeError);
    await expect(foo.callMethod('_h')).rejects.toBeInstanceOf(RemoteError);
    const bar = await my.Bar();
    expect([await bar.callMethod('f'), await bar.callMethod('_h')]).toEqual(['f()', '_h()']);
    await expect(bar.callMethod('g')).rejects.toBeInstanceOf(RemoteError);
    const squares: unknown[] = [];
    const baz = await my.baz();
    for (let step = await baz.callMethod('next'); step.done !== true; step = await baz.callMethod('next'))
      squares.push(step.value);
    expect(squares).toEqual(upTo(10).map((i) => i * i));
  }

  it('test_mymanager: a manager of its own exposes what it says, and its server ends in good order', async () => {
    const my = new MyManager();
    await my.start();
    await common(my);
    await my.shutdown();
    expect([0, -15]).toContain(my.process?.exitCode);
  });

  it('test_mymanager_context: the scope ends the server', async () => {
    let kept: MyManager;
    {
      await using my = new MyManager();
      kept = my;
      await my.start();
      await common(my);
    }
    expect([0, -15]).toContain(kept.process?.exitCode);
  });

  it('test_mymanager_context_prestarted: the scope takes a manager that was started before', async () => {
    const started = new MyManager();
    await started.start();
    {
      await using my = started;
      await common(my);
    }
    expect(started.process?.exitCode).toBe(0);
  });
});

describe('_TestRemoteManager', () => {
  const RESULT = ['hello world', 'مرحبا', null, true, 2.25, new Uint8Array([1, 2, 3])];

  it('test_remote: processes that know address and key use one server over TCP, with a serializer of plain data', async () => {
    const authkey = 'a key of this test';
    const options = { address: { host: '127.0.0.1', port: 0 }, authkey, serializer: 'msgpackr' } as const;
    const queue = [] as unknown[];
    const get_queue = () => ({ put: (item: unknown) => void queue.push(item), get: () => queue.shift() });
    class QueueManager extends BaseManager.with({ get_queue }) {}
    const served = new QueueManager(options);
    await served.start();
    const address = served.address;
    try {
      await inChild(async () => {
        const remote = new QueueManager({ address: address!, authkey, serializer: 'msgpackr' });
        await remote.connect();
        await (await remote.get_queue()).put(RESULT);
      });
      const remote = new QueueManager({ ...options, address: address! });
      await remote.connect();
      const proxy = await remote.get_queue();
      expect(await proxy.get()).toEqual(RESULT);
      await expect(proxy.put({ pattern: /x/ })).rejects.toMatchObject({ name: 'SerializationError' });
      await remote.shutdown();
    } finally {
      await served.shutdown();
    }
  });
});

describe('_TestManagerRestart', () => {
  it.each([undefined, { host: '127.0.0.1', port: 0 }])(
    'test_rapid_restart: another manager starts at the address of one that ended: %o',
    async (address) => {
      const first = new BaseManager(address === undefined ? {} : { address });
      await first.start();
      const at = first.address!;
      await first.shutdown();
      const second = new BaseManager({ address: at });
      await second.start();
      expect(second.address).toEqual(at);
      await second.shutdown();
    },
  );
});

describe('TestManagerExceptions', () => {
  it('test_queue_get, test_dispatch: an error of a proxy is not kept when it was caught', async () => {
    const queue = await m.Queue();
    const catching = async () => {
      try {
        await queue.getNowait();
        return null;
      } catch (error) {
        expect(error).toBeInstanceOf(QueueEmptyError);
        return new WeakRef(error as object);
      }
    };
    const caught = await catching();
    await new Promise((done) => setTimeout(done, 20));
    gc();
    expect(caught!.deref()).toBeUndefined();
  });
});

describe('_TestZZZNumberOfObjects', () => {
  it('test_number_of_objects: when all proxies are gone and children have ended, nothing is kept', async () => {
    const own = await manager();
    await (async () => {
      const list = await own.list<unknown>();
      const dict = await own.dict<string, unknown>({ list });
      await list.append(dict); // a circle
      await list.append(await own.Queue());
      await inChild(async () => {
        await list.append(1);
      });
      expect(await own.numberOfObjects()).toBe(3);
    })();
    let left = -1;
    for (const end = Date.now() + 15_000; Date.now() < end && left !== 0; ) {
      await new Promise((done) => setTimeout(done, 20));
      gc();
      left = await own.numberOfObjects();
    }
    expect([left, await own.debugInfo()]).toEqual([0, []]);
    await own.shutdown();
  });
});

describe('TestSyncManagerTypes', () => {
  it('test_event: the parent sets, the child sees it, waits, and clears', async () => {
    const event = await m.Event();
    await event.set();
    await inChild(async () => {
      if (!(await event.isSet()) || !(await event.wait({ timeout: 1_000 }))) throw new Error('not set');
      await event.clear();
    });
    expect(await event.isSet()).toBe(false);
  });

  it('test_lock: what the child acquired, and has not released, is released by its death, with ownerDied', async () => {
    const lock = await m.Lock();
    await inChild(async () => {
      await lock.acquire();
    });
    expect([await lock.acquire(), await lock.ownerDied]).toEqual([true, true]);
    await lock.recover();
    await lock.release();
    await expect(lock.release()).rejects.toMatchObject({ code: 'MP_NOT_OWNER' });
    expect(await lock.ownerDied).toBe(false);
  });

  it('test_lock: a lock that the child acquired is released by the parent', async () => {
    const lock = await m.Lock();
    const [held, done] = [await m.Event(), await m.Event()];
    const child = inChild(async () => {
      await lock.acquire();
      await held.set();
      await done.wait();
    });
    await held.wait();
    await lock.release();
    await expect(lock.release()).rejects.toMatchObject({ code: 'MP_NOT_OWNER' });
    await done.set();
    await child;
    expect(await lock.ownerDied).toBe(false);
  });

  it('test_rlock, test_condition: a child acquires and releases', async () => {
    const [rlock, condition] = [await m.RLock(), await m.Condition()];
    await inChild(async () => {
      for (const lock of [rlock, condition]) {
        await lock.acquire();
        await lock.release();
      }
    });
    expect([await rlock.locked(), await condition.locked()]).toEqual([false, false]);
  });

  it.each([
    ['semaphore', 'Semaphore'],
    ['bounded_semaphore', 'BoundedSemaphore'],
  ] as const)('test_%s: acquired by the child, released by the parent', async (_, type) => {
    const semaphore = await m[type]();
    await inChild(async () => {
      await semaphore.acquire();
    });
    expect(await semaphore.getValue()).toBe(0);
    await semaphore.release();
    expect(await semaphore.getValue()).toBe(1);
  });

  it('test_barrier: the child reads parties and resets', async () => {
    const barrier = await m.Barrier(5);
    await inChild(async () => {
      if ((await barrier.parties) !== 5) throw new Error('not five');
      await barrier.reset();
    });
  });

  it('test_pool: the child enters and leaves the scope of a pool that lives in the server', async () => {
    const pool = await m.Pool(2);
    await inChild(async () => {
      await using entered = pool;
      if ((await entered.apply((x: number) => x + 1, [1])) !== 2) throw new Error('not two');
    });
    await expect(pool.apply(() => 1)).rejects.toMatchObject({ name: 'ClosedError' });
  });

  it('join of a pool ends with its time, or with the reason of its signal', async () => {
    const [pool, go] = [await m.Pool(1), await m.Event()];
    const waiting = pool.apply(() => go.wait());
    await pool.close();
    await expect(pool.join({ timeout: 5 })).rejects.toMatchObject({ name: 'TimeoutError', code: 'MP_TIMEOUT' });
    await expect(pool.join({ signal: AbortSignal.timeout(5) })).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect(pool.join({ signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    await expect(pool.join({ timout: 5 } as never)).rejects.toMatchObject({ code: 'MP_UNKNOWN_OPTION' });
    await go.set();
    expect(await waiting).toBe(true);
    await pool.join({ timeout: 60_000 });
  });

  it.each([
    ['queue', 'Queue'],
    ['joinable_queue', 'JoinableQueue'],
  ] as const)('test_%s: two items of the parent, taken by the child', async (_, type) => {
    const queue = await m[type]<number>(2);
    await queue.put(1);
    await queue.put(2);
    await inChild(async () => {
      const seen = [await queue.qsize(), await queue.full(), await queue.get(), await queue.get(), await queue.empty()];
      if (JSON.stringify(seen) !== '[2,true,1,2,true]') throw new Error(JSON.stringify(seen));
    });
    expect(await queue.empty()).toBe(true);
  });

  it('test_list: the whole interface from the child', async () => {
    const o = await m.list<number>();
    await o.append(5);
    await inChild(async () => {
      same([await o.length, await o.count(5), await o.index(5), await o.get(0)], [1, 1, 0, 5]);
      await o.extend([4]);
      await o.repeat(2);
      same(await o.copy(), [5, 4, 5, 4]);
      await o.extend([2, 1]);
      await o.sort();
      same(await o.copy(), [1, 2, 4, 4, 5, 5]);
      await o.reverse();
      same([await o.slice(0, 2), await o.pop(), await o.includes(2)], [[5, 5], 1, true]);
      await o.clear();
      same(await o.length, 0);
    });
    expect(await o.length).toBe(0);
  });

  it('test_dict: the whole interface from the child', async () => {
    const o = await m.dict<string, number>();
    await o.set('foo', 5);
    await inChild(async () => {
      same([await o.size, await o.has('foo'), await o.get('foo'), await o.get('bar')], [1, true, 5, undefined]);
      same(
        [await o.entries(), await o.keys(), await o.values(), await o.copy()],
        [[['foo', 5]], ['foo'], [5], new Map([['foo', 5]])],
      );
      await o.update({ bar: 6 });
      same((await o.keys()).reverse(), ['bar', 'foo']);
      same([await o.popitem(), await o.setdefault('baz', 7), await o.pop('baz')], [['bar', 6], 7, 7]);
      await o.clear();
    });
    expect(await o.size).toBe(0);
  });

  it('test_value, test_array, test_namespace: read and set from the child', async () => {
    const value = await m.Value('i', 1);
    const array = await m.Array('i', [0, 1]);
    const ns = await m.Namespace({ x: 1, y: [2] });
    await inChild(async () => {
      same([await value.value, await array.length, await array.get(1), await ns.x, await ns.y], [1, 2, 1, 1, [2]]);
      const items: number[] = [];
      for await (const item of array) items.push(item);
      same(items, [0, 1]);
      await value.set(2);
    });
    expect(await value.value).toBe(2);
  });

  it('test_set: operators, methods and comparisons give what a plain set gives', async () => {
    const a = await m.set(['a', 'b', 'c']);
    await inChild(async () => {
      await a.add('d');
      same([await a.size, await a.has('d'), await a.union(['e'])], [4, true, new Set(['a', 'b', 'c', 'd', 'e'])]);
      await a.remove('d');
      await a.discard('d');
      same(await a.remove('d').catch((error: { code: string }) => error.code), 'MP_KEY');
    });
    expect([
      await a.symmetricDifference(['a', 'x']),
      await a.issubset(['a', 'b', 'c', 'd']),
      await a.issuperset(['a']),
    ]).toEqual([new Set(['b', 'c', 'x']), true, true]);
    await a.intersectionUpdate(['a', 'b']);
    await a.differenceUpdate(['b']);
    await a.update(['z']);
    await a.symmetricDifferenceUpdate(['z', 'y']);
    expect([await a.copy(), await a.equals(['y', 'a']), await a.isdisjoint(['q'])]).toEqual([
      new Set(['a', 'y']),
      true,
      true,
    ]);
  });

  it('test_set_init: made from a set, a list, or keys; from a number it fails with RemoteError', async () => {
    for (const from of [
      new Set([1, 2]),
      [1, 2],
      new Map([
        [1, 0],
        [2, 0],
      ]).keys(),
    ]) {
      // biome-ignore format: one line
      expect(await (await m.set(Array.isArray(from) || from instanceof Set ? from : [...from])).copy()).toEqual(new Set([1, 2]));
    }
    await expect(m.set(1234 as never)).rejects.toBeInstanceOf(RemoteError);
  });

  it('test_set_contain_all_method: the proxy has every method of the set interface', async () => {
    const s = (await m.set()) as unknown as Record<string, unknown>;
    const python = `add clear copy difference differenceUpdate discard intersection intersectionUpdate isdisjoint issubset issuperset pop remove
      symmetricDifference symmetricDifferenceUpdate union update`;
    for (const name of python.split(/\s+/)) expect(typeof s[name], name).toBe('function');
  });
});

describe('TestInitializers', () => {
  it('test_manager_initializer: what is no function is refused; a function runs once in the server, before it serves', async () => {
    await expect(new BaseManager().start(1 as never)).rejects.toMatchObject({ name: 'ArgumentError' });
    class Started extends BaseManager.with({ Seen: () => ({ times: (globalThis as { times?: number }).times }) }) {}
    await using started = new Started();
    const initializer = (by: number) => {
      const scope = globalThis as { times?: number };
      scope.times = (scope.times ?? 0) + by;
    };
    await started.start(initializer, [5]);
    expect(await (await started.Seen()).times).toBe(5);
  });
});

describe('_TestSharedMemory', () => {
  const gone = (name: string): boolean => !existsSync(`/dev/shm/${name}`);

  it('test_shared_memory_SharedMemoryServer_ignores_sigint: the server survives SIGINT', async () => {
    await using smm = new SharedMemoryManager();
    await smm.start();
    const before = process.listenerCount('SIGINT');
    process.kill(smm.process!.pid!, 'SIGINT');
    const list = await smm.ShareableList([1, 2]);
    expect([list.get(1), process.listenerCount('SIGINT')]).toEqual([2, before]);
    list.shm.close();
  });

  it('test_shared_memory_SharedMemoryManager_reuses_resource_tracker: a program that ends in good order says nothing', async () => {
    const code = `import { SharedMemoryManager } from 'multiprocess/managers';
      const smm = new SharedMemoryManager();
      await smm.start();
      const list = await smm.ShareableList(Array.from({ length: 10 }, (_, i) => i));
      list.shm.close();
      await smm.shutdown();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(child, 'close');
    const problems = await text(child.stderr);
    expect([problems, (await ended)[0]]).toEqual(['', 0]);
  });

  it('test_shared_memory_SharedMemoryManager_basics: blocks and lists are found by name, and gone after the shutdown', async () => {
    const smm1 = new SharedMemoryManager();
    await expect(smm1.SharedMemory(9)).rejects.toMatchObject({ code: 'MP_NOT_STARTED' });
    await smm1.start();
    const lol = await Promise.all([smm1.ShareableList([0, 1, 2, 3, 4]), smm1.ShareableList([5, 6, 7, 8, 9])]);
    const second = ShareableList.attach(lol[1].shm.name);
    expect([second.length, second.get(2)]).toEqual([5, 7]);
    for (const list of [...lol, second]) list.shm.close();
    await smm1.shutdown();
    expect(lol.map(({ shm }) => gone(shm.name))).toEqual([true, true]);
    let name: string;
    {
      await using smm2 = new SharedMemoryManager();
      await smm2.start();
      using block = await smm2.SharedMemory(128);
      name = block.name;
      expect([block.size, gone(name)]).toEqual([128, false]);
      await expect(smm2.SharedMemory(-1)).rejects.toMatchObject({ code: 'MP_BLOCK_SIZE' });
    }
    expect(gone(name)).toBe(true);
  });

  it('of a server that is killed are removed by the tracker, while their users live', async () => {
    const smm = new SharedMemoryManager();
    await smm.start();
    using block = await smm.SharedMemory(16);
    smm.process!.kill();
    await smm.join();
    await until(() => gone(block.name), 'the block is unlinked');
    block.buf[0] = 1; // whoever has it keeps it
    await smm.shutdown();
  });
});

describe.each(getAllStartMethods().filter((method) => method !== 'fork'))('a manager by %s', (method) => {
  it('is made by its context, and serves processes of that method', async () => {
    const context = getContext(method);
    await using own = await context.manager();
    const d = await own.dict<string, number>({ a: 1 });
    const { items, begun } = watched(d);
    await begun;
    const child = await new context.Process(
      async (shared: typeof d) => {
        await shared.set('b', (await shared.get('a'))! + 1);
      },
      { args: [d] },
    ).start();
    await child.join();
    expect(child.exitCode).toBe(0);
    expect(await d.getValue()).toEqual(new Map([['a', 1], ['b', 2]])); // biome-ignore format: one line
    expect(await items).toEqual([{ type: 'state', entries: [['a', 1]], missed: 0 }, { type: 'set', key: 'b', value: 2 }]); // biome-ignore format: one line
    const pool = await own.Pool(1);
    expect(await pool.apply((x: number) => x * 2, [4])).toBe(8);
    await pool.terminate();
  });
});

/** The first two items of a watcher. */
function watched<K, V>(d: DictProxy<K, V>): { items: Promise<unknown[]>; begun: Promise<void> } {
  let begin!: () => void;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  return { items: lastValueFrom(d.watch().pipe(tap(() => begin()), take(2), toArray())), begun }; // biome-ignore format: one line
}

it('Manager of multiprocess/dummy has its server in a thread', async () => {
  await using own = await Manager();
  const list = await own.list([1]);
  await list.append(2);
  expect([await list.copy(), own.process!.pid === process.pid || own.process!.ident !== process.pid]).toEqual([
    [1, 2],
    true,
  ]);
});
