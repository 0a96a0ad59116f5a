import { inspect } from 'node:util';
import { ArgumentError, MultiprocessError, RemoteError } from '../../errors/index.js';
import type { Region } from '../../memory/regions/region.js';
import { Link, LinkSide } from '../../memory/ring/link.js';
import { EMPTY_PAYLOAD, type Payload } from '../../memory/ring/payload.js';
import { holdUntil } from '../../memory/shareable/freight.js';
import { IdleBackoff } from '../../memory/waiting/idle-backoff.js';
import { AuthenticationKey } from '../../process/authentication-key.js';
import { identity } from '../../process/identity.js';
import {
  CodeTable,
  Decoder,
  Encoder,
  inCall,
  isError,
  loadSending,
  PendingValue,
  sendableError,
  sendsFunctions,
  withoutSockets,
} from '../../reduction/receiving.js';
import { taskEnd, taskStart } from '../../util/diagnostics.js';
import { describe } from '../../util/options.js';
import { applyPreparations, type PreparedState } from '../../util/preparation.js';
import { performance, setImmediate } from '../../util/timers.js';
import { taskSlot } from '../current-task.js';
import { readReason } from '../wire/abort-reason.js';
import { CodedPayload } from '../wire/coded-payload.js';
import {
  ABORT_ITEM,
  ATTEMPT_SHIFT,
  ENDING,
  Flag,
  KIND,
  LINK_CAPACITY,
  MessageKind,
  NO_ARGUMENTS,
  PREPARING,
  Preparing,
  STARTED_ITEMS,
  STATUS,
  Status,
} from '../wire/protocol.js';
import { FunctionTable, type TaskFunction } from './function-table.js';
import { PART_HEADER, PackedItems } from './packed-items.js';
import { TaskContexts } from './task-contexts.js';
import { WorkerTask } from './worker-task.js';

/** Milliseconds of synchronous items after which other events of the process get a turn. */
const COOPERATIVE_BUDGET_MS = 10;

/** The record that was claimed. */
interface Taken {
  readonly kind: number;
  readonly attempt: number;
  /** See {@link Run.began}. */
  readonly began: number;
}

/** The batch that is being run. */
interface Run {
  readonly fn: TaskFunction;
  /** Decoded, or to be decoded one by one. */
  readonly items: readonly unknown[] | PackedItems;
  /** The first of the items that are this batch's, and how many they are. */
  readonly first: number;
  readonly count: number;
  readonly spread: boolean;
  readonly attempt: number;
  /** `performance.now()` when a chunk was taken; 0 for a call, which is not timed. */
  readonly began: number;
  /** Item to run next. */
  index: number;
  /**
   * Items are announced up to here; from the start, those of a batch that wants no announcements.
   */
  announced: number;
}

/** How the item that ran last ended, while the link has no room to say so. */
interface Outcome {
  readonly run: Run;
  readonly kind: MessageKind;
  readonly value: unknown;
}

/**
 * The loop of a pool worker.
 *
 *   bell -> advance: record -> decode -> item -> result -> … -> link empty -> sleep
 *
 * One item runs at a time. Items that are synchronous are run in one go; a promise, a module that
 * must load or a result that finds no room suspends the loop until it is settled. `advance` is the
 * only way on.
 */
export class WorkerLoop {
  readonly #link: Link;
  readonly #decoder = new Decoder();
  /** The code records of the parent. */
  readonly #codes = new CodeTable();
  readonly #functions = new FunctionTable(this.#decoder, this.#codes);
  readonly #payload = new CodedPayload();
  #run: Run | null = null;
  #outcome: Outcome | null = null;
  #task: WorkerTask | null = null;
  /**
   * The newest report of the running item, while there is no room; how many were dropped since the
   * last that was sent.
   */
  #kept: Payload | null = null;
  #dropped = 0;
  #suspended = false;
  /** Its initializer failed. */
  #unfit = false;
  #scheduled = false;
  #started = 0;
  #stopping = false;
  readonly #linger = new IdleBackoff();
  readonly #contexts = new TaskContexts();

  constructor(
    region: Region,
    bells: { readonly parent: number; readonly worker: number },
    readonly stop: () => void,
  ) {
    this.#link = new Link(region, LINK_CAPACITY, LinkSide.Worker, bells, () => this.#rung());
  }

  /** What outlives this worker. */
  get control(): Int32Array {
    return this.#link.control;
  }

  /** Starts it. */
  start(): void {
    this.#advance();
  }

  #rung(): void {
    this.#link.flush();
    if (this.#kept !== null && this.#link.writable) this.#sendKept();
    this.#checkAbort();
    this.#advance();
  }

  #advance(): void {
    this.#contexts.run(this.#proceed);
  }

  readonly #proceed = (): void => {
    if (this.#stopping) {
      // What a result refers to (shared memory of this process) must be there until the parent has
      // read it.
      if (this.#link.drained()) this.stop();
      return;
    }
    if (this.#scheduled) return;
    const link = this.#link;
    const until = performance.now() + COOPERATIVE_BUDGET_MS;
    let steps = 0;
    // A message that waits for room blocks what follows; `flush` in `#rung` comes back here.
    while (!this.#suspended && !this.#stopping && link.writable && !this.#contexts.spoilt) {
      if (this.#outcome !== null) this.#settle(this.#outcome.run, this.#outcome.kind, this.#outcome.value);
      else if (this.#run !== null) this.#item(this.#run);
      else if (link.receive()) this.#record();
      else {
        // The link is looked at again on later turns before the worker sleeps: waking it is dear.
        if (steps > 0) this.#linger.foundWork();
        if (steps > 0 || this.#linger.shouldLookAgain()) this.#nextTurn();
        else if (!link.sleep()) continue;
        return;
      }
      if ((++steps & 15) === 0 && performance.now() >= until) {
        this.#nextTurn();
        return;
      }
    }
  };

  #nextTurn(): void {
    this.#scheduled = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    this.#advance();
  };

  #suspend<T>(promise: PromiseLike<T>, then: (value: T) => void, fail: (error: unknown) => void): void {
    this.#suspended = true;
    promise.then(
      (value) => this.#resume(then, value),
      (error: unknown) => this.#resume(fail, error),
    );
  }

  #resume<T>(then: (value: T) => void, value: T): void {
    this.#suspended = this.#unfit;
    then(value);
    this.#advance();
  }

  // ---- records

  #record(): void {
    const link = this.#link;
    switch ((link.kind & KIND) as MessageKind) {
      case MessageKind.Call:
      case MessageKind.Chunk:
        this.#take();
        return;
      case MessageKind.Define:
        this.#functions.define(link.id, link.state === 0, link.source, link.start, link.end, link.owned);
        break;
      case MessageKind.Code:
        this.#codes.learn(link.source, link.start, link.end);
        break;
      case MessageKind.Forget:
        this.#functions.forget(link.id);
        break;
      case MessageKind.Inherit:
        this.#inherit();
        return;
      case MessageKind.Initialize:
        this.#initialize();
        return;
      case MessageKind.Stop:
        link.release();
        link.control[ENDING] = 1;
        this.#stopping = true;
        this.#advance();
        return;
      default:
    }
    link.release();
  }

  /**
   * Claims the batch record that the link shows and prepares it. It stays in the ring until its
   * last item has a result.
   */
  #take(): void {
    const link = this.#link;
    const queued = link.state & ~STATUS;
    if (!link.claim(queued | Status.Queued, queued | Status.Started)) {
      link.release();
      return;
    }
    const { kind, id } = link;
    const taken: Taken = {
      kind,
      attempt: queued >> ATTEMPT_SHIFT,
      began: (kind & KIND) === MessageKind.Call ? 0 : performance.now(),
    };
    try {
      let fn: TaskFunction | Promise<TaskFunction> | undefined = this.#functions.rebuilt(id);
      if (fn === undefined) {
        this.#prepare(Preparing.Function);
        fn = this.#functions.get(id);
      }
      if (typeof fn === 'function') this.#open(fn, taken);
      else {
        this.#suspend(
          fn,
          (loaded) => this.#loaded(loaded, taken),
          (error) => this.#broken(error),
        );
      }
    } catch (error) {
      this.#broken(error);
    }
  }

  #loaded(fn: TaskFunction, taken: Taken): void {
    try {
      this.#open(fn, taken);
    } catch (error) {
      this.#broken(error);
    }
  }

  /** Decodes what was taken, and begins to run it. */
  #open(fn: TaskFunction, taken: Taken): void {
    const link = this.#link;
    if (link.start === link.end) {
      this.#begin(fn, NO_ARGUMENTS, taken);
      return;
    }
    this.#prepare(Preparing.Items);
    if ((taken.kind & Flag.Packed) !== 0) {
      this.#begin(fn, new PackedItems(link.source, link.start, link.end), taken);
      return;
    }
    const items = this.#decode((taken.kind & Flag.Part) === 0 ? 0 : PART_HEADER);
    if (!(items instanceof PendingValue)) this.#begin(fn, items, taken);
    else {
      this.#suspend(
        items.ready,
        (ready) => this.#begin(fn, ready, taken),
        (error) => this.#broken(error),
      );
    }
  }

  #begin(fn: TaskFunction, content: unknown, { kind, attempt, began }: Taken): void {
    const link = this.#link;
    const call = (kind & KIND) === MessageKind.Call;
    const items = call ? [content] : (content as unknown[] | PackedItems);
    const part = (kind & Flag.Part) === 0 ? null : new DataView(link.source.buffer, link.source.byteOffset + link.start, PART_HEADER);
    this.#run = {
      fn,
      items,
      first: part?.getUint32(0, true) ?? 0,
      count: part?.getUint32(4, true) ?? items.length,
      spread: call || (kind & Flag.Spread) !== 0,
      attempt,
      began,
      index: 0,
      announced: (kind & Flag.Announce) !== 0 ? 0 : Number.POSITIVE_INFINITY,
    };
  }

  /** None of what was taken can run. */
  #broken(error: unknown): void {
    const whole = this.#preparing === Preparing.Function;
    this.#prepare(Preparing.Nothing);
    this.#send(MessageKind.Broken, whole ? 1 : 0, error);
    this.#link.release();
  }

  get #preparing(): Preparing {
    return this.#link.control[PREPARING]!;
  }

  /**
   * Says what it does before an item runs. The parent looks only once this process is dead, so a
   * plain store is enough.
   */
  #prepare(what: Preparing): void {
    this.#link.control[PREPARING] = what;
  }

  #decode(skip = 0): unknown {
    const link = this.#link;
    return this.#decoder.decode(link.source, link.start + skip, link.end, link.owned, this.#codes);
  }

  #inherit(): void {
    const [key, prepared] = this.#decode() as [string, PreparedState[]];
    this.#link.release();
    identity().authkey = AuthenticationKey.from(Buffer.from(key, 'hex')) as AuthenticationKey;
    if (prepared.length > 0)
      this.#suspend(
        applyPreparations(prepared),
        () => {},
        () => {},
      );
  }

  #initialize(): void {
    const link = this.#link;
    const { id } = link;
    this.#prepare(Preparing.Initializer);
    const failed = (error: unknown) => {
      this.#send(MessageKind.InitializerFailed, 0, error);
      // Nothing runs in a worker that is not prepared. The parent ends it.
      this.#unfit = true;
      this.#suspended = true;
    };
    const ready = () => {
      this.#contexts.adopt();
      this.#prepare(Preparing.Nothing);
      this.#send(MessageKind.Ready, 0, undefined);
    };
    const run = (args: unknown, fn: TaskFunction | Promise<TaskFunction>) => {
      if (args instanceof PendingValue) this.#suspend(args.ready, (values) => run(values, fn), failed);
      else if (typeof fn !== 'function') this.#suspend(fn, (loaded) => run(args, loaded), failed);
      else {
        try {
          const value = fn(...(args as unknown[]));
          if (isThenable(value)) this.#suspend(Promise.resolve(value), ready, failed);
          else ready();
        } catch (error) {
          failed(error);
        }
      }
    };
    try {
      const args = this.#decode();
      link.release();
      run(args, id === 0 ? () => undefined : this.#functions.get(id));
    } catch (error) {
      failed(error);
    }
  }

  // ---- items

  #item(run: Run): void {
    if (run.announced === run.index) {
      run.announced++;
      this.#link.send(MessageKind.Started, 0, 0, EMPTY_PAYLOAD);
      this.#link.wake();
      return;
    }
    this.#started = (this.#started + 1) | 0;
    this.#task = new WorkerTask(run.attempt, (task, progress) => this.#report(task, progress));
    taskSlot.task = this.#task;
    Atomics.store(this.#link.control, STARTED_ITEMS, this.#started);
    this.#prepare(Preparing.Nothing);
    // It may have been cancelled while its function was still loading.
    this.#checkAbort();
    if (taskStart.hasSubscribers) taskStart.publish({ attempt: run.attempt });
    const { items, first, index } = run;
    if (items instanceof PackedItems) this.#unpack(run, items);
    else this.#call(run, items[first + index]);
  }

  /** Decodes the item, which is running already: what that does is its doing. */
  #unpack(run: Run, items: PackedItems): void {
    const failed = (error: unknown) => this.#settle(run, MessageKind.Error, error);
    let item: unknown;
    try {
      item = this.#decoder.decode(items.source, items.from(run.index), items.to(run.index), this.#link.owned, this.#codes);
    } catch (error) {
      failed(error);
      return;
    }
    if (item instanceof PendingValue) this.#suspend(item.ready, (ready) => this.#call(run, ready), failed);
    else this.#call(run, item);
  }

  #call(run: Run, item: unknown): void {
    let value: unknown;
    try {
      // Not as a method of `run`: the function's `this` is nobody's business.
      const { fn } = run;
      value = run.spread ? fn(...argumentsOf(item)) : fn(item);
      // Thenables of other makes may call back at once, twice, or throw.
      if (!(value instanceof Promise) && isThenable(value)) value = Promise.resolve(value);
    } catch (error) {
      this.#settle(run, MessageKind.Error, error);
      return;
    }
    if (!(value instanceof Promise)) this.#settle(run, MessageKind.Value, value);
    else {
      this.#suspend(
        value,
        (settled) => this.#settle(run, MessageKind.Value, settled),
        (error) => this.#settle(run, MessageKind.Error, error),
      );
    }
  }

  #settle(run: Run, kind: MessageKind, value: unknown): void {
    const link = this.#link;
    this.#task = null;
    taskSlot.task = null;
    if (this.#kept !== null && link.writable) this.#sendKept();
    if (!link.writable) {
      // A report took the last room. `#advance` comes back when there is some.
      this.#outcome = { run, kind, value };
      return;
    }
    this.#outcome = null;
    if (taskEnd.hasSubscribers)
      taskEnd.publish(kind === MessageKind.Error ? { attempt: run.attempt, error: value } : { attempt: run.attempt });
    run.index++;
    const last = run.index === run.count;
    const halted = !last && (link.state & STATUS) === Status.Stopped;
    const micros = last && run.began > 0 ? Math.round((performance.now() - run.began) * 1000) : 0;
    this.#send(halted ? kind | Flag.Halted : kind, micros, value);
    if (!last && !halted) return;
    this.#run = null;
    link.release();
  }

  /** Fires the signal of the running item if the parent wants that. */
  #checkAbort(): void {
    const { control } = this.#link;
    const task = this.#task;
    if (task === null || Atomics.load(control, ABORT_ITEM) !== this.#started) return;
    const reason = readReason(control);
    if (reason instanceof Promise) void reason.then((loaded) => task.abort(loaded));
    else task.abort(reason);
  }

  /**
   * Only while its item runs. While the link has no room the newest is kept, so the last one always
   * arrives, before the result.
   */
  #report(task: WorkerTask, progress: unknown): void {
    if (task !== this.#task) return;
    if (this.#link.writable) this.#send(MessageKind.Report, this.#dropped, progress, () => (this.#dropped = 0));
    else {
      if (this.#kept !== null) this.#dropped++;
      // As it is now: the task may change it before there is room.
      this.#kept = this.#keep(progress);
    }
  }

  #keep(progress: unknown): Payload | null {
    // Self-contained: what the parent has of this worker's code may change before it is sent.
    const encoder = new Encoder();
    try {
      const bytes = new Uint8Array(encoder.encode(progress).total);
      encoder.layout(bytes, 0);
      return { total: bytes.length, layout: (target, offset) => target.set(bytes, offset) };
    } catch {
      this.#dropped++;
      return null;
    }
  }

  /** Sends the report that found no room. */
  #sendKept(): void {
    const kept = this.#kept;
    this.#kept = null;
    if (kept === null) return;
    this.#link.send(MessageKind.Report, this.#dropped, 0, kept);
    this.#dropped = 0;
    this.#link.wake();
  }

  /** Tells the parent what ends this worker: nobody caught it. */
  uncaught(error: unknown): void {
    if (!this.#link.writable) return;
    try {
      this.#post(MessageKind.Uncaught | this.#payload.encode(error), 0);
    } catch (reason) {
      this.#sendError(MessageKind.Uncaught, 0, error, reason);
    }
  }

  // ---- sending

  #send(kind: number, id: number, value: unknown, sent?: () => void): void {
    try {
      this.#post(kind | this.#payload.encode(value), id);
      sent?.();
    } catch (error) {
      if (sendsFunctions()) this.#sendError(kind, id, value, error);
      else {
        // It may hold a function; what that takes was not needed so far. With it the value goes, or
        // its own error does.
        this.#suspend(
          loadSending(),
          () => this.#send(kind, id, value),
          (failure) => this.#sendError(kind, id, value, failure),
        );
      }
    }
  }

  /** Sends what was encoded. */
  #post(kind: number, id: number): void {
    const { freight } = this.#payload;
    const position = this.#link.send(kind, id, 0, this.#payload);
    if (freight !== null) holdUntil(freight, () => this.#link.taken(position));
    this.#payload.sent();
    this.#link.wake();
  }

  #canEncode(value: unknown): boolean {
    try {
      this.#payload.encode(value);
      return true;
    } catch {
      return false;
    }
  }

  /** The value cannot be encoded: sends what can be said about that. */
  #sendError(kind: number, id: number, value: unknown, reason: unknown): void {
    let error = reason;
    const isValue = (kind & KIND) === MessageKind.Value;
    if (!isValue && kind !== MessageKind.Report && isError(value)) {
      error = withoutSockets(() => sendableError(value, (part) => this.#canEncode(part)));
      if (!this.#canEncode(error)) error = unsendable(value, reason);
    } else if (!isValue && kind !== MessageKind.Report) error = unsendable(value, reason);
    else inCall(error, isValue ? 'The result of the task' : 'report', (path) => path);
    const flags = this.#payload.encode(error);
    this.#post((isValue ? kind - MessageKind.Value + MessageKind.Error : kind) | flags, id);
  }
}

function unsendable(value: unknown, reason: unknown): RemoteError {
  return new RemoteError(`The task failed with something that cannot be sent: ${inspect(value, { depth: 1 })}`, {
    cause: reason instanceof MultiprocessError ? reason.message : undefined,
  });
}

/** The arguments of an item of starmap. @throws ArgumentError when it is no list. */
function argumentsOf(item: unknown): Iterable<unknown> {
  if (typeof (item as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === 'function') return item as Iterable<unknown>;
  throw new ArgumentError(`Pool.starmap: each item must be an array of arguments, not ${describe(item)}. For one argument each use map().`);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
