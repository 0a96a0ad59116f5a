/** What a worker knows of the program that it works for, by every start method. */
import { currentProcess, getAllStartMethods, Pool, parentProcess } from 'multiprocess';
import { forkserver } from 'multiprocess/forkserver';
import { afterAll, describe, expect, it } from 'vitest';

afterAll(() => forkserver.stop());

describe.each(getAllStartMethods())('a worker started by %s', (context) => {
  it('has the key of its program, by which it connects to what the program serves', async () => {
    const key = Buffer.from(currentProcess().authkey).toString('hex');
    await using pool = new Pool({ processes: 1, context });
    expect(await pool.apply(() => Buffer.from(currentProcess().authkey).toString('hex'))).toBe(key);
  });

  it('knows the program as its parent', async () => {
    await using pool = new Pool({ processes: 1, context });
    const parent = await pool.apply(() => {
      const told = parentProcess()!;
      return { pid: told.pid, name: told.name, alive: told.isAlive() };
    });
    expect(parent).toEqual({ pid: process.pid, name: currentProcess().name, alive: true });
  });

  it('has the state that modules give to children: the level of the log', async () => {
    const { getLogger } = await import('multiprocess/util');
    const before = getLogger().level;
    getLogger().setLevel(15);
    try {
      await using pool = new Pool({ processes: 1, context });
      expect(await pool.apply(async () => (await import('multiprocess/util')).getLogger().level)).toBe(15);
    } finally {
      getLogger().setLevel(before);
    }
  });
});
