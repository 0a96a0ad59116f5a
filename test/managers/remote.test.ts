/**
 * Servers at addresses, clients elsewhere, proxies that travel, and what is left when somebody
 * ends.
 */
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Pool, Process, pipe, Queue, ThreadPool } from 'multiprocess';
import { BaseManager, currentCall, type Remote } from 'multiprocess/managers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

class Counter {
  n = 0;
  add(by = 1): number {
    this.n += by;
    return this.n;
  }
  hang(): Promise<never> {
    return new Promise(() => {});
  }
  exit(): void {
    process.kill(process.pid, 'SIGKILL');
  }
  clients: string[] = [];
  register(): void {
    const { client } = currentCall()!;
    this.clients.push(`+${client.pid}`);
    client.onEnd(() => this.clients.push(`-${client.pid}`));
  }
}

class Box {
  value: unknown = null;
  get(): unknown {
    return this.value;
  }
  set(value: unknown): void {
    this.value = value;
  }
}

class Jobs extends BaseManager.with({ Counter, Box }) {}
const key = 'a key of its own';

const codeOf = (promise: PromiseLike<unknown>) =>
  promise.then(
    (value) => ['no error', value],
    (error: { code?: unknown }) => error.code,
  );

async function eventually(holds: () => Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

describe.each([
  ['AF_UNIX', { address: undefined }],
  ['AF_INET', { address: { host: '127.0.0.1', port: 0 } }],
  ['AF_INET6', { address: { host: '::1', port: 0 } }],
] as const)('over %s', (_, options) => {
  test('a manager that connects shares what the server has', async () => {
    const queue: number[] = [];
    const one = { push: (n: number) => queue.push(n), all: () => queue };
    class Server extends BaseManager.with({ shared: () => one }) {}
    const server = new Server({ ...options, authkey: key }).getServer();
    const serving = server.serveForever();
    const address = await server.listen();
    class Client extends BaseManager {}
    Client.register('shared');
    const a = new Client({ address, authkey: key }) as Client & { shared(): Promise<any> };
    const b = new Client({ address, authkey: key }) as Client & { shared(): Promise<any> };
    await a.connect();
    await b.connect();
    const shared = await a.shared();
    await shared.push(1);
    await (await b.shared()).push(2);
    expect(await shared.all()).toEqual([1, 2]);
    expect(queue).toEqual([1, 2]);
    expect(await a.numberOfObjects()).toBe(1);
    await a.shutdown();
    await b.shutdown();
    server.stop();
    await serving;
  });
});

describe('a key', () => {
  test('keeps clients out that do not know it', async () => {
    await using jobs = new Jobs({ authkey: key });
    await jobs.start();
    const stranger = new Jobs({ address: jobs.address!, authkey: 'another' });
    expect(await codeOf(stranger.connect())).toBe('MP_AUTHENTICATION');
    const own = new Jobs({ address: jobs.address! });
    expect(await codeOf(own.connect())).toBe('MP_AUTHENTICATION');
    expect(await (await jobs.Counter()).add(1)).toBe(1);
  });

  test('of a manager goes to its children, with proxies that they receive later too', async () => {
    await using jobs = new Jobs({ authkey: key });
    await jobs.start();
    const counter = await jobs.Counter();
    const queue = new Queue<Remote<Counter>>();
    const child = await new Process(
      async (direct: Remote<Counter>, from: Queue<Remote<Counter>>) => {
        await direct.add(1);
        await (await from.get()).add(10);
        await counter.add(100);
      },
      { args: [counter, queue] },
    ).start();
    await queue.put(counter);
    await child.join();
    expect(child.exitCode).toBe(0);
    expect(await counter.add(0)).toBe(111);
    queue.close();
  });
});

test('a manager works over TLS', async () => {
  const file = (name: string) => readFileSync(new URL(`../fixtures/connection/${name}.pem`, import.meta.url));
  const pair = { key: file('key'), cert: file('cert') };
  await using jobs = new Jobs({ address: { host: 'localhost', port: 0 }, tls: { ...pair } });
  await jobs.start();
  const counter = await jobs.Counter();
  expect(await counter.add(4)).toBe(4);
  const child = await new Process(async (c: Remote<Counter>) => void (await c.add(1)), { args: [counter] }).start();
  await child.join();
  expect(await counter.add(0)).toBe(5);
});

describe('proxies travel', () => {
  let jobs: Jobs;
  let counter: Remote<Counter>;
  beforeAll(async () => {
    jobs = new Jobs();
    await jobs.start();
    counter = await jobs.Counter();
  });
  afterAll(() => jobs.shutdown());

  test('to workers of pools, as arguments, in closures and as results', async () => {
    await using pool = new Pool({ processes: 2 });
    await pool.map((i: number) => counter.add(i), [1, 2, 3, 4]);
    expect(await counter.add(0)).toBe(10);
    const back = await pool.apply(async (c: Remote<Counter>) => (await c.add(1)) && c, [counter]);
    expect(back).toBe(counter);
    const address = jobs.address!;
    const made = await pool.apply(async () => {
      const own = new Jobs({ address });
      await own.connect();
      const box = await own.Box();
      await box.set('made there');
      return box;
    });
    expect(await (made as Remote<Box>).get()).toBe('made there');
  });

  test("with their manager's own key, to workers that ran before it started", async () => {
    await using pool = new Pool({ processes: 1 });
    await pool.apply(() => 1);
    await using own = new Jobs({ authkey: key });
    await own.start();
    const c = await own.Counter();
    expect(await pool.apply((given: Remote<Counter>) => given.add(5), [c])).toBe(5);
  });

  test('with managers, whose objects hold locks and queues', async () => {
    await using own = new Jobs({ authkey: key });
    await own.start();
    const queue = new Queue<string>();
    const child = await new Process(
      async (given: Jobs) => {
        const box = await given.Box();
        await box.set({ from: 'the child', queue });
        await queue.put('put there');
        const shared = (await box.get()) as { queue: Queue<string> };
        await shared.queue.put('and through the server');
      },
      { args: [own] },
    ).start();
    await child.join();
    expect(child.exitCode).toBe(0);
    expect([await queue.get(), await queue.get()]).toEqual(['put there', 'and through the server']);
    queue.close();
    expect(await codeOf(new Process(() => {}, { args: [new Jobs()] as never }).start())).toBe('MP_NOT_STARTED');
  });

  test('to threads, and through pipes', async () => {
    await using pool = new ThreadPool({ processes: 1 });
    const before = await counter.add(0);
    expect(await pool.apply((c: Remote<Counter>) => c.add(1), [counter])).toBe(before + 1);
    const [a, b] = pipe<Remote<Counter>>();
    await a.send(counter);
    expect(await b.recv()).toBe(counter);
    a.close();
    b.close();
  });

  test('to the server of another manager', async () => {
    await using other = new Jobs();
    await other.start();
    const box = await other.Box();
    await box.set(counter);
    expect(await box.get()).toBe(counter);
  });

  test('keep their objects while they are on their way', async () => {
    const queue = new Queue<Remote<Box>>();
    const box = await jobs.Box();
    await box.set('kept');
    const before = await jobs.numberOfObjects();
    await queue.put(box);
    box[Symbol.dispose]();
    expect(await jobs.numberOfObjects()).toBe(before);
    const again = await queue.get();
    expect(await again.get()).toBe('kept');
    again[Symbol.dispose]();
    await eventually(async () => (await jobs.numberOfObjects()) === before - 1, 'the end of the object');
    queue.close();
  });
});

describe('a proxy that never arrives', () => {
  /** What tests of this library call instead of waiting half a minute. */
  const endTransits = () => {
    for (const end of (globalThis as Record<symbol, (() => void)[] | undefined>)[
      Symbol.for('multiprocess.endTransits')
    ] ?? [])
      end();
  };

  test('gives its object back when nobody can read the message any more, and not before', async () => {
    await using jobs = new Jobs();
    await jobs.start();
    const queue = new Queue<Remote<Box>>();
    const box = await jobs.Box();
    await box.set('kept');
    await queue.put(box);
    box[Symbol.dispose]();
    endTransits();
    expect(await jobs.numberOfObjects()).toBe(1);
    queue.close();
    await eventually(async () => {
      endTransits();
      return (await jobs.numberOfObjects()) === 0;
    }, 'the end of the object');
    const [a, b] = pipe<Remote<Box>>();
    const other = await jobs.Box();
    await a.send(other);
    other[Symbol.dispose]();
    expect(await jobs.numberOfObjects()).toBe(1);
    a.close();
    b.close();
    await eventually(async () => {
      endTransits();
      return (await jobs.numberOfObjects()) === 0;
    }, 'the end of the other one');
  });
});

describe('who ends', () => {
  test('a client that is killed gives back its references, and its calls are aborted', async () => {
    await using jobs = new Jobs();
    await jobs.start();
    const counter = await jobs.Counter();
    const address = jobs.address!;
    const child = await new Process(
      async (c: Remote<Counter>) => {
        const own = new Jobs({ address });
        await own.connect();
        await Promise.all(Array.from({ length: 20 }, () => own.Box()));
        await c.register();
        await c.hang();
      },
      { args: [counter] },
    ).start();
    await eventually(async () => (await counter.clients).length === 1, 'the client');
    expect(await jobs.numberOfObjects()).toBeGreaterThan(1);
    child.kill();
    await child.join();
    await eventually(async () => (await jobs.numberOfObjects()) === 1, 'the end of its objects');
    expect(await counter.clients).toEqual([`+${child.pid}`, `-${child.pid}`]);
  });

  test('a server that is killed rejects what waits and what comes, and names itself', async () => {
    const jobs = new Jobs();
    await jobs.start();
    const counter = await jobs.Counter();
    const box = await jobs.Box();
    const waits = counter.hang();
    const stream = codeOf(counter.callStream('hang').toArray());
    await counter.add(1);
    jobs.process!.kill();
    const error = await waits.then(
      () => null,
      (caught: Error) => caught,
    );
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'MP_MANAGER_LOST' });
    expect(error!.message).toContain(jobs.process!.name);
    expect(await stream).toBe('MP_MANAGER_LOST');
    expect(await codeOf(box.get())).toBe('MP_MANAGER_LOST');
    expect(await codeOf(jobs.Box())).toBe('MP_MANAGER_LOST');
    await jobs.shutdown();
    expect(jobs.process!.exitCode).toBe(-9);
  });

  test('a server whose method ends the process rejects the calls that wait', async () => {
    const jobs = new Jobs();
    await jobs.start();
    expect(await codeOf((await jobs.Counter()).exit())).toBe('MP_MANAGER_LOST');
    await jobs.shutdown();
  });

  test('a server that ends or throws before it serves makes start() reject with the reason', async () => {
    const jobs = new Jobs();
    expect(await codeOf(jobs.start(() => process.exit(3)))).toBe('MP_SERVER_START');
    const other = new Jobs();
    await expect(
      other.start(() => {
        throw new RangeError('not today');
      }),
    ).rejects.toThrow('not today');
    expect(await codeOf(new Jobs().start('no function' as never))).toBe('MP_INVALID_ARGUMENT');
    expect(other.process!.isAlive()).toBe(false);
  });

  test('an initializer runs in the server, before it serves', async () => {
    await using jobs = new Jobs();
    await jobs.start(
      (a: number, b: string) => {
        Object.assign(globalThis, { initialized: [a, b] });
      },
      [1, 'b'],
    );
    class Look extends BaseManager {}
    void Look;
    expect(await (await jobs.Counter()).add(1)).toBe(1);
  });

  test('a server survives Ctrl-C', async () => {
    await using jobs = new Jobs();
    await jobs.start();
    const counter = await jobs.Counter();
    process.kill(jobs.process!.pid!, 'SIGINT');
    expect(await counter.add(1)).toBe(1);
    await jobs.shutdown();
    expect(jobs.process!.exitCode).toBe(0);
  });

  test('a server can be started again at its address, and proxies of the former one reject', async () => {
    const address = `\0mp-restart-${process.pid}`;
    const jobs = new Jobs({ address });
    await jobs.start();
    const client = new Jobs({ address });
    await client.connect();
    const counter = await client.Counter();
    await jobs.shutdown();
    expect(await codeOf(counter.add(1))).toBe('MP_MANAGER_LOST');
    const again = new Jobs({ address });
    await again.start();
    expect(await codeOf(counter.add(1))).toBe('MP_MANAGER_LOST');
    expect(await (await again.Counter()).add(1)).toBe(1);
    await client.shutdown();
    await again.shutdown();
  });

  test('a connection that breaks rejects the calls that wait, and the next call connects again', async () => {
    await using jobs = new Jobs({ address: { host: '127.0.0.1', port: 0 } });
    await jobs.start();
    const { port } = jobs.address as { port: number };
    const sockets = new Set<Socket>();
    const middle = createServer((here) => {
      const there = connect(port, '127.0.0.1');
      for (const socket of [here, there]) {
        sockets.add(socket);
        socket.on('error', () => {});
      }
      here.pipe(there).pipe(here);
    });
    await new Promise<void>((resolve) => middle.listen(0, '127.0.0.1', resolve));
    const shared = await jobs.Counter();
    const box = await jobs.Box();
    await box.set(shared);
    const far = new Jobs({ address: { host: '127.0.0.1', port: (middle.address() as AddressInfo).port } });
    await far.connect();
    const own = await far.Counter();
    await own.add(1);
    const waits = codeOf(own.hang());
    await own.add(1);
    for (const socket of sockets) socket.destroy();
    expect(await waits).toBe('MP_MANAGER_LOST');
    // Nobody else had a proxy of it.
    expect(await codeOf(own.add(1))).toBe('MP_NO_OBJECT');
    expect(await (await far.Counter()).add(5)).toBe(5);
    middle.close();
    for (const socket of sockets) socket.destroy();
    expect(await codeOf(far.Counter())).toBe('MP_MANAGER_LOST');
    await far.shutdown();
    expect(await shared.add(1)).toBe(1);
  });

  test('calls in the wrong state of a manager are refused', async () => {
    const jobs = new Jobs();
    expect(await codeOf(jobs.Counter())).toBe('MP_NOT_STARTED');
    expect(await codeOf(jobs.join())).toBe('MP_NOT_STARTED');
    expect(await codeOf(jobs.connect())).toBe('MP_INVALID_ARGUMENT');
    await jobs.start();
    expect(await codeOf(jobs.start())).toBe('MP_ALREADY_STARTED');
    expect(await codeOf(jobs.join({ timeout: 10 }))).toBe('MP_TIMEOUT');
    await jobs.shutdown();
    await jobs.shutdown();
    expect(await codeOf(jobs.start())).toBe('MP_CLOSED');
    expect(() => new Jobs({ adress: 'x' } as never)).toThrow(/did you mean `address`/);
  });
});
