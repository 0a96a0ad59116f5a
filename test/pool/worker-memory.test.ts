/** maxMemory: a worker that takes more is replaced, under load, and nothing is lost. And pin. */
import { ArgumentError, Pool, type PoolEvent, type WorkerMemoryEvent } from 'multiprocess';
import { describe, expect, it, vi } from 'vitest';
import { allowedCpus } from '../../src/platform/cpus-linux.js';
import { describeNeeds } from '../support/needs.js';
import { seeded } from '../support/seeded.js';
import { threads, whoami } from '../support/start-method.js';
import { until } from '../support/until.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const MiB = 1 << 20;
/** More than a worker takes by itself: a thread counts its heap, a process all that is resident. */
const LIMIT = (threads ? 60 : 160) * MiB;

/** Keeps another 4 MiB for ever. */
const leak = (x: number): number => {
  const scope = globalThis as { kept?: Uint8Array[] };
  scope.kept ??= [];
  scope.kept.push(new Uint8Array(4 << 20).fill(1));
  return x;
};

function eventsOf(pool: Pool): PoolEvent[] {
  const events: PoolEvent[] = [];
  pool.events.subscribe((event) => events.push(event));
  return events;
}

describe('maxMemory', () => {
  it.each([1, 16])('replaces a worker that leaks, in time, with nothing lost: chunks of %d', async (chunkSize) => {
    await using pool = new Pool({ processes: 2, maxMemory: LIMIT });
    const events = eventsOf(pool);
    const workers = new Map<number, number>();
    const seen: number[] = [];
    let given = 0;
    // The successors need time to start, however slow this machine is.
    function* untilReplaced(): Generator<number> {
      while (workers.size <= 2) yield given++;
    }
    const work = async (x: number): Promise<readonly [number, number]> => {
      leak(x);
      await new Promise((resolve) => setTimeout(resolve, 10));
      return [x, whoami()];
    };
    for await (const [x, worker] of pool.imapUnordered(work, untilReplaced(), { chunkSize })) {
      seen.push(x);
      workers.set(worker, (workers.get(worker) ?? 0) + 1);
    }
    expect(seen.sort((a, b) => a - b)).toEqual(upTo(given));
    expect(workers.size).toBeGreaterThan(2);
    const told = events.filter((event): event is WorkerMemoryEvent => event.type === 'worker-memory');
    expect(told.length).toBeGreaterThan(0);
    for (const { memory, limit, number } of told) {
      expect(memory).toBeGreaterThan(LIMIT);
      expect(limit).toBe(LIMIT);
      expect(number).toBeLessThan(2);
    }
    expect(pool.stats().crashed).toBe(0);
  });

  it('starts the successor before the worker leaves, with the same number', async () => {
    await using pool = new Pool({ processes: 1, maxMemory: LIMIT });
    const events = eventsOf(pool);
    await pool.map(leak, upTo(60), { chunkSize: 1 });
    await until(() => events.some(({ type }) => type === 'worker-exit'), 'the end of the first worker');
    const types = events.map(({ type }) => type);
    const heavy = types.indexOf('worker-memory');
    expect(types[heavy + 1]).toBe('worker-start');
    expect(types.indexOf('worker-exit')).toBeGreaterThan(types.indexOf('worker-ready', heavy));
    expect(new Set(events.map((event) => ('number' in event ? event.number : null)))).toEqual(new Set([0]));
  });

  it('that none can keep is warned of once; everything runs all the same', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    try {
      await using pool = new Pool({ processes: 2, maxMemory: 1 });
      expect(await pool.map((x: number) => 2 * x, upTo(12), { chunkSize: 2 })).toEqual(upTo(12).map((x) => 2 * x));
      expect(
        warn.mock.calls.filter(([, options]) => (options as { code?: string })?.code === 'MP_MAX_MEMORY').length,
      ).toBe(1);
    } finally {
      warn.mockRestore();
    }
  });

  it('settles each item once, beside resizes and deaths', async () => {
    const { random } = seeded('memory: ');
    await using pool = new Pool({ processes: 2, maxMemory: LIMIT, retries: 50 });
    let over = false;
    const trouble = (async () => {
      while (!over) {
        await new Promise((done) => setTimeout(done, 20 + random(60)));
        await pool.resize(1 + random(3));
        const ready = pool.stats().workers.filter(({ state, pid }) => state === 'ready' && pid !== null);
        if (!threads && ready.length > 0 && random(2) === 0) process.kill(ready[random(ready.length)]!.pid!, 'SIGKILL');
      }
    })();
    const seen: number[] = [];
    for await (const x of pool.imapUnordered(leak, upTo(300), { chunkSize: 1 + random(8) })) seen.push(x);
    expect(seen.sort((a, b) => a - b)).toEqual(upTo(300));
    expect(await pool.map(leak, upTo(50))).toEqual(upTo(50));
    over = true;
    await trouble;
  });

  it('refuses what is no size', () => {
    for (const maxMemory of [0, -1, Number.NaN, '1GB' as never])
      expect(() => new Pool({ maxMemory })).toThrow(ArgumentError);
  });
});

describeNeeds('descriptors')('pin', () => {
  const cpus = allowedCpus()!;
  const affinity = (): string =>
    /Cpus_allowed_list:\s*(\S+)/.exec(
      process.getBuiltinModule('node:fs').readFileSync('/proc/thread-self/status', 'utf8'),
    )![1]!;

  it('gives each worker a CPU of those this process may use, in turns', async () => {
    await using pool = new Pool({ processes: cpus.length + 1, pin: true });
    await pool.resize(cpus.length + 1);
    const where = new Map<number, string>();
    while (where.size < cpus.length + 1) {
      for (const [worker, list] of await pool.map(
        async () => {
          await new Promise((done) => setTimeout(done, 5));
          const status = process.getBuiltinModule('node:fs').readFileSync('/proc/thread-self/status', 'utf8');
          return [Number(/^Pid:\s*(\d+)/m.exec(status)![1]), /Cpus_allowed_list:\s*(\S+)/.exec(status)![1]!] as const;
        },
        upTo(3 * cpus.length + 3),
        { chunkSize: 1 },
      ))
        where.set(worker, list);
    }
    expect([...where.values()].sort()).toEqual(
      upTo(cpus.length + 1)
        .map((n) => String(cpus[n % cpus.length]))
        .sort(),
    );
    // This process and its other threads run where they did.
    expect(allowedCpus()).toEqual(cpus);
  });

  it('takes CPUs by their numbers; all threads of a worker process are pinned', async () => {
    const cpu = cpus.at(-1)!;
    await using pool = new Pool({ processes: 2, pin: [cpu] });
    expect(await pool.map(affinity as (x: number) => string, upTo(4))).toEqual(Array(4).fill(String(cpu)));
    if (threads) return;
    const all = await pool.apply(() => {
      const { readdirSync, readFileSync } = process.getBuiltinModule('node:fs');
      return readdirSync('/proc/self/task').map(
        (tid) => /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync(`/proc/self/task/${tid}/status`, 'utf8'))![1]!,
      );
    });
    expect(new Set(all)).toEqual(new Set([String(cpu)]));
  });

  it('refuses CPUs that this process may not use, by their numbers', () => {
    expect(() => new Pool({ pin: [cpus[0]!, 4095] })).toThrow(
      /`pin` names CPU 4095, which this process may not use; it may use /,
    );
    for (const pin of [[], [-1], [0.5], 'yes' as never, 1 as never])
      expect(() => new Pool({ pin })).toThrow(/`pin` must be true, false or an array/);
  });
});
