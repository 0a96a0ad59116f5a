/** The lines of Python's _TestProcess, _TestSubclassingProcess and their kin, for one start method. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Process as AnyProcess, StartMethod } from 'multiprocess';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownBlocks } from '../support/blocks.js';
import { codeOf } from '../support/code-of.js';
import { Ledger } from '../support/ledger.js';
import { itNeeds } from '../support/needs.js';
import { program } from '../support/programs.js';
import { until } from '../support/until.js';

// Loaded by Node, as in a program: what vitest transforms has no module that a child could import it from.
const require = createRequire(import.meta.url);
const library: typeof import('multiprocess') = require('multiprocess');
const { wait }: typeof import('multiprocess/connection') = require('multiprocess/connection');
const { activeChildren, cpuCount, currentProcess, Process, parentProcess, SharedArray, Value } = library;

/** What a program is started with that can be forked. */
const FORK_OPTIONS = ['--single-threaded', '--v8-pool-size=1'];

const stay = (): unknown => setInterval(() => {}, 60_000);
/** Appends a line of JSON to a file, in a child. */
const note = (path: string, what: unknown): void =>
  process.getBuiltinModule('node:fs').appendFileSync(path, `${JSON.stringify(what)}\n`);

/** A subclass as a program would write it. */
class Adder extends Process {
  total = 0;
  constructor(
    readonly numbers: InstanceType<typeof SharedArray<'i'>>,
    readonly method: StartMethod,
  ) {
    super(undefined, { context: method });
  }

  override run(): void {
    const { array } = this.numbers;
    for (let i = 1; i < array.length; i++) this.total += array[i]!;
    array[0] = this.total;
  }
}

/** Every line over `method`; `isolated`: whether children are processes of their own. */
export function processSuite(method: StartMethod, isolated: boolean): void {
  const context = method;
  let ledger: Ledger;
  beforeEach(() => {
    ledger = new Ledger();
    return () => ledger[Symbol.dispose]();
  });
  const said = (): any[] => ledger.lines().map((line) => JSON.parse(line));
  const running = new Set<AnyProcess>();
  /** Starts a child that ends with its test at the latest. */
  const started = async <P extends AnyProcess<any>>(child: P): Promise<P> => {
    running.add(child as never);
    return child.start();
  };
  afterEach(async () => {
    for (const child of running) await child[Symbol.asyncDispose]();
    running.clear();
  });

  describe(`_TestProcess over ${method}`, () => {
    it('test_current: the current process is alive, no daemon, has a key; its ident is the pid; it has no exit code', () => {
      const current = currentProcess();
      expect(current.isAlive()).toBe(true);
      expect(current.daemon).toBe(false);
      expect(current.authkey).toBeInstanceOf(Uint8Array);
      expect(current.authkey.length).toBeGreaterThan(0);
      expect(current.pid).toBe(process.pid);
      expect(current.exitCode).toBeNull();
    });

    it('test_args_argument: arguments arrive unchanged, nested sequences included', async () => {
      const args = [1, 'two', [3, [4, { five: new Map([[6, null]]) }]], undefined, 7n];
      const child = await started(
        new Process(
          (path: string, ...given: unknown[]) => {
            const { inspect } = process.getBuiltinModule('node:util');
            process
              .getBuiltinModule('node:fs')
              .writeFileSync(path, inspect(given, { depth: 9, breakLength: Number.POSITIVE_INFINITY, compact: true }));
          },
          { args: [ledger.path, ...args] as never, context },
        ),
      );
      expect(await child.exited).toBe(0);
      expect(readFileSync(ledger.path, 'utf8')).toBe(
        "[ 1, 'two', [ 3, [ 4, { five: Map(1) { 6 => null } } ] ], undefined, 7n ]",
      );
    });

    it('test_daemon_argument: the daemon flag is that of the creator unless it is given', () => {
      expect(new Process(stay, { context }).daemon).toBe(currentProcess().daemon);
      expect(new Process(stay, { context, daemon: true }).daemon).toBe(true);
      expect(new Process(stay, { context, daemon: false }).daemon).toBe(false);
    });

    it('test_parent_process_attributes: the main process has no parent; a child knows the pid and name of its creator', async () => {
      expect(parentProcess()).toBeNull();
      const child = await started(
        new Process(
          (path: string) => {
            const parent = parentProcess();
            note(path, [parent?.pid, parent?.name, parent?.isAlive()]);
          },
          { args: [ledger.path], context },
        ),
      );
      await child.join();
      expect(said()).toEqual([[process.pid, currentProcess().name, true]]);
    });

    it('join of the parent rejects with the reason of a signal, and refuses what it does not know', async () => {
      const child = await started(
        new Process(
          async (path: string) => {
            const seen: string[] = [];
            const later = new AbortController();
            setTimeout(() => later.abort('later'), 5);
            const signals = [AbortSignal.abort('gone'), later.signal];
            for (const options of [...signals.map((signal) => ({ signal })), { timout: 5 } as object]) {
              await parentProcess()!
                .join(options)
                .catch((error: unknown) => seen.push(error instanceof Error ? error.name : String(error)));
            }
            note(path, [...seen, await parentProcess()!.join({ timeout: 0 })]);
          },
          { args: [ledger.path], context },
        ),
      );
      await child.join();
      expect(said()).toEqual([['gone', 'later', 'ArgumentError', false]]);
    });

    it('test_process: before the start, while it runs and after the end it says what it is', async () => {
      const go = new Value('i', 0);
      const child = new Process(
        async (path: string, a: number, options: { b: string }) => {
          const current = currentProcess();
          const key = Buffer.from(current.authkey).toString('hex');
          note(path, {
            a,
            ...options,
            name: current.name,
            key,
            pid: process.pid,
            ident: current.ident,
            daemon: current.daemon,
          });
          while (go.value === 0) await new Promise((done) => setTimeout(done, 5));
        },
        { args: [ledger.path, 1, { b: 'x' }], daemon: true, context },
      );
      const key = Buffer.from(child.authkey).toString('hex');
      expect([child.isAlive(), child.exitCode, child.pid, child.ident]).toEqual([false, null, null, null]);
      expect(activeChildren()).not.toContain(child);
      await started(child);
      expect(child.isAlive()).toBe(true);
      expect(child.exitCode).toBeNull();
      expect(activeChildren()).toContain(child);
      await until(() => ledger.lines().length === 1, 'the child says who it is');
      expect(said()).toEqual([
        {
          a: 1,
          b: 'x',
          name: child.name,
          key,
          pid: child.pid,
          ident: child.ident,
          daemon: true,
        },
      ]);
      expect(child.pid === process.pid).toBe(!isolated);
      go.value = 1;
      expect(await child.join()).toBe(true);
      expect(child.exitCode).toBe(0);
      expect(child.isAlive()).toBe(false);
      expect(activeChildren()).not.toContain(child);
    });

    it('names count the processes made here, with the method where a context was given and the class of a subclass', () => {
      const prefix = { spawn: 'Spawn', forkserver: 'ForkServer', fork: 'Fork', thread: 'Thread' }[method];
      const [first, second] = [new Process(stay, { context }), new Process(stay, { context })];
      const number = Number(/^\w+Process-(\d+)$/.exec(first.name)![1]);
      expect(first.name).toBe(`${prefix}Process-${number}`);
      expect(second.name).toBe(`${prefix}Process-${number + 1}`);
      expect(new Process(stay).name).toBe(`Process-${number + 2}`);
      expect(new Adder(null as never, context).name).toBe(`Adder-${number + 3}`);
      expect(new Process(stay, { name: 'mine' }).name).toBe('mine');
    });

    it('a child names its own children after itself', async () => {
      const child = await started(
        new Process(
          (path: string) => {
            note(path, [new Process(() => {}).name, new Process(() => {}).name]);
          },
          { args: [ledger.path], context },
        ),
      );
      await child.join();
      const path = child.name.split('-')[1];
      expect(said()).toEqual([[`Process-${path}:1`, `Process-${path}:2`]]);
    });

    it('test_interrupt, test_interrupt_no_handler: an interrupted child that does not listen ends with exit code -2', async () => {
      const child = await started(new Process(stay, { context }));
      expect(await child.join({ timeout: 0 })).toBe(false);
      expect(await child.join({ timeout: -1 })).toBe(false);
      child.interrupt();
      expect(await child.exited).toBe(-2);
    });

    for (const [how, code] of [
      ['terminate', -15],
      ['kill', -9],
    ] as const) {
      it(`test_${how}: a sleeping child ends with exit code ${code} and leaves the list`, async () => {
        const child = await started(new Process(stay, { context }));
        expect(child.isAlive()).toBe(true);
        expect(await child.join({ timeout: 0 })).toBe(false);
        expect(await child.join({ timeout: -1 })).toBe(false);
        expect(child.isAlive()).toBe(true);
        child[how]();
        expect(await child.join()).toBe(true);
        expect(child.exitCode).toBe(code);
        expect(child.isAlive()).toBe(false);
        expect(activeChildren()).not.toContain(child);
        child[how]();
      });
    }

    it('a child that is ended before it has begun ends with the exit code of that', async () => {
      for (const [how, code] of [
        ['interrupt', -2],
        ['terminate', -15],
        ['kill', -9],
      ] as const) {
        const child = new Process(stay, { context });
        const starting = child.start();
        child[how]();
        await starting;
        expect([how, await child.exited, child.exitCode]).toEqual([how, code, code]);
      }
    });

    it.skipIf(method === 'thread')('a child that sends itself a signal ends by it', async () => {
      for (const [signal, code] of [
        ['SIGKILL', -9],
        ['SIGTERM', -15],
      ] as const) {
        const child = await started(
          new Process((name: NodeJS.Signals) => void process.kill(process.pid, name), { args: [signal], context }),
        );
        expect(await child.exited).toBe(code);
      }
      const deaf = (): void => {
        process.on('SIGTERM', () => process.exit(7));
        process.kill(process.pid, 'SIGTERM');
        setTimeout(() => {}, 60_000);
      };
      expect(await (await started(new Process(deaf, { context }))).exited).toBe(7);
    });

    it('test_process_mainthread_native_id: the main thread of a child is another one of the kernel', async () => {
      const thread = (): string =>
        process.getBuiltinModule('node:fs').readlinkSync('/proc/thread-self').split('/').pop()!;
      const tell = (path: string) =>
        note(path, process.getBuiltinModule('node:fs').readlinkSync('/proc/thread-self').split('/').pop());
      await (await started(new Process(tell, { args: [ledger.path], context }))).join();
      const [theirs] = said();
      expect(Number(theirs)).toBeGreaterThan(0);
      expect(theirs).not.toBe(thread());
    });

    it('test_cpu_count: is an integer of at least 1', () => {
      expect(Number.isInteger(cpuCount())).toBe(true);
      expect(cpuCount()).toBeGreaterThanOrEqual(1);
    });

    it('test_active_children: a new list each time; a child is in it from start to end', async () => {
      expect(activeChildren()).toEqual([]);
      const child = new Process(stay, { context });
      expect(activeChildren()).toEqual([]);
      await started(child);
      expect(activeChildren()).toEqual([child]);
      expect(activeChildren()).not.toBe(activeChildren());
      child.kill();
      await child.join();
      expect(activeChildren()).toEqual([]);
    });

    it('test_recursion: children start children, each joined, and speak in depth-first order', async () => {
      const recurse = async (path: string, id: number[], by: StartMethod): Promise<void> => {
        note(path, id);
        if (id.length === 2) return;
        for (let i = 0; i < 2; i++) {
          const child = await new Process(recurse, { args: [path, [...id, i], by], context: by }).start();
          await child.join();
        }
      };
      await recurse(ledger.path, [], context);
      expect(said()).toEqual([[], [0], [0, 0], [0, 1], [1], [1, 0], [1, 1]]);
    });

    itNeeds('descriptors')(
      'test_sentinel: throws before the start; then it is readable once the child has ended',
      async () => {
        const child = new Process(stay, { context });
        expect(codeOf(() => child.sentinel)).toBe('MP_NOT_STARTED');
        await started(child);
        const fd = child.sentinel.fileno();
        expect(Number.isInteger(fd)).toBe(true);
        expect(child.sentinel.fileno()).toBe(fd);
        expect(readable(fd)).toBe(false);
        child.kill();
        await child.join();
        expect(readable(fd)).toBe(true);
      },
    );

    it('test_sentinel: wait() takes it, while the child runs and when it has ended', async () => {
      const child = await started(new Process(stay, { context }));
      expect(await wait([child.sentinel], { timeout: 0 })).toEqual([]);
      const ready = wait([child.sentinel]);
      child.kill();
      expect(await ready).toEqual([child.sentinel]);
      await child.join();
      expect(await wait([child.sentinel], { timeout: 0 })).toEqual([child.sentinel]);
    });

    itNeeds('descriptors')('test_sentinel: that of a child that has ended is readable from the start', async () => {
      const child = await started(new Process(() => {}, { context }));
      await child.join();
      expect(readable(child.sentinel.fileno())).toBe(true);
    });

    it('test_close: refused while it runs; afterwards every method throws, and closing again does nothing', async () => {
      const child = await started(new Process(stay, { context }));
      expect(codeOf(() => child.close())).toBe('MP_STILL_RUNNING');
      child.kill();
      await child.join();
      expect(child.exitCode).toBe(-9);
      child.close();
      for (const use of [
        () => child.isAlive(),
        () => child.terminate(),
        () => child.pid,
        () => child.exitCode,
        () => child.sentinel,
      ]) {
        expect(use).toThrow('process object is closed');
      }
      await expect(child.join()).rejects.toMatchObject({ code: 'MP_CLOSED' });
      await expect(child.start()).rejects.toMatchObject({ code: 'MP_CLOSED' });
      child.close();
    });

    it('test_many_processes: many short children end with 0, many that are terminated at once with -15', {
      timeout: 120_000,
    }, async () => {
      const short = await Promise.all(Array.from({ length: 10 }, () => started(new Process(() => {}, { context }))));
      for (const child of short) expect(await child.exited).toBe(0);
      const long = await Promise.all(Array.from({ length: 10 }, () => started(new Process(stay, { context }))));
      for (const child of long) child.terminate();
      for (const child of long) expect(await child.exited).toBe(-15);
    });

    it('test_lose_target_ref: nothing of target and arguments is kept; an argument passed twice is one object', async () => {
      let collected = 0;
      const registry = new FinalizationRegistry<number>(() => collected++);
      const make = async () => {
        const argument = { big: true };
        const target = (a: object, b: object, path: string) => note(path, a === b);
        registry.register(argument, 0);
        registry.register(target, 0);
        return started(new Process(target, { args: [argument, argument, ledger.path], context }));
      };
      const child = await make();
      expect(await child.exited).toBe(0);
      expect(said()).toEqual([true]);
      const { setFlagsFromString } = await import('node:v8');
      const { runInNewContext } = await import('node:vm');
      setFlagsFromString('--expose-gc');
      const gc = runInNewContext('gc') as () => void;
      await until(() => {
        gc();
        return collected === 2;
      }, 'target and argument are collected');
      expect(child.exitCode).toBe(0);
    });

    // A fork has all that its parent has, as in Python, which leaves these out for it too.
    it.runIf(isolated && method !== 'fork')(
      'test_child_fd_inflation: a child has no more descriptors because siblings run',
      async () => {
        const count = (path: string) =>
          note(path, process.getBuiltinModule('node:fs').readdirSync('/proc/self/fd').length);
        await (await started(new Process(count, { args: [ledger.path], context }))).join();
        for (let i = 0; i < 5; i++) await started(new Process(stay, { context }));
        await (await started(new Process(count, { args: [ledger.path], context }))).join();
        const [alone, among] = said();
        expect(among).toBeLessThanOrEqual(alone);
      },
    );

    it('test_wait_for_threads: a child ends when nothing keeps its loop alive; what is unref-ed does not', async () => {
      const child = await started(
        new Process(
          (path: string) => {
            setTimeout(() => note(path, 'timer'), 100);
            setInterval(() => {}, 60_000).unref();
          },
          { args: [ledger.path], context },
        ),
      );
      expect(await child.exited).toBe(0);
      expect(said()).toEqual(['timer']);
    });

    it('start and join are for the process that made it, and a process starts once', async () => {
      const child = await started(new Process(stay, { context }));
      await expect(child.start()).rejects.toMatchObject({ code: 'MP_ALREADY_STARTED' });
      expect(() => {
        child.daemon = true;
      }).toThrow(expect.objectContaining({ code: 'MP_ALREADY_STARTED' }));
      const other = new Process(stay, { context });
      await expect(other.join()).rejects.toMatchObject({ code: 'MP_NOT_STARTED' });
      await expect(other.exited).rejects.toMatchObject({ code: 'MP_NOT_STARTED' });
      expect(codeOf(() => other.terminate())).toBe('MP_NOT_STARTED');
      // A fork is sent nothing.
      if (method === 'fork') return;
      await expect(started(new Process((p: unknown) => p, { args: [other], context }))).rejects.toMatchObject({
        code: 'MP_PROCESS_OBJECT',
      });
      await expect(started(new Process((k: unknown) => k, { args: [other.authkey], context }))).rejects.toMatchObject({
        code: 'MP_AUTHKEY',
      });
    });

    it('a daemon may have no children', async () => {
      const child = await started(
        new Process(
          async (path: string) => {
            await new Process(() => {})
              .start()
              .catch((error: { code: string; message: string }) => note(path, [error.code, error.message]));
          },
          { args: [ledger.path], daemon: true, context },
        ),
      );
      expect(await child.exited).toBe(0);
      expect(said()).toEqual([['MP_DAEMON', expect.stringContaining('daemons may have no children')]]);
    });

    it('join ends with its signal, and leaves the child alone', async () => {
      const child = await started(new Process(stay, { context }));
      const abort = new AbortController();
      const joining = child.join({ signal: abort.signal });
      abort.abort(new Error('enough'));
      await expect(joining).rejects.toThrow('enough');
      await expect(child.join({ signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
      expect(await child.join({ timeout: 20 })).toBe(false);
      expect(child.isAlive()).toBe(true);
    });

    it('options are checked', () => {
      expect(() => new Process(stay, { deamon: true } as never)).toThrow('did you mean `daemon`?');
      expect(() => new Process(stay, { args: 'x' as never })).toThrow('`args` must be an array');
      expect(() => new Process(stay, { env: 'x' as never })).toThrow('`env` must be an object');
      expect(() => new Process(stay, { execArgv: 'x' as never })).toThrow('`execArgv` must be an array of strings');
      expect(() => new Process('x' as never)).toThrow('the target must be a function or a module URL');
      expect(() => new Process(stay, { context: 'clone' as never })).toThrow(
        expect.objectContaining({ code: 'MP_UNKNOWN_START_METHOD' }),
      );
    });

    it('a module URL runs its default export', async () => {
      const target = new URL('../fixtures/process/target.mjs', import.meta.url);
      const child = await started(new Process(target, { args: [ledger.path, 'plain'], context }));
      expect(await child.exited).toBe(0);
      const other = await started(new Process(target, { args: [ledger.path, new Map([[1, 2]])], context }));
      expect(await other.exited).toBe(0);
      expect(said()).toEqual(['plain', 'Map(1) { 1 => 2 }']);
    });
  });

  describe(`_TestSubclassingProcess over ${method}`, () => {
    it('test_subclassing: an instance with its fields runs in the child', async () => {
      const numbers = new SharedArray('i', [0, 1, 2, 3]);
      const child = await started(new Adder(numbers, context));
      expect(await child.exited).toBe(0);
      expect([...numbers.array]).toEqual([6, 1, 2, 3]);
      expect(child.total).toBe(0);
    });

    it('in a child the instance is the current process', async () => {
      class Named extends Process<[number]> {
        constructor(readonly path: string) {
          super((x: number) => note(path, ['target', x]), { args: [5], context, name: 'the one' });
        }
        override async run(): Promise<void> {
          note(this.path, [
            this.name,
            this.pid === process.pid,
            this === (currentProcess() as unknown),
            this.isAlive(),
            this.exitCode,
          ]);
          await super.run();
          await this.start().catch((error: { code: string }) => note(this.path, error.code));
        }
      }
      const child = await started(new Named(ledger.path));
      expect(await child.exited).toBe(0);
      expect(said()).toEqual([['the one', true, true, true, null], ['target', 5], 'MP_NOT_PARENT']);
    });

    const exits: [string, () => unknown, number][] = [
      ['what it returns is ignored', () => 42, 0],
      ['nothing', () => undefined, 0],
      ['process.exit()', () => process.exit(), 0],
      ['process.exit(0)', () => process.exit(0), 0],
      ['process.exit(42)', () => process.exit(42), 42],
      [
        'process.exitCode',
        () => {
          process.exitCode = 7;
        },
        7,
      ],
      [
        'process.exit later',
        () => {
          setTimeout(() => process.exit(9), 10);
          return new Promise(() => {});
        },
        9,
      ],
    ];
    for (const [what, target, code] of exits) {
      it(`test_sys_exit: ${what} -> ${code}`, async () => {
        expect(await (await started(new Process(target, { context }))).exited).toBe(code);
      });
    }
  });

  describe(`programs over ${method}`, () => {
    const nodeOptions = method === 'fork' ? FORK_OPTIONS : [];
    const run = (name: string, args: string[] = [], options: { node?: string[]; env?: NodeJS.ProcessEnv } = {}) =>
      program(`process/${name}`, [method, ...args], { ...options, node: [...nodeOptions, ...(options.node ?? [])] })
        .ended;

    const failures: [string, RegExp][] = [
      ['error', /thrown on purpose[\s\S]*errors\.js/],
      ['rejection', /thrown on purpose[\s\S]*errors\.js/],
      ['later', /thrown on purpose[\s\S]*errors\.js/],
      ['unhandled', /thrown on purpose[\s\S]*errors\.js/],
      ['text', /only text/],
      ['object', /why: 'an object'/],
    ];
    for (const [what, expected] of failures) {
      it(`_TestSubclassingProcess.test_stderr_flush: an uncaught ${what} is on stderr, whole, with the process's name, and the exit code is 1`, async () => {
        const { stdout, stderr, code } = await run('errors.js', [what]);
        expect(stderr).toMatch(expected);
        expect(stderr).toContain('Failing-1');
        expect(stdout).toBe('exit code 1\n');
        expect(code).toBe(0);
      });
    }

    it('_TestAtExit.test_atexit: exit handlers of a child run when it ends normally', async () => {
      const { stdout } = await run('at-exit.js');
      expect(stdout.trim().split('\n').sort()).toEqual(['beforeExit', 'exit 0', 'parent 0']);
    });

    it('TestStdinBadfiledescriptor.test_flushing: output of a child is not lost, and that of the parent is not written twice', async () => {
      const { stdout, code } = await run('output.js');
      expect(code).toBe(0);
      expect(stdout.match(/^parent$/gm)).toHaveLength(1);
      expect(stdout.match(/^line \d+ x{500}$/gm)).toHaveLength(2_000);
      expect(stdout.endsWith('last\n')).toBe(true);
    });

    it('TestStdinBadfiledescriptor.test_queue_in_process, test_pool_in_process: a child may start a child and run a pool', async () => {
      const { stdout, stderr, code } = await run('nested.js');
      expect(stderr).toBe('');
      expect(stdout).toBe('grandchild\npool 1,4,9\nend 0\n');
      expect(code).toBe(0);
    });

    it('a program whose loop is empty waits for its children and ends its daemons, in that order', async () => {
      const { stdout, code } = await run('ends.js', ['natural']);
      expect(code).toBe(0);
      expect(stdout.trim().split('\n')).toEqual(['parent', 'first', 'other done', 'last', 'exit']);
    });

    it.runIf(isolated)('process.exit waits for children as the natural end does, and keeps its code', async () => {
      const { stdout, code } = await run('ends.js', ['exit']);
      expect(code).toBe(3);
      expect(stdout.trim().split('\n')).toEqual(['parent', 'exit', 'first', 'other done', 'last']);
    });

    it.runIf(isolated)('an uncaught error of the parent waits for children too', async () => {
      const { stdout, code } = await run('ends.js', ['throw']);
      expect(code).toBe(1);
      expect(stdout.trim().split('\n')).toEqual(['parent', 'exit', 'first', 'other done', 'last']);
    });

    it.runIf(isolated)(
      'twenty children are gone when their parent is SIGKILLed, and nothing of them is left in /dev/shm',
      async () => {
        const before = ownBlocks();
        const parent = program('process/many.js', [method], { node: nodeOptions });
        const [, pids] = await parent.line(/^pids ([\d ]+)$/m);
        const alive = (pid: number) => {
          try {
            return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z');
          } catch {
            return false;
          }
        };
        const children = pids!.split(' ').map(Number);
        expect(children.filter(alive)).toHaveLength(20);
        parent.child.kill('SIGKILL');
        await until(() => !children.some(alive), 'all children are gone');
        await until(() => JSON.stringify(ownBlocks()) === JSON.stringify(before), '/dev/shm is as before');
      },
    );

    it.runIf(method === 'fork')(
      'TestNoForkBomb.test_noforkbomb: a fork runs a function of a main module without a guard',
      async () => {
        expect(await run('unguarded.js', ['closure'])).toMatchObject({ stdout: 'ran\n', stderr: '', code: 0 });
      },
    );

    it.skipIf(method === 'fork')(
      'TestNoForkBomb.test_noforkbomb: a main module without a guard ends with an explanation in the child, and never recurses',
      async () => {
        const { stdout, stderr, code } = await run('unguarded.js');
        expect(stdout).toBe('');
        expect(stderr).toContain('MP_BOOTSTRAPPING');
        expect(stderr).toContain('or only in the first process');
        expect(code).toBe(1);
      },
    );

    it.runIf(isolated)(
      'TestCloseFds.test_closefd: a child does not inherit an unrelated descriptor of high number, but a fork does',
      async () => {
        expect((await run('descriptor.js')).stdout).toBe(method === 'fork' ? 'there\n' : 'not there\n');
      },
    );

    it('a wait at the top level of a program keeps it alive until the child has ended', async () => {
      expect((await run('waits.js')).stdout).toBe('joined true\nexited 5\n');
    });
  });
}

/** Whether reading a descriptor would not block. */
function readable(fd: number): boolean {
  // /proc tells it of pidfds (Pid: -1 when the process is gone); a pipe whose writer is gone reads as its end.
  const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
  const pid = /^Pid:\s+(-?\d+)/m.exec(info)?.[1];
  if (pid !== undefined) return pid === '-1' || readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z');
  const inode = /^ino:\s+(\d+)/m.exec(info)?.[1];
  return !readdirSync('/proc/self/fd').some((other) => {
    try {
      const text = readFileSync(`/proc/self/fdinfo/${other}`, 'utf8');
      return Number(other) !== fd && /^ino:\s+(\d+)/m.exec(text)?.[1] === inode && /^flags:\s+\d*1$/m.test(text);
    } catch {
      return false;
    }
  });
}
