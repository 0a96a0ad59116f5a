/** The lines of Python's TestStartMethod, each under its name. */
import {
  type Context,
  getAllStartMethods,
  getContext,
  getStartMethod,
  Process,
  type StartMethod,
  setForkserverPreload,
  setStartMethod,
  Value,
} from 'multiprocess';
import { forkserver } from 'multiprocess/forkserver';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { codeOf } from '../support/code-of.js';
import { itNeeds } from '../support/needs.js';
import { program } from '../support/programs.js';

/** Numbers for methods, which fit into a shared value. */
const METHODS: readonly StartMethod[] = ['spawn', 'forkserver', 'fork', 'thread'];
const nested = new URL('../fixtures/tasks/nested.js', import.meta.url);
const report = async (seen: Value<'i32'>): Promise<void> => {
  const { getStartMethod: own } = await import('multiprocess');
  seen.value = ['spawn', 'forkserver', 'fork', 'thread'].indexOf(own());
};

afterEach(() => setStartMethod(null as never, { force: true }));

afterAll(() => forkserver.stop());

describe('TestStartMethod', () => {
  for (const method of getAllStartMethods()) {
    it(`test_context: the context of ${method} reports its method, is its own context, and so do its children`, async () => {
      const context = getContext(method);
      expect(context.getStartMethod()).toBe(method);
      expect(context.getContext()).toBe(context);
      expect(getContext(method)).toBe(context);
      expect(codeOf(() => context.setStartMethod('spawn'))).toBe('MP_CONTEXT_SET');
      expect(codeOf(() => getContext('spwan' as 'spawn'))).toBe('MP_UNKNOWN_START_METHOD');
      const seen = new Value('i32', -1);
      const child = await new context.Process(report, { args: [seen] }).start();
      await child.join();
      expect(child.exitCode).toBe(0);
      expect(METHODS[seen.value]).toBe(method);
      expect(getStartMethod({ allowNone: true })).toBe(null);
    });

    it(`test_set_get: ${method} can be set with force, is reported, used by plain processes and seen in the child; names follow it`, async () => {
      setStartMethod(method, { force: true });
      expect(getStartMethod()).toBe(method);
      expect(codeOf(() => setStartMethod(method))).toBe('MP_CONTEXT_SET');
      const seen = new Value('i32', -1);
      const child = await new Process(report, { args: [seen] }).start();
      await child.join();
      expect(METHODS[seen.value]).toBe(method);
      const title = { spawn: 'Spawn', forkserver: 'ForkServer', fork: 'Fork', thread: 'Thread' }[method];
      const context = getContext();
      expect(context.getStartMethod()).toBe(method);
      expect(context.Process.name).toBe(`${title}Process`);
      const bound = new context.Process();
      expect(bound.name).toMatch(new RegExp(`^${title}Process-\\d+$`));
      expect(bound).toBeInstanceOf(Process);
      await using pool = new context.Pool({ processes: 1 });
      expect(pool.stats().workers[0]!.name).toMatch(new RegExp(`^${title}PoolWorker-\\d+$`));
    });
  }

  it('test_context_check_module_types: a preload list with something other than strings is refused', () => {
    for (const names of [[1, 2, 3], 'main', [new URL(import.meta.url)]]) {
      expect(codeOf(() => setForkserverPreload(names as never))).toBe('MP_INVALID_ARGUMENT');
      expect(codeOf(() => getContext('spawn').setForkserverPreload(names as never))).toBe('MP_INVALID_ARGUMENT');
    }
  });

  it('test_spawn_dont_set_context, test_freeze_support_dont_set_context: a process of a context leaves the default open; freeze_support does too', async () => {
    const { freezeSupport } = await import('multiprocess/spawn');
    freezeSupport();
    expect(getStartMethod({ allowNone: true })).toBe(null);
    const child = await new (getContext('spawn').Process)(() => {}).start();
    await child.join();
    expect(getStartMethod({ allowNone: true })).toBe(null);
    expect(getStartMethod()).toBe('spawn');
  });

  it('test_get_all_start_methods: the methods that work here are listed, the default first', () => {
    const all = getAllStartMethods();
    expect(all[0]).toBe('spawn');
    expect(all).toContain('thread');
    for (const method of METHODS.filter((one) => !all.includes(one))) {
      expect(codeOf(() => getContext(method))).toBe('MP_UNSUPPORTED');
    }
  });

  itNeeds('forks')(
    'a start method that does not work here is refused with the reason and what to use instead',
    async () => {
      for (const refused of [
        () => getContext('fork'),
        () => new Process(report, { context: 'fork', args: [new Value('i32')] }).start(),
      ]) {
        const error = await (async () => refused())().then(
          () => null,
          (reason: Error) => reason,
        );
        expect(error).toMatchObject({ code: 'MP_UNSUPPORTED' });
        expect(error!.message).toMatch(
          /'fork' cannot be used here: node was not started with `--single-threaded --v8-pool-size=1`.*'forkserver' needs no options.* Use 'spawn' or /,
        );
      }
    },
  );

  it('test_mixed_startmethod: a lock made from one context works in the children of another', async () => {
    const [one, ...others] = getAllStartMethods().map((method) => getContext(method)) as [Context, ...Context[]];
    const [lock, seen] = [new one.Lock(), new one.Value('i32', 0)];
    const count = async (guard: typeof lock, value: typeof seen): Promise<void> => {
      for (let i = 0; i < 50; i++) await guard.runExclusive(() => value.value++);
    };
    const children = [one, ...others].map((context) => new context.Process(count, { args: [lock, seen] }));
    await Promise.all(children.map((child) => child.start()));
    await Promise.all(children.map((child) => child.join()));
    expect(children.map((child) => child.exitCode)).toEqual(children.map(() => 0));
    expect(seen.value).toBe(50 * children.length);
  });

  for (const method of getAllStartMethods()) {
    it(`test_nested_startmethod: a child started by ${method} can hand what it was given to its own child`, async () => {
      const context = getContext(method);
      const seen = new Value('i32', 0);
      const child = await new context.Process(nested, { args: [seen, 2] }).start();
      await child.join();
      expect(child.exitCode).toBe(0);
      expect(seen.value).toBe(3);
    });
  }

  it('a context arrives in a child as the same context there, and a subclass of its Process runs in its child', async () => {
    const { code, stdout, stderr } = await program('context-subclass.js').ended;
    expect(stderr).toBe('');
    expect(stdout).toBe('SpawnProcess true\nrun in Greeter-1 hello\nexit 0\nsame true\n');
    expect(code).toBe(0);
  });
});
