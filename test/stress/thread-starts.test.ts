/** Pools of threads that are terminated while they start: nothing stays behind (see support/leaks.ts), and the process lives. */
import { ThreadPool } from 'multiprocess';
import { expect, it } from 'vitest';
import { seeded } from '../support/seeded.js';

const POOLS = Number(process.env['MULTIPROCESS_STORM_POOLS'] ?? 25);

it(`${POOLS} pools end at any moment of the start of their threads`, { timeout: 30_000 + 1_000 * POOLS }, async () => {
  const { random } = seeded();
  for (let i = 0; i < POOLS; i++) {
    const pool = new ThreadPool({ processes: 3 });
    const call = pool.apply((x: number) => x, [i]).catch((error: { code?: string }) => error.code);
    await new Promise((done) => setTimeout(done, random(80)));
    await pool.terminate();
    await pool.join();
    expect([i, 'MP_POOL_TERMINATED']).toContain(await call);
  }
});
