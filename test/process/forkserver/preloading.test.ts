/** Modules that the template preloads and that fail, or never finish loading. */
import { Pool, Process, setForkserverPreload } from 'multiprocess';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forkserver } from '../../../dist/process/forkserver/index.js';

const module = (code: string): string => `data:text/javascript,${code}`;
const THROWS = module('throw new TypeError("on purpose")');
const REJECTS = module('Promise.reject(new Error("later"));');
const ABSENT = '/nowhere/module.mjs';
const PENDING = module('setInterval(() => {}, 1_000); await new Promise(() => {});');
const IDLE = module('await new Promise(() => {});');
const start = () => new Process(() => {}, { context: 'forkserver' }).start();

let warnings: { code?: string; message: string }[] = [];
const listen = (warning: Error): void => void warnings.push(warning);
beforeEach(() => {
  warnings = [];
  process.on('warning', listen);
});
afterEach(async () => {
  process.off('warning', listen);
  setForkserverPreload([]);
  await forkserver.stop();
});

describe('a module that cannot be preloaded', () => {
  it.each([undefined, { onError: 'warn' as const }])(
    '%o: is warned about by its name, and children start',
    async (options) => {
      setForkserverPreload([ABSENT, THROWS, REJECTS, 'node:os'], options);
      expect(await (await start()).exited).toBe(0);
      expect(warnings.map(({ code }) => code)).toEqual(['MP_PRELOAD_FAILED', 'MP_PRELOAD_FAILED', 'MP_PRELOAD_FAILED']);
      for (const [i, name] of [ABSENT, THROWS, REJECTS].entries()) expect(warnings[i]!.message).toContain(name);
      expect(warnings[1]!.message).toContain('on purpose');
    },
  );

  it('is warned about nowhere with "ignore"', async () => {
    setForkserverPreload([ABSENT, THROWS], { onError: 'ignore' });
    expect(await (await start()).exited).toBe(0);
    expect(warnings).toEqual([]);
  });

  it.each([ABSENT, THROWS, REJECTS])('%s: fails every start with "fail"', async (name) => {
    setForkserverPreload(['node:os', name], { onError: 'fail' });
    const results = await Promise.allSettled([start(), start()]);
    for (const result of results) {
      expect(result.status).toBe('rejected');
      const { reason } = result as PromiseRejectedResult;
      expect(reason.code).toBe('MP_PRELOAD_FAILED');
      expect(reason.message).toContain(name);
    }
    await expect(new Pool({ processes: 1, context: 'forkserver' }).apply(() => 1)).rejects.toMatchObject({
      code: 'MP_WORKER_CRASH',
    });
    // The same names, and another opinion on them.
    setForkserverPreload(['node:os', name], { onError: 'ignore' });
    expect(await (await start()).exited).toBe(0);
  });

  it('options are checked', () => {
    expect(() => setForkserverPreload([], { onError: 'throw' as never })).toThrow(
      /onError.*'ignore', 'warn' or 'fail'/,
    );
    expect(() => setForkserverPreload([], { onerror: 'fail' } as never)).toThrow(/onerror/);
  });
});

describe('a module that never finishes loading', () => {
  it.each([PENDING, IDLE])('%s: fails starts by its name', async (name) => {
    setForkserverPreload(['node:os', name]);
    const results = await Promise.allSettled([start(), start()]);
    for (const result of results) {
      const { reason } = result as PromiseRejectedResult;
      expect(reason).toMatchObject({ code: 'MP_PRELOAD_TIMEOUT' });
      expect(reason.message).toContain(name);
    }
    setForkserverPreload(['node:os']);
    expect(await (await start()).exited).toBe(0);
  });

  it('does not block terminate() and kill(), nor later children without it', async () => {
    setForkserverPreload([PENDING]);
    const pool = new Pool({ processes: 2, context: 'forkserver' });
    const result = expect(pool.apply(() => 1)).rejects.toMatchObject({ code: 'MP_POOL_TERMINATED' });
    const child = new Process(() => {}, { context: 'forkserver' });
    const other = new Process(() => {}, { context: 'forkserver' });
    const starts = [child.start(), other.start()];
    await pool.terminate();
    await result;
    child.kill();
    other.terminate();
    await Promise.all(starts);
    expect([await child.exited, await other.exited]).toEqual([-9, -15]);
    expect([child.isAlive(), child.pid]).toEqual([false, null]);
    setForkserverPreload([]);
    expect(await (await start()).exited).toBe(0);
  });
});
