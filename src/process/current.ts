import { inspect } from 'node:util';
import { processState, watchProcess } from '../native/index.js';
import { countCpus } from '../util/cpu.js';
import { deferred } from '../util/deferred.js';
import { printedAsShown } from '../util/printed.js';
import { boundsOf, settles, type WaitOptions } from '../util/wait-options.js';
import { ownKey, toKey } from './authkey.js';
import { activeOwners } from './children.js';
import { identity, ownIdent, type Parent } from './identity.js';
import type { Process } from './process.js';

/** The process that asks: in a child that runs a subclass of Process, its instance. */
export interface CurrentProcess {
  /** Its name; `MainProcess` for the first of a family. */
  name: string;
  /** Process id. */
  readonly pid: number | null;
  /** The process id; in a thread, Node's id of the thread. */
  readonly ident: number | null;
  /** Whether it ends with its parent and may have no children. */
  readonly daemon: boolean;
  /** The family's key. Cannot be sent. */
  authkey: Uint8Array;
  /** `null`: it runs. */
  readonly exitCode: number | null;
  /** `true`: it runs. */
  isAlive(): boolean;
}

class Current implements CurrentProcess {
  get name(): string {
    return identity().name;
  }
  set name(value: string) {
    identity().name = String(value);
  }
  get pid(): number {
    return process.pid;
  }
  get ident(): number {
    return ownIdent();
  }
  get daemon(): boolean {
    return identity().daemon;
  }
  get authkey(): Uint8Array {
    return ownKey();
  }
  set authkey(value: Uint8Array) {
    identity().authkey = toKey('currentProcess', value);
  }
  get exitCode(): null {
    return null;
  }
  isAlive(): boolean {
    return true;
  }

  /** As Python's `repr`. */
  toString(): string {
    return `<Process name='${this.name}' pid=${this.pid} started${this.daemon ? ' daemon' : ''}>`;
  }
  [inspect.custom](): string {
    return this.toString();
  }
}

/**
 * Returns the process (or worker thread) that calls. Python: `current_process`.
 * @example
 * import { currentProcess, Process } from 'multiprocess';
 *
 * console.log(currentProcess().name); // MainProcess
 * const named = () => process.exit(currentProcess().name === 'counter' ? 7 : 1);
 * const child = await new Process(named, { name: 'counter' }).start();
 * console.log(await child.exited); // 7
 */
export function currentProcess(): CurrentProcess {
  const own = identity();
  own.self ??= new Current();
  return own.self as CurrentProcess;
}

/**
 * The process that started this one, as seen from here.
 * @example
 * import { Pool, parentProcess } from 'multiprocess';
 *
 * await using pool = new Pool({ processes: 1 });
 * console.log(await pool.apply((pid: number) => parentProcess()?.pid === pid, [process.pid])); // true
 */
export class ParentProcess {
  readonly #parent: Parent;

  /** @internal */
  constructor(parent: Parent) {
    this.#parent = parent;
  }

  /** The name it had when it started this one. */
  get name(): string {
    return this.#parent.name;
  }

  /** Process id. */
  get pid(): number {
    return this.#parent.pid;
  }

  /** The process id; for a thread, Node's id of it. */
  get ident(): number {
    return this.#parent.threadId ?? this.#parent.pid;
  }

  /** Returns whether it runs. Children that were spawned die with their parent, so theirs does. */
  isAlive(): boolean {
    // A thread ends with the one that started it.
    if (this.pid === process.pid) return true;
    const state = processState(this.pid);
    return state !== null && !state.ended && (this.#parent.startTime ?? '') === String(state.startTime);
  }

  /**
   * Waits until it has ended.
   * @param options `timeout` of 0 or less only looks.
   * @returns whether it has.
   * @throws (rejects) `signal.reason`.
   */
  async join(options?: WaitOptions): Promise<boolean> {
    const { timeout, signal } = boundsOf('ParentProcess.join', options) ?? {};
    signal?.throwIfAborted();
    if (!this.isAlive()) return true;
    if (timeout !== undefined && timeout <= 0) return false;
    const over = deferred<void>();
    // A thread does not see the end of its own process.
    const watch = this.pid === process.pid ? { close: () => {} } : watchProcess(this.pid, () => over.resolve());
    if (watch === null) return true;
    try {
      return await settles(over.promise, { timeout, signal });
    } finally {
      watch.close();
    }
  }

  /** @internal */
  [inspect.custom](): string {
    return `<ParentProcess name='${this.name}' pid=${this.pid}>`;
  }
}
printedAsShown(ParentProcess);

let parent: ParentProcess | null = null;
/** Whom `parent` stands for: in a fork it is another one. */
let known: Parent | null = null;

/**
 * Returns the process that started this one; `null` in the main process. Python: `parent_process`.
 * @example
 * import { Pool, parentProcess } from 'multiprocess';
 *
 * await using pool = new Pool({ processes: 1 });
 * console.log(parentProcess(), await pool.apply(() => parentProcess()?.name)); // null MainProcess
 */
export function parentProcess(): ParentProcess | null {
  const own = identity().parent;
  if (own !== known) parent = own === null ? null : new ParentProcess(own);
  known = own;
  return parent;
}

/**
 * Returns the children of this process (of this thread) that run, in the order of their start: a
 * new array. Python: `active_children`.
 * @example
 * import { activeChildren, Event, Process } from 'multiprocess';
 *
 * const end = new Event();
 * const child = await new Process(async () => void (await end.wait()), { name: 'waiter' }).start();
 * console.log(activeChildren().map(({ name }) => name)); // [ 'waiter' ]
 * end.set();
 * await child.exited;
 */
export function activeChildren(): Process[] {
  return activeOwners() as Process[];
}

/**
 * Returns how many CPUs this process may use, at least 1: those of its affinity, as far as the
 * quotas of its cgroups (v1 and v2, also of those above its own) allow, a part of one rounded up.
 * The environment variable `MULTIPROCESS_CPU_COUNT` says another number. A pool has as many workers
 * by default.
 *
 * Python: `cpu_count`, which counts all CPUs of the machine; `process_cpu_count` knows affinity.
 *
 * @throws ArgumentError `MP_INVALID_ARGUMENT` when `MULTIPROCESS_CPU_COUNT` is no number of CPUs.
 * @example
 * import { cpuCount } from 'multiprocess';
 *
 * process.env.MULTIPROCESS_CPU_COUNT = '3';
 * console.log(cpuCount()); // 3
 */
export function cpuCount(): number {
  return countCpus('cpuCount');
}
