/** Runs that outlive their drivers. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { ArgumentError, ClosedError } from 'multiprocess';
import { Agent, DistributedPool } from 'multiprocess/distributed';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { runProgram } from '../support/agents.js';
import { hasNats, type Nats, startNats } from '../support/nats.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const MODULE = new URL('../fixtures/distributed/tasks.js', import.meta.url);
const tasks = createRequire(import.meta.url)(
  fileURLToPath(MODULE),
) as typeof import('../fixtures/distributed/tasks.js');

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe.skipIf(!hasNats)('a durable run', () => {
  let nats: Nats;
  let agent: Agent;

  beforeAll(async () => {
    nats = await startNats();
    agent = await Agent.start({ servers: nats.servers, name: 'durable', processes: 2, lease: 1_000 });
  });
  afterAll(async () => {
    await agent?.stop();
    await nats?.close();
  });

  const durable = (more: object = {}): Promise<DistributedPool> =>
    DistributedPool.connect({ servers: nats.servers, name: 'durable', durable: true, ...more });

  /** Messages of a stream. */
  const stored = async (stream: string): Promise<number> => {
    const connection = await connect({ servers: nats.servers });
    const { state } = await (await jetstreamManager(connection)).streams.info(stream);
    await connection.close();
    return state.messages;
  };

  const nothingLeft = async (): Promise<void> => {
    await expect.poll(() => stored('MP_T_durable'), { timeout: 15_000 }).toBe(0);
    await expect.poll(() => stored('MP_R_durable'), { timeout: 15_000 }).toBe(0);
  };

  test('gives what any run gives, and leaves nothing', async () => {
    await using pool = await durable();
    const source = numbers(500);
    expect(await pool.imap(tasks.self, source).toArray()).toEqual(source);
    const unordered = await pool.imapUnordered(tasks.self, source).toArray();
    expect(unordered.sort((a, b) => a - b)).toEqual(source);
    expect(await pool.map(tasks.default, [1, 2, 3])).toEqual([2, 4, 6]);
    expect(await pool.map(tasks.default, [])).toEqual([]);
    expect(await pool.apply(tasks.add, [1, 2])).toBe(3);
    await expect(pool.apply(tasks.failAt, [3])).rejects.toThrow('three');
    const settled = await pool.imap(tasks.failAt, [1, 3, 4], { errors: 'settle' }).toArray();
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await pool.imap(tasks.failAt, [1, 3, 4], { errors: 'skip' }).toArray()).toEqual([1, 4]);
    await expect(pool.imap(tasks.failAt, [1, 3, 4]).toArray()).rejects.toThrow('three');
    expect(await pool.apply(tasks.lengthOf, [await pool.apply(tasks.bytes, [2_500_000])])).toBe(2_500_000);
    pool.close();
    await pool.join();
    await nothingLeft();
  });

  test.each([true, false])(
    'whose driver is killed goes on, and another has the rest (ordered: %s)',
    async (ordered) => {
      const folder = mkdtempSync(join(tmpdir(), 'multiprocess-durable-'));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const file = join(folder, 'ran');
      const name = `killed-${ordered}`;
      const driver = runProgram('durable-driver.mjs', [
        nats.servers,
        'durable',
        name,
        '200',
        String(ordered),
        '20',
        file,
      ]);
      await until(() => driver.log().split('result').length === 21, 'twenty results');
      await using pool = await durable();
      // Until it is killed the run is its own.
      await expect(pool.resume(name).toArray()).rejects.toMatchObject({ code: 'MP_RUN_BUSY' });
      await expect
        .poll(async () => (await pool.runs()).find(({ run }) => run === name), { timeout: 15_000 })
        .toMatchObject({ items: 200, total: 200, delivered: 20 });
      driver.child.kill('SIGKILL');
      await driver.ended;
      const first = [...driver.log().matchAll(/result (\d+)/g)].map(([, value]) => Number(value));
      const rest = await pool.resume<number>(name).toArray();
      if (ordered) expect([...first, ...rest]).toEqual(numbers(200));
      expect([...first, ...rest].sort((a, b) => a - b)).toEqual(numbers(200));
      expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(200);
      await expect(pool.resume(name).toArray()).rejects.toMatchObject({ code: 'MP_UNKNOWN_RUN' });
      await nothingLeft();
    },
  );

  test('of a pool that is terminated goes on', async () => {
    const first = await durable();
    const stream = first.imap(
      tasks.counted,
      numbers(50).map((i): [number, string] => [i, '']),
      { chunkSize: 1 },
    );
    const { run } = stream;
    const reading = stream[Symbol.asyncIterator]();
    expect(await reading.next()).toEqual({ value: 0, done: false });
    const [info] = await first.runs();
    expect(info).toMatchObject({ run, items: expect.any(Number), since: expect.any(Date) });
    await first.terminate();
    await expect(reading.next()).rejects.toBeInstanceOf(ClosedError);
    await using second = await durable();
    const rest = second.resume<number>(run!);
    expect(await rest.enumerate().toArray()).toEqual(
      numbers(50)
        .slice(1)
        .map((i) => [i, i]),
    );
    await nothingLeft();
  });

  test('of a call and of a map has its result later', async () => {
    const first = await durable();
    const call = first.apply(tasks.wait, [100], { run: 'call' }).catch((error: unknown) => error);
    const map = first.map(tasks.default, [1, 2, 3], { run: 'map', chunkSize: 1 }).catch((error: unknown) => error);
    await until(() => first.stats().unsent === 0 && first.stats().active > 3, 'both to be published');
    await first.terminate();
    expect(await call).toMatchObject({ code: 'MP_POOL_TERMINATED' });
    expect(await map).toMatchObject({ code: 'MP_POOL_TERMINATED' });
    await using second = await durable();
    expect(await second.resume('call').toArray()).toEqual([100]);
    expect(await second.resume('map').toArray()).toEqual([2, 4, 6]);
    await nothingLeft();
  });

  test('whose source was not read to its end says where to go on', async () => {
    const first = await durable();
    function* source() {
      for (let i = 0; ; i++) yield i;
    }
    const reading = first
      .imap(tasks.self, source(), { run: 'endless', window: 10, chunkSize: 2 })
      [Symbol.asyncIterator]();
    for (let i = 0; i < 5; i++) expect(await reading.next()).toEqual({ value: i, done: false });
    await until(() => first.stats().unsent === 0, 'the window to be published');
    await first.terminate();
    await using second = await durable();
    const seen: number[] = [];
    const failure = await second
      .resume<number>('endless')
      .forEachAsync((value) => void seen.push(value))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'MP_RUN_INCOMPLETE', itemIndex: 5 + seen.length });
    expect(seen).toEqual(numbers(20).slice(5, 5 + seen.length));
    expect(seen.length).toBeGreaterThan(0);
    await nothingLeft();
  });

  test('that is left is withdrawn, by whoever reads it', async () => {
    await using first = await durable();
    for await (const value of first.imap(tasks.self, numbers(300), { run: 'left', chunkSize: 1 })) {
      expect(value).toBe(0);
      break;
    }
    await nothingLeft();
    const second = await durable();
    const waiting = second.imap(tasks.wait, Array<number>(40).fill(60_000), { run: 'left', chunkSize: 1 });
    const reading = waiting[Symbol.asyncIterator]();
    const next = reading.next().catch((error: unknown) => error);
    await until(() => agent.info().held > 0 && second.stats().unsent === 0, 'the run to be queued');
    await second.terminate();
    await next;
    const resumed = first.resume('left');
    const again = resumed[Symbol.asyncIterator]();
    const pending = again.next();
    await until(() => first.stats().runs === 1, 'the run to be resumed');
    await again.return();
    await pending;
    await resumed.closed;
    await until(() => agent.info().held === 0, 'the agent to let go');
    await nothingLeft();
  });

  test('is read by one driver: who was taken for dead is told', async () => {
    const driver = runProgram('durable-driver.mjs', [nats.servers, 'durable', 'taken', '60', 'true', '5']);
    await until(() => driver.log().split('result').length === 6, 'five results');
    await using pool = await durable();
    await expect
      .poll(async () => (await pool.runs()).find(({ run }) => run === 'taken'), { timeout: 15_000 })
      .toMatchObject({ delivered: 5 });
    driver.child.kill('SIGSTOP');
    const resumed = pool.resume<number>('taken')[Symbol.asyncIterator]();
    const next = resumed.next();
    // Its question is still open when the first one's is over.
    await delay(1_000);
    await using other = await durable();
    const late = expect(other.resume('taken').toArray()).rejects.toMatchObject({ code: 'MP_RUN_BUSY' });
    const rest = [(await next).value];
    await late;
    for await (const value of { [Symbol.asyncIterator]: () => resumed }) rest.push(value);
    expect(rest).toEqual(numbers(60).slice(5));
    // What lies ready there is delivered already.
    driver.child.kill('SIGUSR2');
    driver.child.kill('SIGCONT');
    await driver.ended;
    expect(driver.log().split('result')).toHaveLength(6);
    expect(driver.log()).toContain('failed MP_');
    await nothingLeft();
  });

  test('is not delivered by who was cut off without hearing of it', async () => {
    const proxy = await TcpProxy.start(nats.port);
    onTestFinished(() => proxy.close());
    const first = await durable({ servers: `nats://127.0.0.1:${proxy.port}` });
    const stream = first.imap(tasks.self, numbers(40), { run: 'unheard' });
    let buffered = 0;
    const watching = stream.progress.subscribe((progress) => (buffered = progress.buffered));
    onTestFinished(() => watching.unsubscribe());
    const reading = stream[Symbol.asyncIterator]();
    expect(await reading.next()).toEqual({ done: false, value: 0 });
    await until(() => buffered === 39, 'all results to lie ready');
    await expect
      .poll(async () => (await first.runs()).find(({ run }) => run === 'unheard'), { timeout: 15_000 })
      .toMatchObject({ delivered: 1 });
    proxy.cutUnheard();
    await using second = await durable();
    expect(await second.resume('unheard').toArray()).toEqual(numbers(40).slice(1));
    // The last answer of the broker counts for a while.
    await delay(1_000);
    expect(first.stats().connected).toBe(true);
    await expect(reading.next()).rejects.toMatchObject({ code: 'MP_RUN_TAKEN' });
    await first.terminate();
    await nothingLeft();
  });

  test('says what is wrong', async () => {
    await using pool = await durable();
    await expect(pool.resume('nobody').toArray()).rejects.toMatchObject({ code: 'MP_UNKNOWN_RUN' });
    expect(() => pool.resume('a b')).toThrow(ArgumentError);
    const first = pool.imap(tasks.wait, [500, 500], { run: 'twice' }).toArray();
    await expect.poll(() => pool.runs(), { timeout: 15_000 }).toMatchObject([{ run: 'twice' }]);
    await expect(pool.resume('twice').toArray()).rejects.toMatchObject({ code: 'MP_RUN_BUSY' });
    await expect(pool.map(tasks.self, [1], { run: 'twice' })).rejects.toMatchObject({ code: 'MP_RUN_EXISTS' });
    await expect(pool.apply(tasks.self, [1], { run: 'twice' })).rejects.toMatchObject({ code: 'MP_RUN_EXISTS' });
    expect(await first).toEqual([500, 500]);
    await using other = await DistributedPool.connect({ servers: nats.servers, name: 'durable' });
    expect(() => other.imap(tasks.self, [1], { run: 'x' })).toThrow('durable: true');
    await nothingLeft();
  });

  test('goes on while the broker is away and comes back', async () => {
    const pool = await durable();
    const results: number[] = [];
    const reading = pool
      .imap(tasks.briefly, numbers(400), { run: 'broker', chunkSize: 2, window: 64 })
      .forEachAsync((value) => void results.push(value as number));
    await until(() => results.length > 20, 'some results');
    await nats.kill();
    await until(() => !pool.stats().connected, 'the loss to be seen');
    await nats.restart();
    await reading;
    expect(results).toEqual(numbers(400));
    await pool.terminate();
    await nothingLeft();
  });
});
