/** A copy of a running program: what it has, and what of its parent does not go on in it. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { readFileSync, readlinkSync, watch, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  activeChildren,
  currentProcess,
  getAllStartMethods,
  getContext,
  type Process,
  parentProcess,
} from 'multiprocess';
import { Finalize } from 'multiprocess/util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../../support/ledger.js';
import { program } from '../../support/programs.js';

const context = getContext('fork');
const running = new Set<Process<any>>();
let ledger: Ledger;
beforeEach(() => {
  ledger = new Ledger();
  return () => ledger[Symbol.dispose]();
});
afterEach(async () => {
  for (const child of running) await child[Symbol.asyncDispose]();
  running.clear();
});
/** What a child says, in order. */
const said = () => ledger.lines().map((line) => JSON.parse(line));
const { appendFileSync } = process.getBuiltinModule('node:fs');
const say = (what: unknown) => appendFileSync(ledger.path, `${JSON.stringify(what)}\n`);
const run = async (target: () => unknown, options: object = {}) => {
  const child = new context.Process(target, options);
  await child.start();
  running.add(child as never);
  return child;
};
const home = process.pid;
const sleep = (time: number) => new Promise((done) => setTimeout(done, time));

describe('what a copy has', () => {
  it('target, arguments and captures are the very objects, whatever they are', async () => {
    const circle: { self?: unknown; call: () => number; secret: WeakMap<object, number> } = {
      call: () => 42,
      secret: new WeakMap(),
    };
    circle.self = circle;
    circle.secret.set(circle, 7);
    class Hidden {
      #value = 3;
      get value(): number {
        return this.#value;
      }
    }
    const hidden = new Hidden();
    const child = new context.Process(
      (given: typeof circle) =>
        say([given === circle, given.self === circle, given.call(), given.secret.get(given), hidden.value]),
      { args: [circle] },
    );
    running.add(child as never);
    await child.start();
    expect(await child.exited).toBe(0);
    expect(said()).toEqual([[true, true, 42, 7, 3]]);
  });

  it('a copy is a process of its own, with this one as its parent', async () => {
    const child = await run(() => {
      const { name, pid, ident } = currentProcess();
      say([
        process.pid === home,
        pid === process.pid,
        ident === process.pid,
        name,
        parentProcess()?.pid,
        parentProcess()?.isAlive(),
        activeChildren().length,
      ]);
    });
    expect(await child.exited).toBe(0);
    expect(said()).toEqual([[false, true, true, child.name, home, true, 0]]);
  });

  it('a copy has the asynchronous context of its start()', async () => {
    const storage = new AsyncLocalStorage<string>();
    const child = await storage.run('here', () => run(() => say(storage.getStore())));
    expect(await child.exited).toBe(0);
    expect(said()).toEqual(['here']);
  });

  it("a copy's environment may be another one; its stdin is empty", async () => {
    const child = await run(
      () =>
        say([
          process.env['ONLY'],
          Object.keys(process.env).length,
          readFileSync(0, 'utf8'),
          readlinkSync('/proc/self/fd/0'),
        ]),
      {
        env: { ONLY: 'this' },
      },
    );
    expect(await child.exited).toBe(0);
    expect(said()).toEqual([['this', 1, '', '/dev/null']]);
    expect(process.env['ONLY']).toBeUndefined();
  });

  it('random numbers differ among copies and from their parent', async () => {
    crypto.randomUUID();
    const draw = () =>
      say([
        Math.random(),
        crypto.randomUUID(),
        process.getBuiltinModule('node:crypto').randomInt(2 ** 47),
        crypto.getRandomValues(new Uint32Array(2)).join(),
      ]);
    draw();
    for (let i = 0; i < 10; i++) await (await run(draw)).exited;
    const all = said().flat();
    expect(all).toHaveLength(44);
    expect(new Set(all).size).toBe(44);
  });

  it('timers, files, servers, threads of libuv and modules work in a copy', async () => {
    await readFile(new URL(import.meta.url)); // the parent has used threads of libuv
    const child = await run(async () => {
      await sleep(5);
      const text = await readFile('/proc/self/stat', 'utf8');
      const server = createServer((_, response) => response.end('answer'));
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      const { port } = server.address() as { port: number };
      const answer = await (await fetch(`http://127.0.0.1:${port}/`)).text();
      server.closeAllConnections();
      server.close();
      await new Promise((done) => setImmediate(done));
      say([text.startsWith(String(process.pid)), answer]);
    });
    expect(await child.exited).toBe(0);
    expect(said()).toEqual([[true, 'answer']]);
  });
});

describe('what does not go on in a copy', () => {
  it('timers, immediates, ticks and promises of its parent', async () => {
    const wrong = (what: string) => () => {
      if (process.pid !== home) say(what);
    };
    const timers = [setTimeout(wrong('timeout'), 20), setInterval(wrong('interval'), 1), setTimeout(wrong('zero'), 0)];
    let resolve = () => {};
    void new Promise<void>((done) => {
      resolve = done;
    }).then(wrong('promise'));
    setImmediate(wrong('immediate'));
    process.nextTick(wrong('tick'));
    void readFile('/proc/self/stat').then(wrong('file'));
    const starting = run(async () => {
      await sleep(60);
      say('done');
    });
    setImmediate(wrong('later immediate'));
    queueMicrotask(wrong('microtask'));
    const child = await starting;
    wrong('continuation')();
    resolve();
    expect(await child.exited).toBe(0);
    for (const timer of timers) clearTimeout(timer);
    expect(said()).toEqual(['done']);
  });

  it('timers that its parent set run in the parent only, and keep no copy alive', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const child = await run(() => {});
    expect(await child.exited).toBe(0);
    const before = ticks;
    await sleep(30);
    expect(ticks).toBeGreaterThan(before);
    clearInterval(timer);
  });

  it('servers, connections and file watches of its parent, which go on there', async () => {
    const file = join(tmpdir(), `multiprocess-watched-${process.pid}`);
    writeFileSync(file, '');
    const wrong = (what: string) => {
      if (process.pid !== home) say(what);
    };
    const heard = new EventEmitter();
    let served = 0;
    const server = createTcpServer((socket) => {
      wrong('server');
      served++;
      socket.on('data', (bytes) => {
        wrong('data');
        socket.write(bytes);
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    const socket = connect(port, '127.0.0.1');
    await new Promise((done) => socket.once('connect', done));
    socket.on('data', () => {
      wrong('answer');
      heard.emit('answer');
    });
    const watcher = watch(file, () => wrong('watch'));
    const child = await run(async () => {
      writeFileSync(file, 'changed');
      // A server of the same port's parent answers: the connection is not served here.
      const mine = connect(port, '127.0.0.1');
      mine.write('x');
      await new Promise((done) => mine.once('data', done));
      mine.destroy();
      await sleep(20);
    });
    const answered = new Promise((done) => heard.once('answer', done));
    socket.write('hello');
    await answered;
    expect(await child.exited).toBe(0);
    expect(said()).toEqual([]);
    expect(served).toBe(2);
    watcher.close();
    socket.destroy();
    await new Promise((done) => server.close(done));
  });

  it('exit handlers, finalizers, listeners and the exit code of its parent', async () => {
    const wrong = (what: string) => () => {
      if (process.pid !== home) say(what);
    };
    const listeners: [string, () => void][] = ['exit', 'beforeExit', 'uncaughtException', 'unhandledRejection'].map(
      (event) => [event, wrong(event)],
    );
    for (const [event, listener] of listeners) process.on(event, listener);
    const finalizer = new Finalize(null, wrong('finalizer'), { exitPriority: 1 });
    process.exitCode = 5;
    try {
      expect(await (await run(() => {})).exited).toBe(0);
      const failing = await run(() => {
        process.on('exit', (code) => say(['its own', code]));
        process.getBuiltinModule('node:fs').closeSync(2); // what it prints belongs to no test
        throw new Error('on purpose');
      });
      expect(await failing.exited).toBe(1);
    } finally {
      process.exitCode = undefined;
      finalizer.cancel();
      for (const [event, listener] of listeners) process.off(event, listener);
    }
    expect(said()).toEqual([['its own', 1]]);
  });

  it("its parent's children are not a copy's own", async () => {
    const sibling = await run(() => new Promise((done) => setTimeout(done, 60_000)));
    const child = await run(async () => {
      const refusal = await sibling.join({ timeout: 0 }).catch((error: { code: string }) => error.code);
      say([activeChildren().length, refusal, sibling.name]);
    });
    expect(await child.exited).toBe(0);
    expect(said()).toEqual([[0, 'MP_NOT_PARENT', sibling.name]]);
    expect(sibling.isAlive()).toBe(true);
    sibling.kill();
  });

  it('copies that are started in one turn are each made once', async () => {
    const children = await Promise.all(Array.from({ length: 6 }, () => run(() => say(process.pid))));
    for (const child of children) expect(await child.exited).toBe(0);
    expect(said().sort()).toEqual(children.map(({ pid }) => pid).sort());
  });
});

describe('when a copy is refused', () => {
  it('while worker threads run, which it would not have', async () => {
    const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
    await new Promise((done) => worker.once('online', done));
    await sleep(20); // until it sleeps
    await expect(run(() => {})).rejects.toMatchObject({
      code: 'MP_UNSUPPORTED',
      message: expect.stringContaining('worker threads run in it'),
    });
    await worker.terminate();
    expect(await (await run(() => {})).exited).toBe(0);
  });

  it('with Node options of its own', async () => {
    await expect(run(() => {}, { execArgv: ['--expose-gc'] })).rejects.toMatchObject({ code: 'MP_UNSUPPORTED' });
  });

  it("'fork' is among the start methods of a Node with the options for it, and of no other", async () => {
    expect(getAllStartMethods()).toEqual(['spawn', 'forkserver', 'fork', 'thread']);
    const { stdout } = await program('methods.js').ended;
    expect(stdout).toMatch(
      /^spawn,forkserver,thread MP_UNSUPPORTED .*node --single-threaded --v8-pool-size=1 program\.js/,
    );
  });
});
