import '../wire/carried-stores.js';
import type { Region } from '../../memory/regions/region.js';
import { Link, LinkSide, linkBytes } from '../../memory/ring/link.js';
import { EMPTY_PAYLOAD } from '../../memory/ring/payload.js';
import { IdleBackoff } from '../../memory/waiting/idle-backoff.js';
import { CodeTable, Decoder, loadSending, PendingValue } from '../../reduction/receiving.js';
import { taskEnd, taskStart } from '../../util/diagnostics.js';
import { performance, setImmediate } from '../../util/timers.js';
import { taskSlot } from '../current-task.js';
import { readReason } from '../wire/abort-reason.js';
import { Meter } from '../wire/meter.js';
import {
  ABORT_ITEM,
  Flag,
  KIND,
  LINK_CAPACITY,
  MessageKind,
  Preparing,
  STARTED_ITEMS,
  STATUS,
  Status,
  type WorkerFacts,
} from '../wire/protocol.js';
import { workerSlot } from '../worker-state.js';
import { BatchOpener } from './batch-opener.js';
import { ConcurrentItems } from './concurrent-items.js';
import { FunctionTable } from './function-table.js';
import { ItemClock, type SlowItem, type TimedBatch } from './item-clock.js';
import { PackedItems } from './packed-items.js';
import { ResultSender, type Suspend } from './result-sender.js';
import { callItem, type Run } from './run.js';
import { RunningTask } from './running-task.js';
import { TaskContexts } from './task-contexts.js';
import { TaskReports } from './task-reports.js';
import { WorkerGauges } from './worker-gauges.js';
import { WorkerHooks } from './worker-hooks.js';

/** Milliseconds of synchronous items after which other events of the process get a turn. */
const COOPERATIVE_BUDGET_MS = 10;

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
  readonly #sender: ResultSender;
  readonly #opener: BatchOpener;
  readonly #reports: TaskReports;
  readonly #hooks: WorkerHooks;
  readonly #gauges: WorkerGauges;
  readonly #clock: ItemClock;
  /** What the running item was called with, where its batch has it encoded. */
  #argument: unknown;
  #run: Run | null = null;
  #outcome: Outcome | null = null;
  readonly #task = new RunningTask((progress) => this.#reports.report(progress));
  /** Runs items side by side, if the pool wants that; then the fields above are not used. */
  #several: ConcurrentItems | null = null;
  /** What the loop waits for before it goes on. */
  #suspensions = 0;
  #scheduled = false;
  #started = 0;
  #stopping = false;
  readonly #linger = new IdleBackoff();
  readonly #contexts = new TaskContexts();

  constructor(
    region: Region,
    bells: { readonly parent: number; readonly worker: number },
    readonly stop: () => void,
    thread: boolean,
  ) {
    this.#link = new Link(region, LINK_CAPACITY, LinkSide.Worker, bells, () => this.#rung());
    this.#gauges = new WorkerGauges(this.#link.control, thread);
    this.#clock = new ItemClock(new Meter(region.buffer, linkBytes(LINK_CAPACITY)));
    const suspend: Suspend = (promise, then, fail) => this.#suspend(promise, then, fail);
    this.#sender = new ResultSender(this.#link, suspend);
    this.#reports = new TaskReports(this.#link, this.#sender);
    this.#task.shownIn(taskSlot);
    this.#opener = new BatchOpener(
      this.#link,
      this.#decoder,
      this.#codes,
      this.#functions,
      this.#sender,
      suspend,
      (run, sequence) => {
        if (this.#several === null) {
          this.#run = run;
          this.#clock.batch(sequence, run.count);
        } else this.#several.open(run, sequence);
      },
    );
    this.#hooks = new WorkerHooks(this.#link, this.#decoder, this.#codes, this.#functions, this.#sender, thread, {
      suspend,
      prepare: (what) => this.#opener.prepare(what),
      adopt: () => this.#contexts.adopt(),
      told: (facts) => this.#told(facts),
      unfit: () => {
        this.#suspensions++;
      },
    });
  }

  #told({ number, limited, concurrency }: WorkerFacts): void {
    workerSlot.number = number;
    if (limited) this.#gauges.watch();
    if (concurrency === 1) return;
    this.#several = new ConcurrentItems(
      concurrency,
      this.#link,
      this.#decoder,
      this.#codes,
      this.#sender,
      this.#contexts,
      this.#clock,
      {
        advance: () => this.#advance(),
        prepared: () => {
          this.#opener.prepare(Preparing.Nothing);
          if (this.#gauges.watched) this.#gauges.betweenItems();
        },
      },
    );
    // A result that had to wait for that would hold up those of other items.
    this.#suspend(
      loadSending(),
      () => {},
      () => {},
    );
  }

  /** What outlives this worker. */
  get control(): Int32Array {
    return this.#link.control;
  }

  /** Tells the parent what ends this worker: nobody caught it. */
  uncaught(error: unknown): void {
    this.#sender.uncaught(error);
  }

  /** Starts it. */
  start(): void {
    this.#advance();
  }

  #rung(): void {
    this.#link.flush();
    this.#reports.flush();
    this.#several?.flush();
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
      if (this.#suspensions === 0 && this.#link.writable && this.#link.drained()) this.stop();
      return;
    }
    if (this.#scheduled) return;
    const link = this.#link;
    const several = this.#several;
    // What has ended is said also while a batch is being prepared.
    if (several !== null && this.#suspensions > 0) while (link.writable && several.step());
    const now = performance.now();
    this.#gauges.turn(now);
    this.#clock.turn(now);
    const until = now + COOPERATIVE_BUDGET_MS;
    let steps = 0;
    // A message that waits for room blocks what follows; `flush` in `#rung` comes back here.
    while (this.#suspensions === 0 && !this.#stopping && link.writable && !this.#contexts.spoilt) {
      if (this.#outcome !== null) this.#settle(this.#outcome.run, this.#outcome.kind, this.#outcome.value, true);
      else if (this.#run !== null) this.#item(this.#run);
      else if (several?.step() === true) {
        // An outcome was sent, or an item was begun.
      } else if (several?.ready === false) return;
      else if (link.receive()) this.#record();
      else {
        if (this.#clock.pending > 0) this.#clock.rest(null);
        // The link is looked at again on later turns before the worker sleeps: waking it is dear.
        if (steps > 0) this.#linger.foundWork();
        if (steps > 0 || this.#linger.shouldLookAgain()) this.#nextTurn();
        else if (!link.sleep()) continue;
        return;
      }
      if ((++steps & 15) === 0) {
        const then = performance.now();
        // What others do between two turns is not these items'.
        if (this.#clock.tick(then) || then >= until) this.#tellSlow(this.#clock.rest(this.#timedBatch, then));
        if (then >= until) {
          // What runs between two turns may take its time.
          link.wake();
          this.#nextTurn();
          return;
        }
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
    this.#suspensions++;
    promise.then(
      (value) => this.#resume(then, value),
      (error: unknown) => this.#resume(fail, error),
    );
  }

  #resume<T>(then: (value: T) => void, value: T): void {
    this.#suspensions--;
    then(value);
    this.#advance();
  }

  // ---- records

  #record(): void {
    const link = this.#link;
    switch ((link.kind & KIND) as MessageKind) {
      case MessageKind.Call:
      case MessageKind.Chunk:
        this.#opener.take();
        return;
      case MessageKind.Define:
        this.#functions.define(link.id, link.state === 0, link.source, link.start, link.end, link.owned);
        break;
      case MessageKind.Code:
        this.#codes.learn(link.source, link.start, link.end);
        break;
      case MessageKind.Context:
        this.#opener.learnContext();
        return;
      case MessageKind.Forget:
        this.#functions.forget(link.id);
        break;
      case MessageKind.Inherit:
        this.#hooks.inherit();
        return;
      case MessageKind.Initialize:
        this.#hooks.initialize();
        return;
      case MessageKind.Stop: {
        const { id } = link;
        link.release();
        const end = () =>
          this.#hooks.end(id, () => {
            this.#stopping = true;
            this.#advance();
          });
        if (this.#several === null) end();
        else this.#several.whenIdle(end);
        return;
      }
      default:
    }
    link.release();
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
    this.#task.begins(run.attempt);
    if (!this.#clock.together) this.#clock.begins();
    Atomics.store(this.#link.control, STARTED_ITEMS, this.#started);
    this.#opener.prepare(Preparing.Nothing);
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
      item = this.#decoder.decode(
        items.source,
        items.from(run.index),
        items.to(run.index),
        this.#link.owned,
        this.#codes,
      );
    } catch (error) {
      failed(error);
      return;
    }
    this.#argument = item;
    if (!(item instanceof PendingValue)) this.#call(run, item);
    else {
      this.#clock.awaits();
      if (run.quiet) this.#link.wake();
      this.#suspend(item.ready, (ready) => this.#call(run, ready), failed);
    }
  }

  #call(run: Run, item: unknown): void {
    let value: unknown;
    try {
      value = callItem(run, item);
    } catch (error) {
      this.#settle(run, MessageKind.Error, error);
      return;
    }
    if (!(value instanceof Promise)) this.#settle(run, MessageKind.Value, value);
    else {
      this.#clock.awaits();
      // Values that went without waking the parent would wait for this one.
      if (run.quiet) this.#link.wake();
      this.#suspend(
        value,
        (settled) => this.#settle(run, MessageKind.Value, settled),
        (error) => this.#settle(run, MessageKind.Error, error),
      );
    }
  }

  /** @param again Whether that was tried before: the link had no room. */
  #settle(run: Run, kind: MessageKind, value: unknown, again = false): void {
    const link = this.#link;
    const clock = this.#clock;
    if (clock.together && !again && (run.count === 1 || run.index + 1 < run.count)) clock.pending++;
    else if (!again) this.#ended(run);
    this.#task.ends();
    this.#reports.flush();
    if (!link.writable) {
      // A report took the last room. `#advance` comes back when there is some.
      this.#outcome = { run, kind, value };
      return;
    }
    this.#outcome = null;
    if (taskEnd.hasSubscribers)
      taskEnd.publish(kind === MessageKind.Error ? { attempt: run.attempt, error: value } : { attempt: run.attempt });
    run.index++;
    if (this.#gauges.watched) this.#gauges.betweenItems();
    const last = run.index === run.count;
    const halted = !last && (link.state & STATUS) === Status.Stopped;
    const micros = last && run.began > 0 ? Math.round((performance.now() - run.began) * 1000) : 0;
    // Fast items: the one that wakes the parent is near.
    const quiet = run.quiet && clock.together && !last && !halted && kind === MessageKind.Value;
    if (!quiet || !this.#sender.sendQuietly(kind, micros, value)) {
      this.#sender.send(halted ? kind | Flag.Halted : kind, micros, value);
    }
    if (clock.timed > 0) clock.sent();
    if (!last && !halted) return;
    this.#run = null;
    link.release();
  }

  /** The running item has ended, and is not just counted: its time is taken. */
  #ended(run: Run): void {
    this.#tellSlow(this.#clock.ends({ ended: run.index + 1, argument: (index) => this.#argumentOf(run, index) }));
    this.#argument = undefined;
  }

  /** The batch that is under way, between two items. */
  get #timedBatch(): TimedBatch | null {
    const run = this.#run;
    return run === null ? null : { ended: run.index, argument: (index) => this.#argumentOf(run, index) };
  }

  #argumentOf({ items, first }: Run, index: number): unknown {
    return items instanceof PackedItems ? this.#argument : items[first + index];
  }

  /** Tells the parent of an item that is among the slowest, if there is room for that. */
  #tellSlow(slow: SlowItem | null): void {
    if (slow !== null && this.#link.writable) this.#sender.send(MessageKind.Slow, 0, slow);
  }

  /** Fires the signal of the running item if the parent wants that. */
  #checkAbort(): void {
    const { control } = this.#link;
    const task = this.#task;
    this.#several?.checkAbort();
    if (!task.runs || Atomics.load(control, ABORT_ITEM) !== this.#started) return;
    const reason = readReason(control);
    if (reason instanceof Promise) void reason.then(task.stopper());
    else task.abort(reason);
  }
}
