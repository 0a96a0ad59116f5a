/**
 * Every export of the package, where there is no addon: it works between threads, or says once, at the call, why it cannot be had and
 * what can.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { PassThrough } from 'node:stream';
import * as mp from 'multiprocess';
import * as context from 'multiprocess/context';
import * as dummy from 'multiprocess/dummy';
import * as forkserver from 'multiprocess/forkserver';
import * as heap from 'multiprocess/heap';
import * as managers from 'multiprocess/managers';
import * as operators from 'multiprocess/operators';
import * as popen from 'multiprocess/popen';
import * as reduction from 'multiprocess/reduction';
import * as sharer from 'multiprocess/resource-sharer';
import * as tracker from 'multiprocess/resource-tracker';
import * as sharedctypes from 'multiprocess/sharedctypes';
import * as spawn from 'multiprocess/spawn';
import * as util from 'multiprocess/util';
import { from, lastValueFrom } from 'rxjs';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { subpaths } from '../../../scripts/subpaths.js';
import { withAddon } from '../../support/needs.js';

type Use = () => unknown;

/** Ends with the test. */
function closing<T extends { close(): void }>(each: T): T {
  onTestFinished(() => each.close());
  return each;
}

async function pooled<P extends mp.Pool>(
  pool: P,
  use: (pool: P) => unknown = (each) => each.apply(() => 1),
): Promise<unknown> {
  try {
    return await use(pool);
  } finally {
    pool.terminate();
    await pool.join();
  }
}

async function run(process: mp.Process): Promise<void> {
  await process.start();
  await process.join();
  expect(process.exitCode).toBe(0);
}

async function managed<M extends managers.BaseManager>(manager: M, use: (manager: M) => unknown): Promise<void> {
  try {
    await use(manager);
  } finally {
    await manager.shutdown();
  }
}

async function connected(options: mp.ListenerOptions): Promise<void> {
  const listener = closing(await mp.Listener.listen(options));
  const [here, there] = await Promise.all([listener.accept(), mp.Client(listener.address)]);
  await closing(there).send('hello');
  expect(await closing(here).recv()).toBe('hello');
}

const started = async (): Promise<mp.SyncManager> => mp.Manager();
const pipe = () => mp.Pipe<any>().map(closing) as [mp.Connection<any>, mp.Connection<any>];
const tcp = { host: '127.0.0.1', port: 0 };
const options = { entry: new URL('../../fixtures/random.mjs', import.meta.url), name: 'child' };

/** What works, by the name of the export. */
const works: Record<string, Use | readonly Use[]> = {
  // Pools and processes
  Pool: () => pooled(new mp.Pool({ processes: 1 })),
  ThreadPool: () => pooled(new mp.ThreadPool({ processes: 1 })),
  Process: () => run(new mp.Process(() => {})),
  ThreadProcess: () => run(new context.ThreadProcess(() => {})),
  Context: () => run(new (mp.getContext('thread').Process)(() => {})),
  ParentProcess: () => run(new mp.Process(() => void mp.parentProcess()!.name)),
  Sentinel: async () => {
    const process = await new mp.Process(() => {}).start();
    await mp.wait([process]);
    await process.join();
  },
  task: () =>
    pooled(new mp.Pool({ processes: 1 }), (pool) =>
      pool.map(
        mp.task({ by: 2 }, ({ by }, n: number) => n * by),
        [1],
      ),
    ),
  currentTask: () =>
    pooled(new mp.Pool({ processes: 1 }), (pool) => pool.apply(() => mp.currentTask()!.signal.aborted)),
  workerState: () =>
    pooled(new mp.Pool({ processes: 1, initializer: () => 1 }), (pool) => pool.apply(() => mp.workerState())),
  activeChildren: () => mp.activeChildren(),
  currentProcess: () => mp.currentProcess().name,
  parentProcess: () => mp.parentProcess(),
  cpuCount: () => mp.cpuCount(),
  getAllStartMethods: () => expect(mp.getAllStartMethods()).toEqual(['thread']),
  getContext: () => mp.getContext(),
  getStartMethod: () => expect(mp.getStartMethod()).toBe('thread'),
  // Names a method only: what starts a child refuses it, as on a host that cannot fork.
  setStartMethod: () => mp.setStartMethod('thread', { force: true }),
  setForkserverPreload: () => mp.setForkserverPreload([]),
  explain: () => mp.explain(() => 1),

  // Queues
  Queue: async () => {
    const queue = closing(new mp.Queue<number>());
    await queue.put(1);
    expect(await queue.get()).toBe(1);
  },
  JoinableQueue: () => closing(new mp.JoinableQueue()).join(),
  SimpleQueue: () => closing(new mp.SimpleQueue()).put(1),
  Topic: () => closing(new mp.Topic()).publish(1),
  StateTopic: () => closing(new mp.StateTopic(1)).value,

  // Synchronizing
  Lock: () => closing(new mp.Lock()).runExclusive(() => {}),
  RLock: () => closing(new mp.RLock()).runExclusive(() => {}),
  RwLock: async () => (await closing(new mp.RwLock()).read())[Symbol.dispose](),
  Semaphore: () => closing(new mp.Semaphore(1)).runExclusive(() => {}),
  BoundedSemaphore: () => closing(new mp.BoundedSemaphore(1)).runExclusive(() => {}),
  Condition: () => closing(new mp.Condition()).runExclusive(() => {}),
  Event: () => closing(new mp.Event()).set(),
  Barrier: () => closing(new mp.Barrier(1)).wait(),

  // Memory
  Value: () => closing(new mp.Value('i32', 1)).update((n) => n + 1),
  SharedArray: () => closing(new mp.SharedArray('i32', 2)).array.fill(1),
  RawValue: () => closing(new mp.RawValue('i32', 1)).value,
  RawArray: () => closing(new mp.RawArray('i32', 2)).array.fill(1),
  SharedMap: () => closing(new mp.SharedMap({ capacity: 4 })).set('a', 1),
  Heap: () => new heap.Heap().malloc(8),
  BufferWrapper: () => new heap.BufferWrapper(8)[Symbol.dispose](),
  share: () => closing(mp.share({ numbers: new Float64Array(10_000) })).value,
  struct: () => mp.struct({ x: 'f64' }),
  copy: () => closing(sharedctypes.copy(closing(new mp.RawValue('i32', 1)))),
  synchronized: () => sharedctypes.synchronized(closing(new mp.RawValue('i32', 1))).update((n) => n + 1),

  // Connections
  Pipe: () => pipe(),
  wait: [() => mp.wait(pipe(), { timeout: 0 }), () => mp.wait([new PassThrough()], { timeout: 0 })],
  Listener: [() => connected({}), () => connected({ address: tcp })],
  Client: async () => {
    const listener = closing(await mp.Listener.listen({ authkey: 'k', address: tcp }));
    const [here, there] = await Promise.all([listener.accept(), mp.Client(listener.address, { authkey: 'k' })]);
    for (const each of [here, there]) each.close();
  },
  deliverChallenge: async () => {
    const { answerChallenge, deliverChallenge } = await import('multiprocess/connection');
    const [here, there] = pipe();
    await Promise.all([deliverChallenge(here, 'k'), answerChallenge(there, 'k')]);
  },

  // Managers
  Manager: [
    async () => managed(await started(), (m) => m.dict()),
    async () => managed(await mp.Manager({ address: tcp }), (m) => m.dict()),
  ],
  SyncManager: () =>
    managed(new managers.SyncManager(), async (m) => {
      await m.start();
      await m.list([1]);
    }),
  BaseManager: () => managed(new managers.BaseManager(), (m) => m.start()),
  Server: () => new managers.BaseManager({ address: tcp }).getServer().stop(),
  RemoteCall: async () => managed(await started(), async (m) => (await m.list([1])).at(0)),
  tokenOf: async () => managed(await started(), async (m) => managers.tokenOf(await m.list([1]))),
  textOf: async () => managed(await started(), async (m) => managers.textOf(await m.list([1]))),
  currentCall: () => managers.currentCall(),

  // Functions
  dumps: () => expect(reduction.loads<() => number>(reduction.dumps(() => tcp.port))()).toBe(0),
  dump: () => reduction.dump(1, new PassThrough().resume()),
  loadsAsync: () => reduction.loadsAsync(reduction.dumps(1)),
  register: () => reduction.register(class Own {}, () => [Object, []] as never),

  // Operators
  fromQueue: async () => {
    const queue = closing(new mp.Queue<number>());
    const puts = lastValueFrom(from([1]).pipe(operators.toQueue(queue)), { defaultValue: null });
    await puts;
    expect(await mp.fromQueue(queue).toArray()).toEqual([1]);
  },
  throughQueue: () => lastValueFrom(from([1]).pipe(operators.throughQueue(closing(new mp.Queue<number>())))),
  poolMap: () =>
    pooled(new mp.Pool({ processes: 1 }), (pool) => lastValueFrom(from([1]).pipe(operators.poolMap(pool, (n) => n)))),
  remote: () => pooled(new mp.Pool({ processes: 1 }), (pool) => operators.remote(pool, () => [1, 2], []).toArray()),
  mapPull: () => lastValueFrom(from([1]).pipe(operators.mapPull((n) => n))),

  // The rest
  PopenThread: async () => {
    const child = new popen.PopenThread({ ...options, prepare: () => [] });
    await child.started;
    child.signal('SIGKILL');
    await child.wait();
  },
  forkserver: () => forkserver.forkserver.stop(),
  getInheritedFds: () => forkserver.getInheritedFds(),
  resourceSharer: () => sharer.resourceSharer.stop(),
  stop: () => tracker.stop(),
  unregister: () => tracker.unregister('none', 'shared_memory'),
  freezeSupport: () => spawn.freezeSupport(),
  getCommandLine: () => spawn.getCommandLine(),
  getExecutable: () => spawn.getExecutable(),
  setExecutable: () => spawn.setExecutable(process.execPath),
  getPreparationData: () => spawn.getPreparationData('child'),
  Finalize: () => new util.Finalize({}, () => {}).call(),
  ForkAwareLocal: () => Object.assign(new util.ForkAwareLocal(), { own: 1 }),
  ForkAwareThreadLock: () => new util.ForkAwareThreadLock().runExclusive(() => {}),
  getTempDir: () => util.getTempDir(),
  getLogger: () => util.getLogger().debug('nothing'),
  registerAfterFork: () => util.registerAfterFork({}, () => {}),
  isExiting: () => util.isExiting(),
};

/** What cannot be had, by the name of the export. */
const refused: Record<string, Use | readonly Use[]> = {
  SharedMemory: [() => mp.SharedMemory.create(8), () => mp.SharedMemory.attach('none')],
  ShareableList: [() => new mp.ShareableList([1]), () => mp.ShareableList.attach('none')],
  SharedMemoryManager: () =>
    managed(new managers.SharedMemoryManager(), async (m) => {
      await m.start();
      await m.SharedMemory(8);
    }),
  SpawnProcess: () => new context.SpawnProcess(() => {}).start(),
  ForkProcess: () => new context.ForkProcess(() => {}).start(),
  ForkServerProcess: () => new context.ForkServerProcess(() => {}).start(),
  SpawnPool: () => new context.SpawnPool({ processes: 1 }),
  ForkPool: () => new context.ForkPool({ processes: 1 }),
  ForkServerPool: () => new context.ForkServerPool({ processes: 1 }),
  getContext: (['spawn', 'forkserver', 'fork'] as const).map((method) => () => mp.getContext(method)),
  Pool: [() => new mp.Pool({ context: 'spawn' }), () => new mp.Pool({ pin: true })],
  ThreadPool: () => new mp.ThreadPool({ pin: true }),
  Process: () => new mp.Process(() => {}, { context: 'fork' }).start(),
  Manager: () => mp.Manager({ context: 'spawn' }),
  Connection: () => new mp.Connection(0),
  wait: [() => mp.wait([0], { timeout: 0 }), () => mp.wait([0])],
  Listener: () => mp.Listener.listen({ tls: {} }),
  Client: () => mp.Client('none', { tls: true }),
  DupFd: () => new reduction.DupFd(0),
  sendHandle: () => reduction.sendHandle(pipe()[0], 0),
  recvHandle: () => reduction.recvHandle(pipe()[0]),
  sendFds: () => reduction.sendFds(pipe()[0], [0]),
  recvFds: () => reduction.recvFds(pipe()[0], 1),
  dumps: async () => {
    const server = closing(createServer().listen(0));
    await once(server, 'listening');
    return reduction.dumps(server);
  },
  PopenSpawn: () => new popen.PopenSpawn(options),
  PopenFork: () => new popen.PopenFork(options),
  PopenForkserver: () => new popen.PopenForkserver(options),
  ensureRunning: [() => forkserver.ensureRunning(), () => tracker.ensureRunning()],
  connectToNewProcess: () => forkserver.connectToNewProcess(options),
  register: () => tracker.register('none', 'shared_memory'),
};

/** Used above under another name, or called by nobody: what calls return, errors, words of the log, and functions of streams alone. */
const others: readonly (string | RegExp)[] = [
  /Error$/,
  /Proxy$/,
  'Connection',
  'AsyncResult',
  'TaskStream',
  'Explanation',
  'Shared',
  'AuthenticationKey',
  'Popen',
  'PopenForked',
  'RemoteHeld',
  'resourceTracker',
  'loads',
  'answerChallenge',
  'toQueue',
  'referentOf',
  'defineTypes',
  'importMainPath',
  'closeAllFdsExcept',
  'logToStderr',
  /^(debug|info|subDebug|subWarning)$/,
  /^(batch|concatMap|filter|mergeMap|take)Pull$|^bounded$/,
];

const usesOf = (use: Use | readonly Use[]): readonly Use[] => (typeof use === 'function' ? [use] : use);
const cases = (table: typeof works) =>
  Object.entries(table).flatMap(([name, use]) => usesOf(use).map((each, i) => ({ name, i, use: each })));

describe.skipIf(withAddon)('without the addon', () => {
  afterAll(() => forkserver.forkserver.stop());

  it('every export is named here', async () => {
    const known = new Set([...Object.keys(works), ...Object.keys(refused)]);
    const seen = new Set<unknown>();
    const missing: string[] = [];
    // The brokers of `distributed` are not installed with the package.
    for (const { specifier } of subpaths().filter(({ name }) => name !== 'distributed')) {
      for (const [name, value] of Object.entries((await import(specifier)) as object)) {
        if ((typeof value !== 'function' && typeof value !== 'object') || seen.has(value)) continue;
        if (known.has(name) || others.some((each) => (typeof each === 'string' ? each === name : each.test(name))))
          seen.add(value);
        else missing.push(`${specifier} ${name}`);
      }
    }
    expect(missing).toEqual([]);
    expect(dummy.Manager).toBeTypeOf('function');
  });

  it.each(cases(works))('$name works ($i)', async ({ use }) => {
    await use();
  });

  it.each(cases(refused))('$name says why not, and what instead ($i)', async ({ use }) => {
    const error = await Promise.resolve()
      .then(use)
      .then(
        () => new Error('It works.'),
        (cause: unknown) => cause,
      );
    expect(error).toBeInstanceOf(mp.UnsupportedError);
    const { code, message } = error as mp.UnsupportedError;
    expect(code).toBe('MP_NO_ADDON');
    // Who, why, and after that what else.
    expect(message).toMatch(
      /^[\w.' -]+.*: The native addon of multiprocess is switched off by MULTIPROCESS_NATIVE=off; .*\. [A-Z].*\.$/,
    );
  });
});
