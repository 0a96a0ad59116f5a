/**
 * What a thread held that is terminated: no JavaScript runs in it any more that could give it back.
 */
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Client, Listener, pipe } from 'multiprocess/connection';
import { ThreadPool } from 'multiprocess/pool';
import { Process } from 'multiprocess/process';
import { dumps } from 'multiprocess/reduction';
import { getTempDir } from 'multiprocess/util';
import { expect, it } from 'vitest';
import { until } from '../support/until.js';

const HOLDER = new URL('../fixtures/process/holder-thread.mjs', import.meta.url);

/** What is open, by number and file; not what Node and this test open for themselves. */
function descriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`];
    } catch {
      return [];
    }
  });
}

/** How many are open of each kind. */
function census(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const entry of descriptors()) {
    const kind = entry.replace(/^\d+ /, '').replace(/\d+/g, '');
    if (!/^\/proc/.test(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

async function hold(stubborn: boolean): Promise<void> {
  const [mine, theirs] = pipe<string>();
  const thread = new Worker(HOLDER, { workerData: { connection: dumps(theirs), stubborn } });
  const [held] = await once(thread, 'message');
  theirs.close();
  const end = mine.recv().catch((error: unknown) => error);
  await thread.terminate();
  expect(await end).toMatchObject({ code: 'MP_CONNECTION_EOF' });
  mine.close();
  await expect(Client(held.address)).rejects.toMatchObject({ code: 'MP_CONNECTION_REFUSED' });
  expect(existsSync(dirname(held.address))).toBe(false);
  expect(existsSync(held.named)).toBe(false);
  expect(existsSync(held.folder)).toBe(false);
  await until(() => held.pids.every((pid: number) => !alive(pid)), 'the end of its children');
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it.each([false, true])(
  'a worker thread of the program leaves nothing when it is terminated (in a loop: %s)',
  async (stubborn) => {
    await hold(stubborn);
    await same(async () => {
      for (let i = 0; i < 3; i++) await hold(stubborn);
    });
  },
  60_000,
);

/** Whether as much is open after `body` as before. */
async function same(body: () => Promise<void>): Promise<void> {
  const before = census();
  await body();
  await until(() => JSON.stringify(census()) === JSON.stringify(before), 'the end of all descriptors').catch(() =>
    expect(census()).toEqual(before),
  );
}

/** What a thread makes and holds for ever. Returns where its listeners are. */
async function listens(): Promise<string[]> {
  const { Listener } = await import('multiprocess/connection');
  const { getTempDir } = await import('multiprocess/util');
  const listeners = [await Listener.listen(), await Listener.listen({ address: `${getTempDir()}/named` })];
  (globalThis as { kept?: unknown }).kept = listeners;
  return listeners.map(({ address }) => address as string);
}

it('a worker of a ThreadPool leaves nothing when the pool is terminated', async () => {
  const round = async () => {
    const pool = new ThreadPool({ processes: 2 });
    const addresses = await pool.apply(listens);
    expect(addresses.map((address) => existsSync(address))).toEqual([true, true]);
    await pool.terminate();
    for (const address of addresses) {
      expect(existsSync(dirname(address))).toBe(false);
      await expect(Client(address)).rejects.toMatchObject({ code: 'MP_CONNECTION_REFUSED' });
    }
  };
  await round();
  await same(round);
});

it('a Process that is a thread leaves nothing when it is terminated', async () => {
  const round = async () => {
    const [mine, theirs] = pipe<string[]>();
    const thread = new Process(
      async (connection: typeof theirs) => {
        await connection.send(await listens());
        await new Promise(() => setInterval(() => {}, 1000));
      },
      { args: [theirs], context: 'thread' },
    );
    await thread.start();
    theirs.close();
    const addresses = await mine.recv();
    const end = mine.recv().catch((error: unknown) => error);
    thread.terminate();
    await thread.join();
    expect(await end).toMatchObject({ code: 'MP_CONNECTION_EOF' });
    for (const address of addresses) expect(existsSync(dirname(address))).toBe(false);
    mine.close();
    thread.close();
  };
  await round();
  await same(round);
});

it('a terminated thread leaves a socket file alone that another thread listens at by now', async () => {
  const address = `${getTempDir()}/taken`;
  const thread = new Worker(HOLDER, { workerData: { connection: dumps(1), stubborn: false, address } });
  await once(thread, 'message');
  rmSync(address);
  const listener = await Listener.listen({ address });
  await thread.terminate();
  const [client, server] = await Promise.all([Client(address), listener.accept()]);
  client.close();
  server.close();
  listener.close();
});
