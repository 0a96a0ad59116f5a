/** How programs with managers end: nothing keeps them, and nothing of them is left. */
import { existsSync } from 'node:fs';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Event, getAllStartMethods, type StartMethod } from 'multiprocess';
import { Listener } from 'multiprocess/connection';
import { forkserver } from 'multiprocess/forkserver';
import { BaseManager } from 'multiprocess/managers';
import { afterAll, describe, expect, test } from 'vitest';
import { startFixture } from '../support/fixture-process.js';
import { until } from '../support/until.js';

// The template.
afterAll(() => forkserver.stop());

const gone = (pid: number) => !existsSync(`/proc/${pid}`);

describe.each(getAllStartMethods().filter((method) => method !== 'fork' && method !== 'thread'))(
  'a program with a server by %s',
  (method: StartMethod) => {
    test.each([
      ['that has nothing more to do ends', 'nothing', 0],
      ['that exits', 'exit', 3],
      ['that fails', 'error', 1],
    ])('%s, and its server with it', async (_, how, code) => {
      const program = startFixture('managers/program.mjs', { args: [how, method] });
      const { pid } = JSON.parse((await program.line())!) as { pid: number };
      expect(await program.ended).toBe(code);
      await until(() => gone(pid), 'the end of the server');
    });

    test('that is killed ends its server', async () => {
      const program = startFixture('managers/program.mjs', { args: ['wait', method] });
      const { pid } = JSON.parse((await program.line())!) as { pid: number };
      program.child.kill('SIGKILL');
      expect(await program.ended).toBe('SIGKILL');
      await until(() => gone(pid), 'the end of the server');
    });
  },
);

test('a program with a server in a thread ends by itself', async () => {
  const program = startFixture('managers/program.mjs', { args: ['nothing', 'thread'] });
  expect(await program.line()).not.toBe(null);
  expect(await program.ended).toBe(0);
});

class Cell {
  value: unknown = null;
  fns: unknown[] = [];
  set(value: unknown): void {
    this.value = value;
  }
  get(): unknown {
    return this.value;
  }
  block(ms: number): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  }
  keep(fn: () => unknown): void {
    this.fns.push(fn);
  }
  drop(): void {
    this.fns = [];
  }
  async collect(): Promise<void> {
    const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([import('node:v8'), import('node:vm')]);
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
  }
  async ring(): Promise<unknown[]> {
    return await Promise.all(this.fns.map((fn) => (fn as () => unknown)()));
  }
}
class Cells extends BaseManager.with({ Cell }) {}

function collect(): void {
  v8.setFlagsFromString('--expose-gc');
  (vm.runInNewContext('gc') as () => void)();
}

async function eventually(holds: () => Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

test('a server that is stopped (SIGSTOP), or computes without end, is ended in bounded time', async () => {
  const cells = new Cells();
  await cells.start();
  const cell = await cells.Cell();
  process.kill(cells.process!.pid!, 'SIGSTOP');
  const waits = cell.get().then(
    () => 'no error',
    (error: { code: string }) => error.code,
  );
  await cells.shutdown();
  expect(cells.process!.exitCode).toBe(-9);
  expect(await waits).toBe('MP_MANAGER_LOST');
  const busy = new Cells();
  await busy.start();
  void (await busy.Cell()).block(60_000).catch(() => {});
  await busy.shutdown();
  expect([-15, -9]).toContain(busy.process!.exitCode);
}, 60_000);

test('a proxy that is collected gives its reference back', async () => {
  await using cells = new Cells();
  await cells.start();
  const kept = await cells.Cell();
  await (async () => {
    for (let i = 0; i < 50; i++) await (await cells.Cell()).set(i);
  })();
  await eventually(async () => {
    collect();
    return (await cells.numberOfObjects()) === 1;
  }, 'the end of the objects');
  expect(await kept.get()).toBe(null);
});

test('a function whose stub in the server is collected is released in its client', async () => {
  await using cells = new Cells();
  await cells.start();
  const cell = await cells.Cell();
  const fns: WeakRef<() => number>[] = [];
  await (async () => {
    for (let i = 0; i < 20; i++) {
      const fn = () => i;
      fns.push(new WeakRef(fn));
      await cell.keep(fn);
    }
  })();
  expect(await cell.ring()).toEqual(Array.from({ length: 20 }, (_, i) => i));
  await cell.drop();
  await eventually(async () => {
    await cell.collect();
    collect();
    return fns.every((ref) => ref.deref() === undefined);
  }, 'the end of the functions');
});

test('shutting down twice, at once and after the server has ended, does nothing more', async () => {
  const cells = new Cells();
  await cells.start();
  await Promise.all([cells.shutdown(), cells.shutdown()]);
  const killed = new Cells();
  await killed.start();
  killed.process!.kill();
  await killed.join();
  await killed.shutdown();
  const never = new Cells();
  await never.shutdown();
});

describe.each(getAllStartMethods().filter((method) => method !== 'fork'))(
  'a manager by %s that is shut down while it starts',
  (context: StartMethod) => {
    const shutDown = expect.objectContaining({
      code: 'MP_CLOSED',
      message: expect.stringMatching(/^Cells\.start: .*shut down/),
    });

    test.each([0, 1, 20, 200, 1_000])('after %i turns has no server, and its start says why', async (turns) => {
      const cells = new Cells({ context });
      const starting = cells.start().then(
        () => 'served',
        (error: unknown) => error,
      );
      for (let i = 0; i < turns; i++) await new Promise((done) => setImmediate(done));
      await cells.shutdown();
      const outcome = await starting;
      // The later ones may serve before.
      if (turns <= 1 || outcome !== 'served') expect(outcome).toEqual(shutDown);
      expect(cells.process?.isAlive() ?? false).toBe(false);
      await expect(cells.start()).rejects.toMatchObject({ code: 'MP_CLOSED' });
    });

    test('inside of its initializer, which never ends, has none either', async () => {
      const cells = new Cells({ context });
      using reached = new Event();
      const starting = cells.start(
        async (event: Event) => {
          event.set();
          await new Promise(() => setInterval(() => {}, 1_000));
        },
        [reached],
      );
      const refused = expect(starting).rejects.toEqual(shutDown);
      await reached.wait();
      await cells.shutdown();
      await refused;
      expect(cells.process!.isAlive()).toBe(false);
    });
  },
);

test('a manager that is shut down while it connects ends at once, and stays ended', async () => {
  // Who connects waits for a greeting that does not come.
  await using silent = await Listener.listen({ authkey: 'key' });
  const cells = new Cells({ address: silent.address as string, authkey: 'key' });
  const connecting = cells.connect();
  const refused = expect(connecting).rejects.toMatchObject({
    code: 'MP_CLOSED',
    message: expect.stringMatching(/^Cells\.connect: .*shut down/),
  });
  const peer = await silent.accept();
  await cells.shutdown();
  await refused;
  await expect(cells.connect()).rejects.toMatchObject({ code: 'MP_CLOSED' });
  peer.close();
});

test('one server after the other can listen at the same address', async () => {
  const address = { host: '127.0.0.1', port: 0 };
  const first = new Cells({ address });
  await first.start();
  const again = first.address!;
  await first.shutdown();
  const second = new Cells({ address: again });
  await second.start();
  const cell = await second.Cell();
  await cell.set(1);
  const taken = new Cells({ address: again });
  await expect(taken.start()).rejects.toMatchObject({ code: 'MP_SYSTEM' });
  expect(await cell.get()).toBe(1);
  await second.shutdown();
});

test('a start that fails leaves no process', async () => {
  const fails = new Cells({ address: '/no/such/folder/socket' });
  await expect(fails.start()).rejects.toMatchObject({ code: 'MP_SYSTEM' });
  expect(fails.process!.isAlive()).toBe(false);
});
