import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  ArgumentError,
  ClosedError,
  Event,
  getAllStartMethods,
  getContext,
  NotOwnerError,
  Pool,
  Process,
  RwLock,
  Semaphore,
  TimeoutError,
  Value,
} from 'multiprocess';
import { forkserver } from 'multiprocess/forkserver';
import { dumps, loads } from 'multiprocess/reduction';
import { describe, expect, it } from 'vitest';
import { mortal } from '../support/mortal.js';
import { nearly } from '../support/nearly.js';
import { withAddon } from '../support/needs.js';
import { until } from '../support/until.js';

const turn = () => new Promise((done) => setImmediate(done));
const turns = async (n: number) => {
  for (let i = 0; i < n; i++) await turn();
};

describe('RwLock', () => {
  it('lets many readers in together, and a writer alone', async () => {
    const lock = new RwLock();
    const readers = [await lock.read(), await lock.read(), lock.tryRead()!, lock.readSync()];
    expect(String(lock)).toBe('<RwLock(writer=None, readers=4)>');
    expect(lock.tryWrite()).toBeNull();
    let in_ = false;
    const writing = lock.write();
    const writer = Promise.resolve().then(async () => {
      using _ = await writing;
      in_ = true;
      expect(lock.tryRead()).toBeNull();
      expect(lock.tryWrite()).toBeNull();
      expect(String(lock)).toBe('<RwLock(writer=MainProcess, readers=0)>');
    });
    await turns(50);
    expect(in_).toBe(false);
    for (const one of readers) one[Symbol.dispose]();
    for (const one of readers) one[Symbol.dispose](); // does nothing
    await writer;
    expect(String(lock)).toBe('<RwLock(writer=None, readers=0)>');
    lock.tryWrite()![Symbol.dispose]();
  });

  it('keeps two words together, between processes and tasks, in all forms', async () => {
    const lock = new RwLock();
    const [a, b] = [new Value('i', 0, { lock: false }), new Value('i', 0, { lock: false })];
    const pool = new Pool({ processes: 3 });
    const task = async (form: number) => {
      const check = () => {
        if (a.value !== b.value) throw new Error(`${a.value} is not ${b.value}`);
      };
      const change = () => {
        check();
        a.value++;
        for (let i = 0; i < 100; i++) if (a.value !== b.value + 1) throw new Error('another one came in');
        b.value++;
      };
      for (let i = 0; i < 300; i++) {
        const writes = (i + form) % 4 === 0;
        if (form === 0) await (writes ? lock.runWrite(change) : lock.runRead(check));
        else if (form === 1) {
          using _ = writes ? lock.writeSync() : lock.readSync();
          if (writes) change();
          else check();
        } else if (form === 2) {
          using _ = writes ? await lock.write() : await lock.read();
          if (writes) change();
          else check();
        } else {
          let hold = null;
          while (hold === null) {
            hold = writes ? lock.tryWrite() : lock.tryRead();
            if (hold === null) await new Promise((done) => setImmediate(done));
          }
          using _ = hold;
          if (writes) change();
          else check();
        }
      }
      return lock.ownerDied;
    };
    const here = Promise.all([0, 2, 3].map(task));
    expect(await pool.map(task, [0, 1, 3], { chunkSize: 1 })).toEqual([false, false, false]);
    expect(await here).toEqual([false, false, false]);
    expect([a.value, b.value]).toEqual([6 * 75, 6 * 75]);
    expect(String(lock)).toBe('<RwLock(writer=None, readers=0)>');
    await pool.terminate();
  });

  it('is shared by worker threads and every start method', async () => {
    const lock = new RwLock();
    const value = new Value('i', 0);
    const add = async () => {
      for (let i = 0; i < 50; i++) {
        await lock.runWrite(async () => {
          const before = value.value;
          await null;
          value.value = before + 1;
        });
      }
    };
    const thread = new Worker(new URL('../fixtures/synchronize/rw-thread.mjs', import.meta.url), {
      workerData: dumps([lock, value, 50]),
    });
    const ended = once(thread, 'exit');
    const children = getAllStartMethods()
      .filter((method) => method !== 'fork')
      .map((method) => new (getContext(method).Process)(add));
    for (const child of children) await (child as Process).start();
    await add();
    for (const child of children) {
      expect(await (child as Process).join()).toBe(true);
      expect((child as Process).exitCode).toBe(0);
    }
    expect((await ended)[0]).toBe(0);
    if (withAddon) await forkserver.stop();
    expect(value.value).toBe(100 + 50 * children.length);
  });

  it('arrives in another process as itself, also as a queued value', async () => {
    const lock = new RwLock();
    const pool = new Pool({ processes: 1 });
    expect(await pool.apply((a: unknown, b: unknown) => a === b && a === lock, [lock, lock])).toBe(true);
    expect(await pool.apply(() => lock, [])).toBe(lock);
    await pool.terminate();
  });

  it('refuses options that cannot be meant', async () => {
    const lock = new RwLock();
    await expect(lock.read({ timout: 1 } as never)).rejects.toThrow('did you mean `timeout`');
    await expect(lock.write({ timeout: Number.NaN })).rejects.toThrow(ArgumentError);
    expect(() => lock.readSync({ signal: 1 as never })).toThrow(ArgumentError);
    expect(() => lock.writeSync(5 as never)).toThrow(ArgumentError);
    await expect(lock.runRead(undefined as never)).rejects.toThrow(ArgumentError);
    await expect(lock.runWrite(3 as never)).rejects.toThrow(ArgumentError);
    expect(() => new (RwLock as new (block: unknown) => RwLock)(1)).toThrow(ArgumentError);
    expect(String(lock)).toBe('<RwLock(writer=None, readers=0)>');
  });

  describe('fairness', () => {
    it('a stream of readers does not starve a writer', async () => {
      const lock = new RwLock();
      const [stop, begun] = [new Event(), new Semaphore(0)];
      const pool = new Pool({ processes: 2 });
      const overlapping = async () => {
        let reads = 0;
        const task = async () => {
          while (!stop.isSet()) {
            using _ = await lock.read();
            if (reads++ === 0) begun.release();
            // So that one of the tasks is always in.
            await new Promise((done) => setImmediate(done));
          }
        };
        await Promise.all([0, 1, 2, 3].map(task));
        return reads;
      };
      const reads = pool.map(overlapping, [0, 1], { chunkSize: 1 });
      await begun.acquire();
      await begun.acquire();
      for (let i = 0; i < 20; i++) {
        await lock.runWrite(() => {});
        await turn();
      }
      stop.set();
      for (const count of await reads) expect(count).toBeGreaterThan(0);
      await pool.terminate();
    });

    it('writers do not starve a reader: it comes in between two of them', async () => {
      const lock = new RwLock();
      const order: string[] = [];
      const first = await lock.write();
      const second = lock.runWrite(() => void order.push('second writer'));
      const reader = new Process(async () => {
        await lock.runRead(() => {});
      });
      const here = lock.runRead(() => void order.push('reader'));
      await reader.start();
      await turns(20);
      first[Symbol.dispose]();
      await Promise.all([second, here]);
      expect(order).toEqual(['reader', 'second writer']);
      expect(await reader.join()).toBe(true);
    });
  });

  describe('bounds', () => {
    it('a wait whose time runs out throws, and leaves nothing behind', async () => {
      const lock = new RwLock();
      const reader = await lock.read();
      const start = performance.now();
      await expect(lock.write({ timeout: 30 })).rejects.toThrow(TimeoutError);
      expect(performance.now() - start).toBeGreaterThanOrEqual(nearly(30));
      expect(() => lock.writeSync({ timeout: 1 })).toThrow('RwLock.writeSync: not acquired within 1 ms');
      await expect(lock.runWrite(() => {}, { timeout: 0 })).rejects.toMatchObject({ code: 'MP_TIMEOUT' });
      // The readers that the writers kept back are in.
      lock.tryRead()![Symbol.dispose]();
      reader[Symbol.dispose]();
      const writer = await lock.write();
      await expect(lock.read({ timeout: 5 })).rejects.toMatchObject({ code: 'MP_TIMEOUT' });
      expect(() => lock.readSync({ timeout: 0 })).toThrow(TimeoutError);
      writer[Symbol.dispose]();
      expect(String(lock)).toBe('<RwLock(writer=None, readers=0)>');
      lock.tryWrite()![Symbol.dispose]();
    });

    it('an aborted wait rejects with its reason, and leaves nothing behind', async () => {
      const lock = new RwLock();
      const reader = await lock.read();
      const abort = new AbortController();
      const writing = lock.write({ signal: abort.signal });
      const behind = lock.write({ signal: abort.signal });
      const kept = lock.read();
      await turns(5);
      abort.abort(new Error('enough'));
      await expect(writing).rejects.toThrow('enough');
      await expect(behind).rejects.toThrow('enough');
      (await kept)[Symbol.dispose]();
      await expect(lock.read({ signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
      reader[Symbol.dispose]();
      await lock.runWrite(async () => {
        const gone = new AbortController();
        const reading = lock.read({ signal: gone.signal });
        await turn();
        gone.abort(new Error('too'));
        await expect(reading).rejects.toThrow('too');
      });
      expect(String(lock)).toBe('<RwLock(writer=None, readers=0)>');
    });
  });

  describe('misuse', () => {
    it('a reader that wants to write is refused, by name', async () => {
      const lock = new RwLock();
      await lock.runRead(async () => {
        await expect(lock.write()).rejects.toMatchObject({ code: 'MP_DEADLOCK' });
        await expect(lock.runWrite(() => {})).rejects.toThrow('RwLock.runWrite: the caller runs within runRead()');
        expect(() => lock.writeSync()).toThrow(NotOwnerError);
        await expect(lock.write({ timeout: 1 })).rejects.toThrow(TimeoutError);
      });
      {
        using _ = await lock.read();
        expect(() => lock.writeSync()).toThrow('RwLock.writeSync: a task of this thread holds it');
      }
      // The repair.
      (await lock.write())[Symbol.dispose]();
      lock.writeSync()[Symbol.dispose]();
    });

    it('a writer that asks again is refused', async () => {
      const lock = new RwLock();
      const refused = { code: 'MP_DEADLOCK' };
      await lock.runWrite(async () => {
        await expect(lock.write()).rejects.toMatchObject(refused);
        await expect(lock.read()).rejects.toThrow('RwLock.read: the caller runs within runWrite()');
        await expect(lock.runRead(() => {})).rejects.toMatchObject(refused);
        expect(() => lock.readSync()).toThrow(NotOwnerError);
        expect(() => lock.writeSync()).toThrow(NotOwnerError);
      });
      expect(await lock.runRead(() => String(lock))).toBe('<RwLock(writer=None, readers=1)>');
    });

    it('blocking for what a task of the thread waits for is refused', async () => {
      const lock = new RwLock();
      const holder = await mortal('writeRw', { lock });
      const reading = lock.read();
      expect(() => lock.writeSync()).toThrow('RwLock.writeSync: a task of this thread holds it');
      const writing = lock.write();
      await holder.kill();
      (await reading)[Symbol.dispose]();
      (await writing)[Symbol.dispose]();
      const [first, second] = [await lock.read(), lock.write()];
      // A writer of this thread waits for the reader.
      lock.readSync()[Symbol.dispose]();
      first[Symbol.dispose]();
      (await second)[Symbol.dispose]();
      const held = await lock.write();
      expect(() => lock.readSync()).toThrow(NotOwnerError);
      held[Symbol.dispose]();
    });

    it('another task of the thread waits, and is not taken for the one that holds it', async () => {
      const lock = new RwLock();
      const go = new Event();
      const holder = lock.runRead(() => go.wait());
      const started = (async () => {
        using _ = lock.tryRead()!;
        await go.wait();
      })();
      await turns(3);
      const writer = lock.write();
      const again = lock.runWrite(() => 'had');
      await turns(10);
      go.set();
      (await writer)[Symbol.dispose]();
      expect(await again).toBe('had');
      await Promise.all([holder, started]);
    });

    it('what runs within a read may read again while a writer waits for it', async () => {
      const lock = new RwLock();
      const writer = new Process(async () => {
        await lock.runWrite(() => {});
      });
      await lock.runRead(async () => {
        await writer.start();
        await until(() => {
          const other = lock.tryRead();
          other?.[Symbol.dispose]();
          return other === null;
        }, 'the writer waits');
        (await lock.read())[Symbol.dispose]();
        expect(await lock.runRead(() => 'again')).toBe('again');
        lock.readSync()[Symbol.dispose]();
      });
      expect(await writer.join()).toBe(true);
    });

    it('throws when it is used after it was closed, and gives back what its tasks held', async () => {
      const lock = new RwLock();
      const child = new Process(async () => {
        const read = await lock.read();
        lock.close();
        read[Symbol.dispose]();
        await new Promise((done) => setTimeout(done, 60_000));
      });
      await child.start();
      await until(() => {
        const had = lock.tryWrite();
        had?.[Symbol.dispose]();
        return had !== null;
      }, 'the reader that closed it is gone');
      child.kill();
      await child.join();
      const held = await lock.write();
      lock.close();
      lock.close();
      held[Symbol.dispose]();
      expect(() => lock.tryRead()).toThrow(ClosedError);
      expect(() => lock.tryWrite()).toThrow(ClosedError);
      expect(() => lock.readSync()).toThrow(ClosedError);
      expect(() => lock.writeSync()).toThrow(ClosedError);
      await expect(lock.read()).rejects.toThrow(ClosedError);
      await expect(lock.write()).rejects.toThrow(ClosedError);
      expect(() => lock.recover()).toThrow(ClosedError);
      expect(String(lock)).toBe('<RwLock(closed)>');
    });

    it('who waits when it is closed gets a ClosedError, and others go on', async () => {
      const lock = new RwLock();
      const bytes = dumps(lock);
      const holder = await mortal('readRw', { lock });
      const writing = lock.write();
      const behind = lock.write();
      const reading = lock.read();
      await turns(10);
      lock.close();
      const again = loads(bytes) as RwLock;
      for (const one of [writing, behind, reading]) await expect(one).rejects.toThrow(ClosedError);
      again.tryRead()![Symbol.dispose]();
      await holder.kill();
      (await again.write())[Symbol.dispose]();
      again.close();
    });
  });

  describe('deaths', () => {
    it.each(['readRw', 'readRwTwice'])('what a killed reader held comes back (%s)', async (action) => {
      for (const form of ['write', 'writeSync', 'tryWrite'] as const) {
        const lock = new RwLock();
        const holder = await mortal(action, { lock });
        expect(lock.tryWrite()).toBeNull();
        const waiting = form === 'write' ? lock.write() : null;
        await turn();
        const killed = performance.now();
        await holder.kill();
        if (form === 'tryWrite') await until(() => lock.tryWrite() !== null, 'it may be written');
        else (form === 'write' ? await waiting! : lock.writeSync())[Symbol.dispose]();
        console.info(`${form}: had ${(performance.now() - killed).toFixed(0)} ms after the kill`);
        expect(lock.ownerDied).toBe(false);
      }
    });

    it.each(['read', 'readSync', 'tryRead', 'write', 'writeSync', 'tryWrite'] as const)(
      'it goes to %s when its writer was killed, with ownerDied until recover()',
      async (form) => {
        const lock = new RwLock();
        const holder = await mortal('writeRw', { lock });
        expect(lock.tryRead()).toBeNull();
        const waiting = form === 'read' || form === 'write' ? lock[form]() : null;
        await turn();
        expect(lock.ownerDied).toBe(false);
        await holder.kill();
        if (form === 'readSync' || form === 'writeSync') lock[form]()[Symbol.dispose]();
        else if (form === 'tryRead' || form === 'tryWrite') {
          await until(() => {
            const had = lock[form]();
            had?.[Symbol.dispose]();
            return had !== null;
          }, 'it may be had');
        } else (await waiting!)[Symbol.dispose]();
        expect(lock.ownerDied).toBe(true);
        expect(String(lock)).toBe('<RwLock(writer=None, readers=0, owner died)>');
        await lock.runWrite(() => {
          expect(lock.ownerDied).toBe(true);
          lock.recover();
        });
        expect(lock.ownerDied).toBe(false);
      },
    );

    it.each(['read', 'write'])('what a terminated thread held comes back (%s)', async (action) => {
      const lock = new RwLock();
      const worker = new Worker(new URL('../fixtures/synchronize/rw-holder.mjs', import.meta.url), {
        workerData: dumps({ lock, action }),
      });
      await once(worker, 'message');
      expect(lock.tryWrite()).toBeNull();
      const waiting = lock.write();
      await worker.terminate();
      (await waiting)[Symbol.dispose]();
      expect(lock.ownerDied).toBe(action === 'write');
    });

    it.each(['waitRead', 'waitWrite', 'waitWriteSync'])(
      'does without a waiter that was killed (%s)',
      async (action) => {
        const lock = new RwLock();
        const held = action === 'waitRead' ? await lock.write() : await lock.read();
        const waiter = await mortal(action, { lock });
        await waiter.kill();
        held[Symbol.dispose]();
        (await lock.write())[Symbol.dispose]();
        (await lock.read())[Symbol.dispose]();
        expect(lock.ownerDied).toBe(false);
      },
    );
  });
});
