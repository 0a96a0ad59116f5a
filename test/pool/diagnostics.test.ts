/** What a pool tells node:diagnostics_channel. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Pool } from 'multiprocess';
import { afterEach, describe, expect, it } from 'vitest';
import { threads } from '../support/start-method.js';

const messages: [string, unknown][] = [];
const listen = (message: unknown, name: string | symbol): void => void messages.push([String(name), message]);
const names = ['process:start', 'process:exit', 'process:crash', 'task:settle'].map((name) => `multiprocess:${name}`);
afterEach(() => {
  for (const name of names) unsubscribe(name, listen);
  messages.length = 0;
});

const of = (name: string): unknown[] =>
  messages.filter(([channel]) => channel === `multiprocess:${name}`).map(([, message]) => message);

describe('diagnostics channels', () => {
  it('tell of starts, settled tasks, crashes and ends', async () => {
    for (const name of names) subscribe(name, listen);
    const pool = new Pool({ processes: 1 });
    const { name, pid } = pool.stats().workers[0]!;
    const method = threads ? 'thread' : 'spawn';
    await pool.map((x: number) => x, [1, 2, 3]);
    await pool
      .apply((): never => {
        throw new Error('own');
      })
      .catch(() => {});
    await pool.apply(() => process.exit(4)).catch(() => {});
    await pool.apply(() => 1);
    pool.close();
    await pool.join();
    expect(of('process:start')[0]).toEqual({ name, pid, method });
    expect(of('process:start')).toHaveLength(2);
    expect(of('task:settle')).toHaveLength(5);
    expect(of('task:settle').slice(2, 4)).toEqual([
      { name, pid, failed: false },
      { name, pid, failed: true },
    ]);
    expect(of('process:exit')[0]).toEqual({ name, pid, method, exitCode: 4 });
    expect(of('process:exit')).toHaveLength(2);
    expect(of('process:crash')).toEqual([
      { name, pid, method, exitCode: 4, error: expect.objectContaining({ code: 'MP_WORKER_CRASH' }) },
    ]);
  });

  it('tell of the begin and end of tasks where they run', async () => {
    await using pool = new Pool({ processes: 1 });
    await pool.apply(() => {
      const seen: unknown[] = [];
      (globalThis as { seen?: unknown[] }).seen = seen;
      const { subscribe: listenTo } = process.getBuiltinModule('node:diagnostics_channel');
      listenTo('multiprocess:task:start', (message) => seen.push(['start', message]));
      listenTo('multiprocess:task:end', (message) => seen.push(['end', (message as { error?: Error }).error?.message]));
    });
    await pool
      .apply((): never => {
        throw new Error('own');
      })
      .catch(() => {});
    const seen = await pool.apply(() => (globalThis as { seen?: unknown[] }).seen);
    // The task that subscribed has an end only; that of the one that asks is told before its value is sent.
    const [start, end] = [
      ['start', { attempt: 0 }],
      ['end', undefined],
    ];
    expect(seen).toEqual([end, start, ['end', 'own'], start, end]);
  });
});
