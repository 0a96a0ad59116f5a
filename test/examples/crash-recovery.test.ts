/** examples/crash-recovery: workers die, and every item but the poison has its result. */
import type { PoolStats } from 'multiprocess/pool';
import { describe, expect, it } from 'vitest';
import { longestChain } from '../../examples/crash-recovery/collatz.js';
import { view } from '../../examples/crash-recovery/view.js';
import { runExample } from '../support/example-program.js';

describe('crash recovery', () => {
  it('finds what one process finds, though workers are killed and one item kills each that takes it', async () => {
    const { stdout, stderr, code } = await runExample('crash-recovery/main', ['200000']);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const kills = Number(/^300 items settled, 1 given up, (\d+) workers killed from outside$/m.exec(stdout)![1]);
    expect(kills).toBeGreaterThan(0);
    // Four of them died of the poison. One that was killed with its result sent may have died after it, unseen.
    const lost = stdout.match(/^worker \d, process \d+, was lost by SIGKILL$/gm)!.length;
    expect(lost).toBeGreaterThanOrEqual(4);
    expect(lost).toBeLessThanOrEqual(4 + kills);
    expect(stdout.match(/^item 13 runs again, attempt \d$/gm)).toEqual(
      [1, 2, 3].map((n) => `item 13 runs again, attempt ${n}`),
    );
    expect(stdout).toMatch(/^item 13 was given up: SpawnPoolWorker-\d+ \(pid \d+\) was ended by SIGKILL /m);
    const { start, length } = longestChain(0, 200_000);
    expect(stdout).toContain(`the longest chain below 200000 starts at ${start} and has ${length} numbers\n`);
  });

  it('shows each worker in the place of the one that it stands in for, and what happened last', () => {
    const worker = (number: number, pid: number) => ({ number, pid, state: 'ready', done: pid });
    const stats = { crashed: 1, workers: [worker(1, 11), worker(0, 12)] } as unknown as PoolStats;
    expect(view(stats, 5, 20, ['1', '2', '3', '4', '5', '6', '7'])).toEqual([
      '######.................. 5/20 settled, workers lost: 1',
      'worker 0  process 12  ready     12 done',
      'worker 1  process 11  ready     11 done',
      ...['2', '3', '4', '5', '6', '7'],
    ]);
  });

  it('counts chains', () => {
    expect(longestChain(0, 10)).toEqual({ start: 9, length: 20 });
    expect(longestChain(0, 1_000_000)).toEqual({ start: 837_799, length: 525 });
  });
});
