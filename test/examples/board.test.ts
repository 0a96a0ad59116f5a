/** examples/board: the table is bound to what other processes write. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { DictChange } from 'multiprocess/managers';
import { from, lastValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { replica } from '../../examples/board/replica.js';
import { finished, type Job, table } from '../../examples/board/table.js';

const job = (done: number): Job => ({ pid: 7, done, of: 20 });

describe('the board', () => {
  it('shows jobs of other processes as they end', async () => {
    const main = fileURLToPath(new URL('../../.build/examples/board/main.js', import.meta.url));
    const child = spawn(process.execPath, [main, '3'], { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(child, 'close');
    const [out, problems] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect({ problems, code: (await ended)[0] as number }).toEqual({ problems: '', code: 0 });
    expect(out).toMatch(/^job 1 #{20} 25\/25 \(\d+\)\njob 2 #{20} 25\/25 \(\d+\)\njob 3 #{20} 25\/25 \(\d+\)\n$/);
  });

  it('follows every kind of change, and states that stand for missed ones', async () => {
    const changes: DictChange<string, Job>[] = [
      { type: 'state', entries: [['a', job(1)]], missed: 0 },
      { type: 'set', key: 'b', value: job(2) },
      { type: 'delete', key: 'a' },
      { type: 'clear' },
      { type: 'set', key: 'c', value: job(3) },
      { type: 'state', entries: [['d', job(20)]], missed: 9 },
    ];
    const keysAfter = async (n: number) => [...(await lastValueFrom(replica(from(changes.slice(0, n))))).keys()];
    expect([await keysAfter(1), await keysAfter(2), await keysAfter(3), await keysAfter(4), await keysAfter(5), await keysAfter(6)]).toEqual([
      ['a'], ['a', 'b'], ['b'], [], ['c'], ['d'],
    ]); // biome-ignore format: one line
    await expect(
      lastValueFrom(replica(from([{ type: 'gap', missed: 1 }] as DictChange<string, Job>[]))),
    ).rejects.toThrow('1 changes');
  });

  it('draws a bar for each job, and knows when all are done', () => {
    const jobs = new Map([['bb', job(10)], ['a', job(20)]]); // biome-ignore format: one line
    expect(table(jobs)).toEqual(['a  #################### 20/20 (7)', 'bb ##########.......... 10/20 (7)']);
    expect([finished(jobs, 2), finished(new Map([['a', job(20)]]), 1), finished(new Map(), 1)]).toEqual([
      false,
      true,
      false,
    ]);
  });
});
