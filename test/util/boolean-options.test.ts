/** No option that is a boolean takes anything else: `'false'` would be true. */
import { readdirSync, readFileSync } from 'node:fs';
import {
  ArgumentError,
  Connection,
  getStartMethod,
  manager,
  Pool,
  Process,
  pipe,
  poolMap,
  Queue,
  setStartMethod,
  throughQueue,
  toQueue,
  Value,
} from 'multiprocess';
import { Agent, DistributedPool } from 'multiprocess/distributed';
import { BaseManager, type SyncManager } from 'multiprocess/managers';
import { afterAll, beforeAll, expect, it } from 'vitest';

class Counter {}
const servers = 'nats://localhost:1';
let pool: Pool;
let queue: Queue<number>;
let server: SyncManager;
beforeAll(async () => {
  pool = new Pool({ processes: 1 });
  queue = new Queue<number>();
  server = await manager();
});
afterAll(async () => {
  queue.close();
  await pool.terminate();
  await server.shutdown();
});

/** Who takes it, and how, by the name of the option. */
const takers: Record<string, Record<string, (value: never) => unknown>> = {
  allowFunctions: { 'Agent.start': (allowFunctions) => Agent.start({ name: 'x', servers, allowFunctions }) },
  allowNone: { getStartMethod: (allowNone) => getStartMethod({ allowNone }) },
  createMethod: { register: (createMethod) => BaseManager.register('Made', Counter as never, { createMethod }) },
  daemon: {
    Process: (daemon) => new Process(() => {}, { daemon }),
    'Process.daemon': (daemon) => Object.assign(new Process(() => {}), { daemon }),
  },
  duplex: { pipe: (duplex) => pipe({ duplex }) },
  durable: { 'DistributedPool.connect': (durable) => DistributedPool.connect({ name: 'x', servers, durable }) },
  end: { toQueue: (end) => toQueue(queue, { end }), throughQueue: (end) => throughQueue(queue, { end }) },
  force: { setStartMethod: (force) => setStartMethod('spawn', { force }) },
  immediate: { 'Queue.shutdown': async (immediate) => (await server.Queue()).shutdown({ immediate }) },
  lasting: { register: (lasting) => BaseManager.register('Lasting', Counter as never, { lasting }) },
  lock: { Value: (lock) => new Value('i', 0, { lock }) },
  ordered: { poolMap: (ordered) => poolMap(pool, (n: number) => n, { ordered }) },
  pin: { Pool: (pin) => new Pool({ pin }) },
  readable: { Connection: (readable) => new Connection(0, { readable }) },
  reverse: { 'list.sort': async (reverse) => (await server.list([2, 1])).sort({ reverse }) },
  tls: { 'DistributedPool.connect': (tls) => DistributedPool.connect({ name: 'x', servers, tls }) },
  writable: { Connection: (writable) => new Connection(0, { writable }) },
};

it('knows every one of the public interface', () => {
  const api = new URL('../../etc/api/', import.meta.url);
  const names = readdirSync(api).flatMap((file) =>
    [...readFileSync(new URL(file, api), 'utf8').matchAll(/(\w+)\?: boolean\b/g)].map(([, name]) => name as string),
  );
  expect([...new Set(names)].sort()).toEqual(Object.keys(takers));
});

const cases = Object.entries(takers).flatMap(([name, by]) =>
  Object.entries(by).flatMap(([actor, take]) => ['false', 3, null].map((value) => ({ name, actor, value, take }))),
);
// A lock that is null is one of Python's.
it.each(cases.filter(({ name, value }) => name !== 'lock' || value !== null))(
  '$actor refuses `$name: $value`',
  async ({ name, value, take }) => {
    const error = await (async () => take(value as never))().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toContain(name);
    expect((error as Error).message).toMatch(
      name === 'tls' ? 'must be an object' : /true or false|true, false|a boolean/,
    );
  },
);

it('takes true, false and undefined', async () => {
  for (const duplex of [true, false, undefined]) for (const end of pipe({ duplex })) end.close();
  const list = await server.list([1, 2]);
  await list.sort({ reverse: true });
  expect(await list.copy()).toEqual([2, 1]);
  await list.sort({ reverse: undefined });
  expect(await list.copy()).toEqual([1, 2]);
  await expect(list.sort({ revers: true } as never)).rejects.toThrow('did you mean `reverse`?');
});
