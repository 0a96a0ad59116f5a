import { Barrier, BrokenBarrierError } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import { mortal } from '../support/mortal.js';
import { until } from '../support/until.js';

describe('Barrier', () => {
  it('breaks when a party that waits is killed', async () => {
    const barrier = new Barrier(3);
    const party = await mortal('waitBarrier', { barrier });
    await until(() => barrier.nWaiting === 1, 'a party');
    const here = barrier.wait();
    const caught = expect(here).rejects.toThrow(BrokenBarrierError);
    await party.kill();
    await caught;
    expect(barrier.broken).toBe(true);
    barrier.reset();
    expect(await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()])).toEqual([0, 1, 2]);
  });

  it('rejects an aborted wait with the reason, and breaks for the others', async () => {
    const barrier = new Barrier(3);
    const abort = new AbortController();
    const aborted = barrier.wait({ signal: abort.signal });
    const other = barrier.wait();
    const caught = [expect(aborted).rejects.toThrow('enough'), expect(other).rejects.toThrow(BrokenBarrierError)];
    abort.abort(new Error('enough'));
    await Promise.all(caught);
  });

  it('breaks when its action fails, with that error for the party that ran it', async () => {
    const barrier = new Barrier(2, {
      action: () => {
        throw new Error('no action');
      },
    });
    const first = barrier.wait();
    const caught = expect(first).rejects.toThrow(BrokenBarrierError);
    await expect(barrier.wait()).rejects.toThrow('no action');
    await caught;
    expect(String(barrier)).toBe('<Barrier broken>');
  });
});
