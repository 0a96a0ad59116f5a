/** What works in threads, over shared buffers alone: in Node without the addon, and in other runtimes. */
import { Worker } from 'node:worker_threads';
import {
  Barrier,
  Condition,
  currentProcess,
  Event,
  getAllStartMethods,
  getStartMethod,
  JoinableQueue,
  Lock,
  manager,
  Pool,
  Process,
  pipe,
  Queue,
  RLock,
  RwLock,
  Semaphore,
  SharedArray,
  SharedMap,
  SharedMemory,
  SimpleQueue,
  StateTopic,
  share,
  ThreadPool,
  Topic,
  task,
  Value,
} from 'multiprocess';
import { poolMap } from 'multiprocess/operators';
import { dumps } from 'multiprocess/reduction';
import { from, toArray } from 'rxjs';
import { codeOf, runCases } from './report.cjs';

/** Runs a task in a thread, to its end. Returns its exit code. */
async function inThread(captures, fn) {
  const child = new Process(task(captures, fn));
  await child.start();
  await child.join();
  return child.exitCode;
}

async function withPool(body, options) {
  const pool = new Pool({ processes: 2, ...options });
  try {
    return await body(pool);
  } finally {
    await pool.terminate();
  }
}

const times = (factor) => task({ factor }, ({ factor }, n) => n * factor);
/** Another system than Linux, and another runtime than Node, can have no addon at all. */
const { bun, deno } = process.versions;
const NO_ADDON =
  process.platform === 'linux' && bun === undefined && deno === undefined ? 'MP_NO_ADDON' : 'MP_UNSUPPORTED';
const local = 1 + Number(process.argv.length > 99);

runCases({
  'start methods': [() => [getAllStartMethods(), getStartMethod()], [['thread'], 'thread']],
  'Pool: map': [() => withPool((pool) => pool.map(times(2), [1, 2, 3])), [2, 4, 6]],
  'Pool: a function without captures': [() => withPool((pool) => pool.map((n) => n + 1, [1, 2])), [2, 3]],
  'Pool: a module': [() => withPool((pool) => pool.apply(new URL('./twice.mjs', import.meta.url), [21])), 42],
  'Pool: a closure': [() => withPool((pool) => pool.map((n) => n + local, [1, 2])), [2, 3]],
  'Pool: imapUnordered': [
    () =>
      withPool(async (pool) => {
        let sum = 0;
        for await (const n of pool.imapUnordered(times(1), Array(500).fill(1))) sum += n;
        return sum;
      }),
    500,
  ],
  'Pool: an error of a task': [
    () =>
      withPool((pool) =>
        pool.apply(() => {
          throw new RangeError('no');
        }),
      ).catch((error) => [error.name, error.message]),
    ['RangeError', 'no'],
  ],
  'Pool: a worker that ends': [
    () =>
      withPool(async (pool) => [
        await codeOf(() => pool.apply(() => process.exit(3))),
        await pool.apply(times(1), [4]),
      ]),
    ['MP_WORKER_CRASH', 4],
  ],
  'Pool: a task that blocks is ended': [
    () =>
      withPool(
        (pool) =>
          codeOf(() =>
            pool.apply(
              () => {
                for (;;);
              },
              [],
              { timeout: 500 },
            ),
          ),
        { gracePeriod: 100 },
      ),
    'MP_TIMEOUT',
  ],
  'Pool: a large message': [
    () => withPool((pool) => pool.apply((bytes) => bytes.length, [new Uint8Array(3_000_000)])),
    3_000_000,
  ],
  'Pool: as an operator': [
    () =>
      withPool(
        (pool) =>
          new Promise((resolve, reject) =>
            from([1, 2])
              .pipe(poolMap(pool, times(3)), toArray())
              .subscribe({ next: resolve, error: reject }),
          ),
      ),
    [3, 6],
  ],
  ThreadPool: [
    async () => {
      const pool = new ThreadPool({ processes: 1 });
      try {
        return await pool.map(times(2), [1]);
      } finally {
        await pool.terminate();
      }
    },
    [2],
  ],
  'Process: exit codes': [
    async () => [
      await inThread({}, () => {}),
      await inThread({}, () => process.exit(4)),
      await inThread({}, async () => {
        await 0;
        process.exitCode = 5;
      }),
    ],
    [0, 4, 5],
  ],
  'Process: an error': [
    () =>
      inThread({}, () => {
        throw new Error('meant to be printed');
      }),
    1,
  ],
  'Process: terminate': [
    async () => {
      const ready = new Event();
      const child = new Process(
        task({ ready }, ({ ready }) => {
          ready.set();
          for (;;);
        }),
      );
      await child.start();
      await ready.wait();
      child.terminate();
      return [await child.join(), child.exitCode < 0];
    },
    [true, true],
  ],
  'Process: its name, asked by an import': [
    async () => {
      const queue = new Queue();
      const child = new Process(
        task({ queue, currentProcess }, async ({ queue, currentProcess }) => queue.put(currentProcess().name)),
        { name: 'worker' },
      );
      await child.start();
      return [await queue.get(), await child.join(), currentProcess().name];
    },
    ['worker', true, 'MainProcess'],
  ],
  Queue: [
    async () => {
      const queue = new Queue({ maxSize: 2 });
      const child = new Process(
        task({ queue }, async ({ queue }) => {
          for (let i = 0; i < 100; i++) await queue.put(i);
        }),
      );
      await child.start();
      let sum = 0;
      for (let i = 0; i < 100; i++) sum += await queue.get();
      await child.join();
      return sum;
    },
    4950,
  ],
  'Queue: blocking': [
    async () => {
      const queue = new Queue();
      const answers = new Queue();
      const child = new Process(task({ queue, answers }, ({ queue, answers }) => answers.putSync(queue.getSync() + 1)));
      await child.start();
      await queue.put(1);
      return [await answers.get(), await child.join()];
    },
    [2, true],
  ],
  JoinableQueue: [
    async () => {
      const queue = new JoinableQueue();
      await queue.put(1);
      const child = new Process(
        task({ queue }, async ({ queue }) => {
          await queue.get();
          queue.taskDone();
        }),
      );
      await child.start();
      return [await queue.join(), await child.join()];
    },
    [true, true],
  ],
  SimpleQueue: [
    async () => {
      const queue = new SimpleQueue();
      await inThread({ queue }, ({ queue }) => queue.put([1]));
      return queue.get();
    },
    [1],
  ],
  Topic: [
    async () => {
      const topic = new Topic({ replay: 1 });
      const seen = new Promise((resolve) => topic.subscribe(resolve));
      await inThread({ topic }, ({ topic }) => topic.publish('news'));
      return seen;
    },
    'news',
  ],
  StateTopic: [
    async () => {
      const topic = new StateTopic(0);
      await inThread({ topic }, ({ topic }) => topic.publish(7));
      return topic.value;
    },
    7,
  ],
  'Lock: excludes': [
    async () => {
      const lock = new Lock();
      const value = new Value('i', 0, { lock: false });
      const add = task({ lock, value }, async ({ lock, value }) => {
        for (let i = 0; i < 200; i++)
          await lock.runExclusive(() => {
            value.value += 1;
          });
      });
      const children = [new Process(add), new Process(add)];
      for (const child of children) await child.start();
      for (const child of children) await child.join();
      return value.value;
    },
    400,
  ],
  'Lock: blocking': [
    () =>
      inThread({ lock: new Lock() }, ({ lock }) =>
        process.exit(lock.acquireSync() && !lock.acquireSync({ timeout: 10 }) ? 6 : 1),
      ),
    6,
  ],
  'Lock: its owner has ended': [
    async () => {
      const lock = new Lock();
      await inThread({ lock }, async ({ lock }) => {
        await lock.acquire();
        process.exit(0);
      });
      return [await lock.acquire(), lock.ownerDied];
    },
    [true, true],
  ],
  Semaphore: [
    async () => {
      const semaphore = new Semaphore(2);
      await inThread({ semaphore }, ({ semaphore }) => void semaphore.acquireSync());
      return [await semaphore.acquire({ timeout: 1_000 }), await semaphore.acquire({ timeout: 10 })];
    },
    [true, false],
  ],
  'RLock: runExclusive': [
    async () => {
      const lock = new RLock();
      const order = [];
      const one = lock.runExclusive(async () => {
        order.push('one');
        await lock.runExclusive(() => new Promise((resolve) => setTimeout(resolve, 20)));
        order.push('one');
      });
      await Promise.all([one, lock.runExclusive(() => order.push('two'))]);
      return order;
    },
    ['one', 'one', 'two'],
  ],
  'RLock: blocking': [
    () => {
      const lock = new RLock();
      const taken = [lock.acquireSync(), lock.tryAcquire()];
      lock.release();
      lock.release();
      return [...taken, lock.locked()];
    },
    [true, true, false],
  ],
  'RLock: awaited': [
    async () => {
      const lock = new RLock();
      const taken = [await lock.acquire(), await lock.acquire()];
      lock.release();
      lock.release();
      return taken;
    },
    [true, true],
  ],
  RwLock: [
    async () => {
      const lock = new RwLock();
      const held = await lock.read();
      const code = await inThread({ lock }, ({ lock }) =>
        process.exit(lock.tryRead() !== null && lock.tryWrite() === null ? 0 : 1),
      );
      held[Symbol.dispose]();
      return code;
    },
    0,
  ],
  'Barrier, Event': [
    async () => {
      const [barrier, event] = [new Barrier(2), new Event()];
      const child = new Process(
        task({ barrier, event }, async ({ barrier, event }) => {
          await barrier.wait();
          event.set();
        }),
      );
      await child.start();
      await barrier.wait();
      return [await event.wait(), await child.join()];
    },
    [true, true],
  ],
  Condition: [
    async () => {
      const condition = new Condition();
      const notify = task({ condition }, ({ condition }) => condition.runExclusive(() => condition.notify()));
      const child = new Process(notify);
      const notified = await condition.runExclusive(async () => {
        await child.start();
        return condition.wait();
      });
      return [notified, await child.join()];
    },
    [true, true],
  ],
  'Value, SharedArray': [
    async () => {
      const [value, array] = [new Value('d', 1), new SharedArray('i', [1, 2, 3])];
      await inThread({ value, array }, async ({ value, array }) => {
        await value.update((v) => v + 0.5);
        array.array[1] = 9;
      });
      return [value.value, [...array.array]];
    },
    [1.5, [1, 9, 3]],
  ],
  SharedMap: [
    async () => {
      const map = new SharedMap({ capacity: 100 });
      await inThread({ map }, async ({ map }) => {
        map.set('a', 1);
        await map.update('a', (n) => n + 1);
      });
      return [...map];
    },
    [['a', 2]],
  ],
  share: [
    () =>
      withPool(async (pool) => {
        const shared = share({ weights: new Float64Array([1, 2, 3]) });
        const sum = await pool.apply(task({ shared }, ({ shared }) => shared.value.weights.reduce((a, b) => a + b)));
        shared[Symbol.dispose]();
        return sum;
      }),
    6,
  ],
  pipe: [
    async () => {
      const [here, there] = pipe();
      const child = new Process(
        task({ there }, async ({ there }) => {
          await there.send((await there.recv()) * 2);
        }),
      );
      await child.start();
      await here.send(4);
      return [await here.recv(), await child.join()];
    },
    [8, true],
  ],
  manager: [
    async () => {
      const m = await manager();
      try {
        const dict = await m.dict([['a', 1]]);
        await inThread({ dict }, ({ dict }) => dict.set('b', 2));
        return [...(await dict.getValue())];
      } finally {
        await m.shutdown();
      }
    },
    [
      ['a', 1],
      ['b', 2],
    ],
  ],
  'a function that imports a package': [
    () => withPool((pool) => pool.apply(async () => typeof (await import('rxjs')).of)),
    'function',
  ],
  'threads of the program itself': [
    async () => {
      const queue = new Queue();
      const thread = new Worker(new URL('./guest.mjs', import.meta.url), { workerData: dumps({ queue }) });
      const refused = new AbortController();
      thread.once('message', (code) => refused.abort(Object.assign(new Error('It is refused.'), { code })));
      return queue.get({ signal: refused.signal }).finally(() => thread.terminate());
    },
    'from a guest',
  ],
  'what needs the addon says so': [
    async () => [
      await codeOf(() => SharedMemory.create(8)),
      await codeOf(() => new Process(() => {}, { context: 'spawn' }).start()),
    ],
    [NO_ADDON, NO_ADDON],
  ],
});
