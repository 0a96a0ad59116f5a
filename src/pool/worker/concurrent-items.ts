/**
 * Items that run side by side in one worker (`concurrency`).
 *
 *   record -> opened: its items begin in order, as slots are free -> running -> outcome, in any order -> result record
 *
 * One batch at a time has items left to begin, and no other record is read meanwhile: so items begin
 * in the order of their records, and the count STARTED_ITEMS says which of them have. A record is
 * given back when its batch is opened, for the batches behind it may end before it. So what is to
 * stop is told by name: the number of the record, which both sides count, and the item.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Link } from '../../memory/ring/link.js';
import { EMPTY_PAYLOAD } from '../../memory/ring/payload.js';
import { type CodeTable, type Decoder, PendingValue } from '../../reduction/receiving.js';
import { taskEnd, taskStart } from '../../util/diagnostics.js';
import { type CurrentTask, taskSlot } from '../current-task.js';
import { readReason } from '../wire/abort-reason.js';
import { ABORT_INDEX, ABORT_SEQUENCE, ABORT_TICKET, AbortScope, MessageKind, STARTED_ITEMS } from '../wire/protocol.js';
import type { ItemClock } from './item-clock.js';
import { PackedItems } from './packed-items.js';
import type { ResultSender } from './result-sender.js';
import { callItem, type Run } from './run.js';
import type { TaskContexts } from './task-contexts.js';
import { TaskReports } from './task-reports.js';
import { WorkerTask } from './worker-task.js';

/** An item that runs. */
interface RunningItem {
  readonly run: Run;
  readonly sequence: number;
  readonly index: number;
  readonly task: WorkerTask;
  readonly reports: TaskReports;
  /** When it began. */
  readonly since: number;
  /** What it was called with. */
  argument: unknown;
}

/** What is to be sent when the link has room. */
interface Outcome {
  readonly kind: MessageKind;
  readonly id: number;
  readonly index: number;
  readonly value: unknown;
  readonly item: RunningItem | null;
}

/** What was told to stop before it had begun. */
interface EarlyAbort {
  readonly sequence: number;
  readonly index: number;
  readonly reason: unknown;
}

/** The loop that runs the items. */
export interface ConcurrentOwner {
  /** Goes on: an item has ended. */
  advance(): void;
  /** An item begins: what was prepared is done. */
  prepared(): void;
}

export class ConcurrentItems {
  readonly #tasks = new AsyncLocalStorage<CurrentTask>();
  readonly #running = new Set<RunningItem>();
  #outcomes: Outcome[] = [];
  #opened: { readonly run: Run; readonly sequence: number } | null = null;
  #early: EarlyAbort[] = [];
  #started = 0;
  #ticket = 0;
  #whenIdle: (() => void) | null = null;
  /** Whether an item is being begun: the loop goes on by itself. */
  #beginning = false;

  /** @param limit Items that run at once. */
  constructor(
    private readonly limit: number,
    private readonly link: Link,
    private readonly decoder: Decoder,
    private readonly codes: CodeTable,
    private readonly sender: ResultSender,
    private readonly contexts: TaskContexts,
    private readonly clock: ItemClock,
    private readonly owner: ConcurrentOwner,
  ) {
    taskSlot.tasks = this.#tasks;
  }

  /** Whether another record may be read. */
  get ready(): boolean {
    return this.#opened === null && this.#running.size < this.limit && this.#whenIdle === null;
  }

  /** Takes in the batch of the record that the link shows, and gives the record back. */
  open(run: Run, sequence: number): void {
    const { link } = this;
    const { items } = run;
    const owned =
      items instanceof PackedItems && !link.owned
        ? new PackedItems(link.source.slice(link.start, link.end), 0, link.end - link.start)
        : items;
    link.release();
    this.#opened = { run: owned === items ? run : { ...run, items: owned }, sequence };
    this.#early = this.#early.filter((early) => early.sequence === sequence);
    for (const { index } of this.#early) if (index < 0) this.#cut(sequence);
  }

  /** Does one thing, if there is something to do and the link has room. Returns whether it did. */
  step(): boolean {
    const outcome = this.#outcomes.shift();
    if (outcome !== undefined) {
      this.#send(outcome);
      return true;
    }
    if (this.#opened === null || this.#running.size >= this.limit) return false;
    this.#start(this.#opened);
    return true;
  }

  /** Calls `then` when nothing runs any more, and all of it was said. */
  whenIdle(then: () => void): void {
    if (this.#idle) then();
    else this.#whenIdle = then;
  }

  get #idle(): boolean {
    return this.#running.size === 0 && this.#opened === null && this.#outcomes.length === 0;
  }

  /** Sends reports that found no room. */
  flush(): void {
    for (const { reports } of this.#running) reports.flush();
  }

  /** Looks whether the parent wants something to stop. */
  checkAbort(): void {
    const { control } = this.link;
    const ticket = Atomics.load(control, ABORT_TICKET);
    if (ticket === this.#ticket) return;
    this.#ticket = ticket;
    const sequence = control[ABORT_SEQUENCE]!;
    const index = control[ABORT_INDEX]!;
    const reason = index === AbortScope.Rest ? undefined : readReason(control);
    // The parent may name the next one from here on.
    this.#outcomes.push({ kind: MessageKind.AbortTaken, id: ticket, index: 0, value: undefined, item: null });
    const met = [...this.#running].filter((item) => item.sequence === sequence && (index < 0 || item.index === index));
    if (index !== AbortScope.Rest) for (const { task } of met) abort(task, reason);
    if (this.#opened?.sequence === sequence) {
      if (index < 0) this.#cut(sequence);
      else if (index >= this.#opened.run.index) this.#early.push({ sequence, index, reason });
    } else if (met.length === 0) this.#early.push({ sequence, index, reason });
  }

  /** Lets the items of the opened batch be that have not begun. */
  #cut(sequence: number): void {
    const opened = this.#opened;
    if (opened === null) return;
    this.#opened = null;
    this.#outcomes.push({ kind: MessageKind.Cut, id: sequence, index: opened.run.index, value: undefined, item: null });
  }

  #start({ run, sequence }: { readonly run: Run; readonly sequence: number }): void {
    const { link } = this;
    const index = run.index++;
    if (run.index === run.count) this.#opened = null;
    if (run.announced !== Number.POSITIVE_INFINITY) {
      link.send(MessageKind.Started, sequence, index, EMPTY_PAYLOAD);
      link.wake();
    }
    this.#started = (this.#started + 1) | 0;
    Atomics.store(link.control, STARTED_ITEMS, this.#started);
    this.owner.prepared();
    const reports = new TaskReports(link, this.sender, { sequence, index });
    const task = new WorkerTask(run.attempt, (_, progress) => {
      if (this.#running.has(item)) reports.report(progress);
    });
    const item: RunningItem = {
      run,
      sequence,
      index,
      task,
      reports,
      since: this.clock.oneBegins(sequence),
      argument: undefined,
    };
    this.#running.add(item);
    for (const early of this.#early)
      if (early.sequence === sequence && early.index === index) abort(task, early.reason);
    if (taskStart.hasSubscribers) taskStart.publish({ attempt: run.attempt });
    // A context of its own: what an item stores with `enterWith` is not there in the others.
    this.#beginning = true;
    this.contexts.fresh().runInAsyncScope(() => this.#tasks.run(task, () => this.#run(item)));
    this.#beginning = false;
  }

  /** Decodes the item if that was not done, and calls the function. Does not throw. */
  #run(item: RunningItem): void {
    const { items, first } = item.run;
    const failed = (error: unknown) => this.#ended(item, MessageKind.Error, error);
    if (!(items instanceof PackedItems)) {
      this.#call(item, items[first + item.index], failed);
      return;
    }
    let value: unknown;
    try {
      value = this.decoder.decode(items.source, items.from(item.index), items.to(item.index), true, this.codes);
    } catch (error) {
      failed(error);
      return;
    }
    if (!(value instanceof PendingValue)) this.#call(item, value, failed);
    else
      value.ready.then(
        (ready) => this.#call(item, ready, failed),
        (error: unknown) => failed(error),
      );
  }

  #call(item: RunningItem, argument: unknown, failed: (error: unknown) => void): void {
    const settled = (value: unknown) => this.#ended(item, MessageKind.Value, value);
    let value: unknown;
    item.argument = argument;
    try {
      value = callItem(item.run, argument);
    } catch (error) {
      failed(error);
      return;
    }
    if (value instanceof Promise) value.then(settled, failed);
    else settled(value);
  }

  #ended(item: RunningItem, kind: MessageKind, value: unknown): void {
    this.#running.delete(item);
    const slow = this.clock.oneEnds(item.since, item.index, item.argument);
    item.argument = undefined;
    if (slow !== null)
      this.#outcomes.push({ kind: MessageKind.Slow, id: item.sequence, index: item.index, value: slow, item: null });
    this.#outcomes.push({ kind, id: item.sequence, index: item.index, value, item });
    if (!this.#beginning) this.owner.advance();
  }

  #send({ kind, id, index, value, item }: Outcome): void {
    if (item !== null) {
      item.reports.flush();
      if (!this.link.writable) {
        // A report took the last room.
        this.#outcomes.unshift({ kind, id, index, value, item });
        return;
      }
      const { attempt } = item.run;
      if (taskEnd.hasSubscribers) taskEnd.publish(kind === MessageKind.Error ? { attempt, error: value } : { attempt });
      this.clock.sending(() => this.sender.send(kind, id, value, index));
    } else if (value !== undefined) this.sender.send(kind, id, value, index);
    else {
      this.link.send(kind, id, index, EMPTY_PAYLOAD);
      this.link.wake();
    }
    if (this.#whenIdle === null || !this.#idle) return;
    const then = this.#whenIdle;
    this.#whenIdle = null;
    then();
  }
}

function abort(task: WorkerTask, reason: unknown): void {
  if (reason instanceof Promise) void reason.then((loaded) => task.abort(loaded));
  else task.abort(reason);
}
