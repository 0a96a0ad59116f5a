/** Each task has an async context of its own. */
import { Pool } from 'multiprocess/pool';
import { expect, it } from 'vitest';

type Storage = { enterWith(value: string): void; getStore(): string | undefined };

/** The storage of a worker: one for all tasks that run there. */
function storage(): Storage {
  const scope = globalThis as unknown as { storage?: Storage };
  const { AsyncLocalStorage } = process.getBuiltinModule('node:async_hooks');
  scope.storage ??= new AsyncLocalStorage<string>();
  return scope.storage;
}

/** What was there, after which `name` is entered at once, or after a wait. */
async function enter({ name, wait }: { name: string; wait: boolean }): Promise<(string | undefined)[]> {
  const before = storage().getStore();
  if (wait) await new Promise((done) => setImmediate(done));
  storage().enterWith(name);
  const after = storage().getStore();
  if (wait) await null;
  return [before, after, storage().getStore()];
}

/** As {@link enter}, without waiting. */
function enterNow(name: string): (string | undefined)[] {
  const before = storage().getStore();
  storage().enterWith(name);
  return [before, storage().getStore()];
}

it.each([1, 'auto'] as const)('what a task enters is not there in the next one (chunks: %s)', async (chunkSize) => {
  await using pool = new Pool({ processes: 1 });
  const names = Array.from({ length: 30 }, (_, i) => `task ${i}`);
  const now = await pool.map(enterNow, names, { chunkSize });
  expect(now).toEqual(names.map((name) => [undefined, name]));
  for (const wait of [false, true]) {
    const items = names.map((name) => ({ name, wait }));
    expect(await pool.map(enter, items, { chunkSize })).toEqual(names.map((name) => [undefined, name, name]));
  }
  expect(await Promise.all(names.map((name) => pool.apply(enterNow, [name])))).toEqual(
    names.map((name) => [undefined, name]),
  );
  for (const name of names.slice(0, 5)) expect(await pool.apply(enterNow, [name])).toEqual([undefined, name]);
});

it('what the initializer enters is there in every task', async () => {
  await using pool = new Pool({
    processes: 1,
    initializer: () => {
      storage().enterWith('initial');
    },
  });
  for (const name of ['a', 'b']) expect(await pool.apply(enterNow, [name])).toEqual(['initial', name]);
  expect(await pool.map(enterNow, ['c', 'd', 'e'])).toEqual(['c', 'd', 'e'].map((name) => ['initial', name]));
});

it('a task keeps its context when it fails, and gives it to what it starts', async () => {
  await using pool = new Pool({ processes: 1 });
  const failing = () => {
    storage().enterWith('failed');
    throw new Error('on purpose');
  };
  await expect(pool.apply(failing)).rejects.toThrow('on purpose');
  const started = () =>
    new Promise<string | undefined>((done) => {
      const before = storage().getStore();
      storage().enterWith('mine');
      setTimeout(() => done(before ?? storage().getStore()), 1);
    });
  expect(await pool.apply(started)).toBe('mine');
});
