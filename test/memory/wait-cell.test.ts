import { getEventListeners, once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { Region, WaitCell } from '../../src/memory/index.js';
import { futexWaitAsync } from '../../src/native/index.js';
import { startFixture } from '../support/fixture-process.js';
import { nearly } from '../support/nearly.js';

const regions: Region[] = [];
const workers: Worker[] = [];

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
  for (const region of regions.splice(0)) region.close();
});

function keep(region: Region): Region {
  regions.push(region);
  return region;
}

const turn = () => new Promise((done) => setImmediate(done));

const kinds = {
  'memory of processes (futex)': () => keep(Region.create(4096, 'wait cell')),
  'memory of threads (Atomics)': () => keep(Region.local(4096)),
};

describe.each(Object.entries(kinds))('a wait cell in %s', (_, create) => {
  it('is a word with atomic operations, at its offset', () => {
    const region = create();
    const cell = new WaitCell(region, 8);
    cell.store(5);
    expect(cell.add(-7)).toBe(5);
    expect(cell.load()).toBe(-2);
    expect(cell.compareAndSet(5, 1)).toBe(false);
    expect(cell.compareAndSet(-2, 1)).toBe(true);
    expect([...new Int32Array(region.buffer, 0, 4)]).toEqual([0, 0, 1, 0]);
  });

  it('ends a wait at once when the word is not as expected', async () => {
    const cell = new WaitCell(create(), 0);
    expect(cell.waitSync(1)).toBe('changed');
    expect(await cell.wait(1)).toBe('changed');
    expect(await cell.wait(1, { signal: new AbortController().signal })).toBe('changed');
  });

  it('ends a wait after its time limit, not before', async () => {
    const cell = new WaitCell(create(), 0);
    let start = performance.now();
    expect(cell.waitSync(0, 30)).toBe('timed-out');
    expect(performance.now() - start).toBeGreaterThanOrEqual(30);
    start = performance.now();
    expect(await cell.wait(0, { timeout: 30 })).toBe('timed-out');
    expect(performance.now() - start).toBeGreaterThanOrEqual(nearly(30));
    expect(await cell.wait(0, { timeout: 0 })).toBe('timed-out');
    expect(cell.waitSync(0, 0)).toBe('timed-out');
  });

  it('wakes as many as asked for', async () => {
    const cell = new WaitCell(create(), 0);
    let ended = 0;
    const waits = Array.from({ length: 4 }, () => cell.wait(0).then(() => ended++));
    // The word stays as it is, so that only a wake-up ends a wait.
    let woken = 0;
    while (woken === 0) {
      woken = cell.notify(1);
      await turn();
    }
    cell.store(1);
    cell.notify();
    await Promise.all(waits);
    expect(ended).toBe(4);
    expect(cell.notify()).toBe(0);
  });

  it('rejects with the reason of its signal, before and during the wait', async () => {
    const cell = new WaitCell(create(), 0);
    const reason = new Error('enough');
    await expect(cell.wait(0, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const wait = cell.wait(0, { signal: controller.signal });
    controller.abort(reason);
    await expect(wait).rejects.toBe(reason);
    const other = new AbortController();
    const late = cell.wait(0, { signal: other.signal });
    await turn();
    other.abort();
    await expect(late).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('leaves no listener on a signal that outlives its waits', async () => {
    const cell = new WaitCell(create(), 0);
    const { signal } = new AbortController();
    await cell.wait(0, { signal, timeout: 1 });
    const wait = cell.wait(0, { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    cell.store(1);
    cell.notify();
    await wait;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('loses no wake-up to a wait that was aborted before it', async () => {
    const cell = new WaitCell(create(), 0);
    for (let round = 0; round < 50; round++) {
      const controller = new AbortController();
      const first = cell.wait(round, { signal: controller.signal }).catch(() => 'aborted');
      const second = cell.wait(round);
      if (round % 2 === 0) await turn();
      controller.abort();
      cell.store(round + 1);
      cell.notify(1);
      expect(await first).toBe('aborted');
      expect(await second).toMatch(/woken|changed/);
    }
  });

  it('loses no wake-up to a wait that is aborted just after it took it', async () => {
    const cell = new WaitCell(create(), 0);
    for (let round = 0; round < 50; round++) {
      const controller = new AbortController();
      const first = cell.wait(round, { signal: controller.signal }).catch(() => 'aborted');
      const second = cell.wait(round);
      if (round % 2 === 0) await turn();
      cell.store(round + 1);
      cell.notify(1);
      controller.abort();
      expect(await first).toBe('aborted');
      expect(await second).toMatch(/woken|changed/);
    }
  });
});

describe('across processes', () => {
  it.each(['sync', 'async'])('a %s wait is woken', async (does) => {
    const region = keep(Region.create(64, 'test'));
    const cell = new WaitCell(region, 0);
    const child = startFixture('memory/wait-cell.mjs', { args: [does, 0, 0], fds: [region.descriptor] });
    expect(await child.line()).toBe('waiting');
    while (cell.notify(1) === 0) await turn();
    expect(await child.line()).toBe('woken');
    expect(await child.ended).toBe(0);
  });

  it.each(['sync', 'async'])('a %s wait sees a change that came before it', async (does) => {
    const region = keep(Region.create(64, 'test'));
    new WaitCell(region, 0).store(1);
    const child = startFixture('memory/wait-cell.mjs', { args: [does, 0, 0], fds: [region.descriptor] });
    expect(await child.line()).toBe('waiting');
    expect(await child.line()).toBe('changed');
    expect(await child.ended).toBe(0);
  });

  it('a wait that is aborted in the turn in which it ended hands on the wake-up that it took', async () => {
    const rounds = 40;
    const region = keep(Region.create(64, 'test'));
    const cell = (word: number) => new WaitCell(region, 4 * word);
    const [first, aborted, reported, never, gate, place] = [cell(0), cell(1), cell(2), cell(3), cell(4), cell(5)];
    const child = startFixture('memory/wait-cell.mjs', { args: ['rounds', 1, rounds], fds: [region.descriptor] });
    for (let round = 0; round < rounds; round++) {
      const controller = new AbortController();
      // All three sleep in one thread, which may be told of one wake-up only: then the others end as changed.
      const opening = futexWaitAsync(first.words, first.index, round, Number.POSITIVE_INFINITY);
      void opening.promise.then(() => controller.abort());
      const middle = aborted.wait(round, { signal: controller.signal }).catch(() => 'aborted');
      const last = reported.wait(round);
      never.waitSync(0, 5);
      // Now the child, which so is behind them in the queue of the word that it shares with the one in the middle.
      gate.store(round + 1);
      gate.notify();
      while (place.load() === round)
        if (place.waitSync(round, 10_000) === 'timed-out') expect.fail('The child does not wait.');
      never.waitSync(0, 5);
      for (const one of [first, aborted, reported]) one.store(round + 1);
      aborted.notify(1);
      reported.notify(1);
      first.notify(1);
      // The loop must not turn before all of them have ended.
      never.waitSync(0, 5);
      await Promise.all([middle, last]);
      expect(await child.line()).toMatch(/woken|changed/);
    }
    expect(await child.ended).toBe(0);
  });

  it('a wait goes on when its region is closed, until it is aborted', async () => {
    const region = Region.create(64, 'test');
    const controller = new AbortController();
    const wait = new WaitCell(region, 0).wait(0, { signal: controller.signal });
    region.close();
    await turn();
    controller.abort();
    await expect(wait).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('across threads', () => {
  async function thread(region: Region, does: string): Promise<() => Promise<string>> {
    const worker = new Worker(new URL('../fixtures/memory/wait-cell-thread.mjs', import.meta.url), {
      workerData: { buffer: region.buffer, does },
    });
    workers.push(worker);
    const messages: string[] = [];
    worker.on('message', (message) => messages.push(message));
    const next = async (): Promise<string> => {
      while (messages.length === 0) await Promise.race([once(worker, 'message'), once(worker, 'exit')]);
      return messages.shift()!;
    };
    expect(await next()).toBe('waiting');
    return next;
  }

  it.each(['sync', 'async'])('a %s wait is woken', async (does) => {
    const region = keep(Region.local(64));
    const next = await thread(region, does);
    while (new WaitCell(region, 0).notify(1) === 0) await turn();
    expect(await next()).toBe('woken');
  });

  it('an aborted wait does not take the wake-up of a later one that blocks the same thread', async () => {
    const region = keep(Region.local(64));
    const cell = new WaitCell(region, 0);
    const next = await thread(region, 'abort-then-sync');
    // One wake-up, for the one who sleeps: what the aborted wait left behind must not be counted as a sleeper.
    while (cell.notify(1) === 0) await turn();
    expect(await next()).toBe('woken');
  });
});
