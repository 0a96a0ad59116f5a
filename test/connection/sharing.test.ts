/** Connections that several processes and threads have. */
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type Connection, getContext, Lock, Pool } from 'multiprocess';
import { forkserver } from 'multiprocess/forkserver';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dumps } from '../../dist/reduction/index.js';
import { closing, pair } from '../support/connections.js';
import { startable } from '../support/needs.js';

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 3 });
});
afterAll(() => Promise.all([pool.terminate(), forkserver.stop()]));

const codeOf = (promise: Promise<unknown>) => promise.catch((error: unknown) => (error as { code?: string }).code);

it('a connection arrives as argument, captured variable, result and message, and back as itself', async () => {
  const [a, b] = pair();
  await pool.apply((c: Connection) => c.send('argument'), [b]);
  await pool.apply(() => b.send('captured'));
  expect([await a.recv(), await a.recv()]).toEqual(['argument', 'captured']);
  expect(await pool.apply((c: Connection) => c, [b])).toBe(b);
  const made = await pool.apply(async () => {
    const { pipe } = await import('multiprocess');
    const [near, far] = pipe();
    await near.send('from a pipe made there');
    near.close();
    return far;
  });
  closing(made);
  expect(await made.recv()).toBe('from a pipe made there');
  expect(await codeOf(made.recv())).toBe('MP_CONNECTION_EOF');
});

it('messages that the sender of a connection did not receive are left for its receiver', async () => {
  const [a, b] = pair();
  for (let i = 0; i < 100; i++) await a.send(i);
  expect([await b.recv(), await b.recv()]).toEqual([0, 1]);
  const rest = pool.apply(
    async (c: Connection<number>) => {
      const got: number[] = [];
      for (let i = 0; i < 50; i++) got.push(await c.recv());
      return got;
    },
    [b],
  );
  expect(await rest).toEqual(Array.from({ length: 50 }, (_, i) => i + 2));
  // And what that one left is here again.
  expect(await b.recv()).toBe(52);
  b.close();
  a.close();
});

it('readers of several processes that take turns by a lock get each message once', async () => {
  const [a, b] = pair();
  const lock = new Lock();
  const readers = Array.from({ length: 3 }, () =>
    pool.apply(
      async (c: Connection<number>, lock: Lock) => {
        const got: number[] = [];
        for (;;) {
          const item = await lock.runExclusive(() => c.recv());
          if (item < 0) return got;
          got.push(item);
        }
      },
      [b, lock],
    ),
  );
  const count = 600;
  for (let i = 0; i < count; i++) await a.send(i);
  for (let i = 0; i < 3; i++) await a.send(-1);
  const got = await Promise.all(readers);
  expect(got.flat().sort((x, y) => x - y)).toEqual(Array.from({ length: count }, (_, i) => i));
  for (const list of got) expect(list).toEqual([...list].sort((x, y) => x - y));
});

it('writers of several processes do not mix their small messages', async () => {
  const [a, b] = pair();
  const writers = Array.from({ length: 3 }, (_, who) =>
    pool.apply(
      async (c: Connection, who: number) => {
        for (let i = 0; i < 300; i++) await c.send([who, i]);
        c.close();
      },
      [b, who],
    ),
  );
  b.close();
  const next = [0, 0, 0];
  for await (const [who, i] of a) {
    expect(i).toBe(next[who]);
    next[who] = i + 1;
  }
  await Promise.all(writers);
  expect(next).toEqual([300, 300, 300]);
});

it('an end is closed when all who had it closed it, also while an offer of it stands', async () => {
  const [a, b] = pair();
  const done = pool.apply(
    async (c: Connection<any>) => {
      const got = await c.recv();
      c.close();
      return got;
    },
    [b],
  );
  await a.send('only this');
  expect(await done).toBe('only this');
  b.close();
  expect(await codeOf(a.recv())).toBe('MP_CONNECTION_EOF');
});

it.each(startable('spawn', 'forkserver'))(
  'an end that a child was started with is closed with that child, also if it never looked at it (%s)',
  // Far less than the 30 s for which an offer stands.
  { timeout: 15_000 },
  async (method) => {
    const { Process } = getContext(method);
    const [a, b] = pair();
    const talk = async (c: Connection, farewell: Connection) => {
      if (c !== farewell) throw new Error('one end arrived as two');
      await c.send('started');
    };
    const first = new Process(talk, { args: [b, b] });
    first.start();
    await first.join();
    expect(first.exitCode).toBe(0);
    expect(await a.recv()).toBe('started');
    const second = new Process(() => void b.send('never'));
    second.start();
    second.kill();
    await second.join();
    b.close();
    expect(await codeOf(a.recv())).toBe('MP_CONNECTION_EOF');
  },
);

it('a connection reaches a process while the JavaScript of its sender is blocked', async () => {
  const [a, b] = pair();
  const done = pool.apply(
    async (c: Connection) => {
      await c.send('attached');
      return 'done';
    },
    [b],
  );
  await turn();
  await turn();
  // No turn of our event loop until the worker has it.
  expect(a.recvSync()).toBe('attached');
  expect(await done).toBe('done');
});

it('the event loop turns while each awaited receive is answered at once', async () => {
  const [a, b] = pair();
  const rounds = 4_000;
  const echo = pool.apply(
    async (c: Connection<number>, rounds: number) => {
      for (let i = 0; i < rounds; i++) await c.send(await c.recv());
    },
    [b, rounds],
  );
  let turns = 0;
  const count = () => {
    turns++;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  for (let i = 0; i < rounds; i++) {
    await a.send(i);
    if ((await a.recv()) !== i) throw new Error(`message ${i} came in the wrong place`);
  }
  clearImmediate(counting);
  await echo;
  expect(turns).toBeGreaterThan(3);
});

it('a connection reaches a worker thread, which is another holder of it', async () => {
  const [a, b] = pair();
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     (async () => {
       await import(workerData.connection);
       const { loads } = await import(workerData.reduction);
       const c = loads(workerData.message);
       await c.send(await c.recv() + ' from a thread');
       c.close();
       parentPort.postMessage('closed');
     })();`,
    {
      eval: true,
      workerData: {
        message: dumps(b),
        connection: new URL('../../dist/connection/index.js', import.meta.url).href,
        reduction: new URL('../../dist/reduction/index.js', import.meta.url).href,
      },
    },
  );
  const ended = once(worker, 'exit');
  b.close();
  await a.send('hello');
  expect(await a.recv()).toBe('hello from a thread');
  await ended;
  expect(await codeOf(a.recv())).toBe('MP_CONNECTION_EOF');
});

it('a connection that is closed cannot be sent', async () => {
  const [, b] = pair();
  b.close();
  expect(() => dumps(b)).toThrow(/closed/);
});
