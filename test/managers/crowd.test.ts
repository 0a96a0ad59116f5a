/**
 * Many clients at once: none fails, none starves, and what those leave behind that are killed is
 * given back.
 */
import { getAllStartMethods, Process } from 'multiprocess';
import { BaseManager, currentCall, type Remote } from 'multiprocess/managers';
import { expect, test } from 'vitest';
import { seeded } from '../support/seeded.js';

class Counter {
  n = 0;
  add(by = 1): number {
    this.n += by;
    return this.n;
  }
}

class Book {
  entries: [number, number][] = [];
  readonly #here = new Set<number>();
  ready = 0;
  enter(): void {
    const { client } = currentCall()!;
    // Threads of a process are clients of their own.
    this.#here.add(client.id);
    client.onEnd(() => void this.#here.delete(client.id));
  }
  here(): number {
    return this.#here.size;
  }
  write(pid: number, calls: number): void {
    this.entries.push([pid, calls]);
  }
  read(): [number, number][] {
    return this.entries;
  }
  async gate(parties: number): Promise<void> {
    this.ready++;
    while (this.ready < parties) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

class Jobs extends BaseManager.with({ Counter, Book }) {}

async function eventually(holds: () => Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

test('clients that are killed at any moment leave no reference, no wait and no object', async () => {
  const { random } = seeded();
  await using jobs = new Jobs();
  await jobs.start();
  const shared = await jobs.Counter();
  const book = await jobs.Book();
  const address = jobs.address!;
  const children = await Promise.all(
    Array.from({ length: 8 }, () =>
      new Process(
        async (counter: Remote<Counter>, entered: Remote<Book>) => {
          await entered.enter();
          const own = new Jobs({ address });
          await own.connect();
          const kept: unknown[] = [];
          for (;;) {
            const made = await own.Counter();
            if (kept.length < 20) kept.push(made);
            await Promise.all([counter.add(1), made.add(1), made.add(2)]);
          }
        },
        { args: [shared, book] },
      ).start(),
    ),
  );
  await eventually(async () => (await book.here()) === 8, 'all clients');
  for (const child of children) {
    await new Promise((resolve) => setTimeout(resolve, random(40)));
    child.kill();
  }
  await Promise.all(children.map((child) => child.join()));
  await eventually(async () => (await book.here()) === 0, 'the end of all clients');
  await eventually(async () => (await jobs.numberOfObjects()) === 2, 'the end of their objects');
  const [first] = (await jobs.debugInfo()).filter(({ typeid }) => typeid === 'Counter');
  expect(first!.references).toBe(1);
  expect(await shared.add(0)).toBeGreaterThan(0);
}, 60_000);

test('fifty clients at once are all served, evenly', async () => {
  await using jobs = new Jobs();
  await jobs.start();
  const counter = await jobs.Counter();
  const book = await jobs.Book();
  const clients = 50;
  const context = getAllStartMethods().includes('forkserver') ? 'forkserver' : 'thread';
  const children = await Promise.all(
    Array.from({ length: clients }, () =>
      new Process(
        async (c: Remote<Counter>, b: Remote<Book>, parties: number) => {
          await c.add(0);
          await b.gate(parties);
          const end = Date.now() + 1_500;
          let calls = 0;
          while (Date.now() < end) {
            await c.add(1);
            calls++;
          }
          await b.write(process.pid, calls);
        },
        { args: [counter, book, clients], context },
      ).start(),
    ),
  );
  await Promise.all(children.map((child) => child.join()));
  expect(children.map((child) => child.exitCode)).toEqual(Array.from({ length: clients }, () => 0));
  const calls = (await book.read()).map(([, n]) => n);
  expect(calls.length).toBe(clients);
  const total = calls.reduce((sum, n) => sum + n, 0);
  expect(await counter.add(0)).toBe(total);
  console.info(`calls of each client: least ${Math.min(...calls)}, mean ${total / clients}`);
  expect(Math.min(...calls)).toBeGreaterThan(0);
  if (context === 'thread') return;
  const { forkserver } = await import('multiprocess/forkserver');
  await forkserver.stop();
}, 60_000);
