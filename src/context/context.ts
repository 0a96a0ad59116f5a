import { Client, Connection, Listener, pipe, wait } from '../connection/index.js';
import { ProcessError } from '../errors/index.js';
import type { ManagerOptions, SyncManager } from '../managers/index.js';
import { manager } from '../managers/start.js';
import { ThreadPool } from '../pool/index.js';
import { setForkserverPreload } from '../process/forkserver/index.js';
import {
  activeChildren,
  checkAvailable,
  checkStartMethod,
  cpuCount,
  currentProcess,
  getStartMethod,
  parentProcess,
  type StartMethod,
  setExecutable,
} from '../process/index.js';
import { JoinableQueue, Queue, SimpleQueue, StateTopic, Topic } from '../queues/index.js';
import { SharedMap } from '../shared-map/index.js';
import { ShareableList, SharedMemory } from '../shared-memory/index.js';
import { RawArray, RawValue, SharedArray, Value } from '../sharedctypes/index.js';
import { Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, RwLock, Semaphore } from '../synchronize/index.js';
import { getLogger, logToStderr } from '../util/logger.js';
import { printedAsShown } from '../util/printed.js';
import { ForkPool, ForkServerPool, SpawnPool } from './pools.js';
import { ForkProcess, ForkServerProcess, SpawnProcess, ThreadProcess } from './processes.js';

/** The class `Process` of each context. */
export interface ContextProcesses {
  /** Of fresh Nodes. */
  readonly spawn: typeof SpawnProcess;
  /** Of processes forked from a template. */
  readonly forkserver: typeof ForkServerProcess;
  /** Of processes forked from this one. */
  readonly fork: typeof ForkProcess;
  /** Of worker threads. */
  readonly thread: typeof ThreadProcess;
}

/** The class `Pool` of each context. */
export interface ContextPools {
  /** Of fresh Nodes. */
  readonly spawn: typeof SpawnPool;
  /** Of processes forked from a template. */
  readonly forkserver: typeof ForkServerPool;
  /** Of processes forked from this one. */
  readonly fork: typeof ForkPool;
  /** Of worker threads. */
  readonly thread: typeof ThreadPool;
}

const PROCESSES: ContextProcesses = {
  spawn: SpawnProcess,
  forkserver: ForkServerProcess,
  fork: ForkProcess,
  thread: ThreadProcess,
};
const POOLS: ContextPools = { spawn: SpawnPool, forkserver: ForkServerPool, fork: ForkPool, thread: ThreadPool };

/** The class `Process` of a context: as `Process`, without the choice of a start method. */
export type ContextProcess<M extends StartMethod> = ContextProcesses[M];
/** The class `Pool` of a context: as `Pool`, without the choice of a start method. */
export type ContextPool<M extends StartMethod> = ContextPools[M];

/**
 * Everything that starts processes, or is shared with them, for one start method.
 *
 * Semantics: `Process` and `Pool` of a context start their children by its method, whatever the
 * process's default is, and are subclasses of the usual ones; children see that method as their own
 * default. Locks and the like are the usual classes: they work between children of every method, so
 * one made from a context may be given to a child of another.
 *
 * Python: `multiprocessing.context.BaseContext` and its subclasses; get one from {@link
 * getContext}.
 * @example
 * import { getContext } from 'multiprocess';
 *
 * const threads = getContext('thread');
 * await using pool = new threads.Pool({ processes: 1 });
 * console.log(await pool.map((n: number) => n * 2, [1, 2])); // [ 2, 4 ]
 */
export class Context<M extends StartMethod = StartMethod> {
  readonly #method: M;

  // Processes
  /** Makes children by this context's method. */
  readonly Process: ContextProcess<M>;
  /** Makes pools whose workers are started by this context's method. */
  readonly Pool: ContextPool<M>;
  /** Makes pools of threads. */
  readonly ThreadPool: typeof ThreadPool = ThreadPool;

  // Queues and pipes
  /** As the root's. */
  readonly Queue: typeof Queue = Queue;
  /** As the root's. */
  readonly JoinableQueue: typeof JoinableQueue = JoinableQueue;
  /** As the root's. */
  readonly SimpleQueue: typeof SimpleQueue = SimpleQueue;
  /** As the root's. */
  readonly Topic: typeof Topic = Topic;
  /** As the root's. */
  readonly StateTopic: typeof StateTopic = StateTopic;
  /** As the root's. */
  readonly Connection: typeof Connection = Connection;
  /** As the root's. */
  readonly pipe: typeof pipe = pipe;
  /** As the root's; Python's name. */
  readonly Pipe: typeof pipe = pipe;
  /** As the root's. */
  readonly Listener: typeof Listener = Listener;
  /** As the root's. */
  readonly Client: typeof Client = Client;
  /** As the root's. */
  readonly wait: typeof wait = wait;

  // Locks and their kin
  /** As the root's. */
  readonly Lock: typeof Lock = Lock;
  /** As the root's. */
  readonly RLock: typeof RLock = RLock;
  /** As the root's. */
  readonly RwLock: typeof RwLock = RwLock;
  /** As the root's. */
  readonly Semaphore: typeof Semaphore = Semaphore;
  /** As the root's. */
  readonly BoundedSemaphore: typeof BoundedSemaphore = BoundedSemaphore;
  /** As the root's. */
  readonly Condition: typeof Condition = Condition;
  /** As the root's. */
  readonly Event: typeof Event = Event;
  /** As the root's. */
  readonly Barrier: typeof Barrier = Barrier;

  // Shared values
  /** As the root's. */
  readonly Value: typeof Value = Value;
  /** As the root's `SharedArray`; Python's name. */
  readonly Array: typeof SharedArray = SharedArray;
  /** As the root's. */
  readonly SharedArray: typeof SharedArray = SharedArray;
  /** As the root's. */
  readonly RawValue: typeof RawValue = RawValue;
  /** As the root's. */
  readonly RawArray: typeof RawArray = RawArray;
  /** As the root's. */
  readonly SharedMemory: typeof SharedMemory = SharedMemory;
  /** As the root's. */
  readonly ShareableList: typeof ShareableList = ShareableList;
  /** As the root's. */
  readonly SharedMap: typeof SharedMap = SharedMap;

  // About processes
  /** See `cpuCount`. */
  readonly cpuCount: typeof cpuCount = cpuCount;
  /** See `activeChildren`. */
  readonly activeChildren: typeof activeChildren = activeChildren;
  /** See `currentProcess`. */
  readonly currentProcess: typeof currentProcess = currentProcess;
  /** See `parentProcess`. */
  readonly parentProcess: typeof parentProcess = parentProcess;
  /** See `setExecutable` of `multiprocess/spawn`: it holds for all contexts. */
  readonly setExecutable: typeof setExecutable = setExecutable;

  /** See `setForkserverPreload`: it holds for all contexts. */
  readonly setForkserverPreload: typeof setForkserverPreload = setForkserverPreload;

  // The log
  /** See `getLogger` of `multiprocess/util`. */
  readonly getLogger: typeof getLogger = getLogger;
  /** See `logToStderr` of `multiprocess/util`. */
  readonly logToStderr: typeof logToStderr = logToStderr;

  /** A started SyncManager whose server is started by this context's method. See `manager`. */
  readonly manager: (options?: Omit<ManagerOptions, 'context'>) => Promise<SyncManager>;
  /** As `manager`; Python's name. */
  readonly Manager: (options?: Omit<ManagerOptions, 'context'>) => Promise<SyncManager>;

  /** @internal */
  constructor(method: M) {
    this.manager = (options) => manager({ ...options, context: method });
    this.Manager = this.manager;
    this.#method = method;
    this.Process = PROCESSES[method] as ContextProcess<M>;
    this.Pool = POOLS[method] as ContextPool<M>;
  }

  /** Its method. */
  getStartMethod(): M {
    return this.#method;
  }

  /** A context has one method. @throws ProcessError `MP_CONTEXT_SET`, always. */
  setStartMethod(method: StartMethod): never {
    throw new ProcessError(
      `Context.setStartMethod: this context stands for '${this.#method}'; take getContext('${method}'), or set the default of the process by setStartMethod('${method}').`,
      { code: 'MP_CONTEXT_SET' },
    );
  }

  /** This context, or that of another method. @throws as {@link getContext}. */
  getContext(): Context<M>;
  getContext<N extends StartMethod>(method: N): Context<N>;
  getContext(method: StartMethod = this.#method): Context {
    return getContext(method);
  }

  /** Arrives as the context of the same method. @internal */
  [Symbol.for('multiprocess.reduce')](): readonly [typeof getContext, readonly [M]] {
    return [getContext, [this.#method]];
  }

  /** What `console.log` shows. @internal */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Context(${this.#method})`;
  }
}
printedAsShown(Context);

const contexts = new Map<StartMethod, Context>();

/**
 * The context of a start method; without one, of the process's default, which is fixed thereby as
 * in Python.
 *
 * @returns the same object each time.
 * @throws ArgumentError `MP_UNKNOWN_START_METHOD`; UnsupportedError `MP_UNSUPPORTED` when the
 * method cannot be used here, with the reason.
 * @example
 * import { getContext } from 'multiprocess';
 *
 * const context = getContext('thread');
 * const child = await new context.Process(() => console.log('in a thread')).start(); // in a thread
 * await child.join();
 */
export function getContext(): Context;
export function getContext<M extends StartMethod>(method: M): Context<M>;
export function getContext(method: StartMethod = getStartMethod()): Context {
  checkStartMethod('getContext', method);
  let context = contexts.get(method);
  if (context === undefined) {
    checkAvailable('getContext', method);
    context = new Context(method);
    contexts.set(method, context);
  }
  return context;
}
