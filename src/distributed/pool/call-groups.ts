/**
 * Brief calls of one function that are made in one turn of the event loop, as one task: a message
 * costs the broker and both sides more than a brief call takes.
 *
 * A function's calls are grouped once it is known to be brief, up to {@link GROUP_TIME_MS} of work,
 * and never so that workers stand idle. Calls with a signal or a time limit, and those that report,
 * go alone: they are withdrawn and watched alone.
 */
import { type CallSite, RetryPolicy } from '../../pool/index.js';
import { nextTick } from '../../util/timers.js';
import { Form, isCode, writePacked } from '../wire/index.js';
import type { DistributedEngine, TaskForm } from './engine.js';
import type { CallObserver } from './remote-call.js';
import type { RemoteChunk, RemoteRun, RunName } from './run.js';

const GROUP_TIME_MS = 2;
const MAX_GROUP_CALLS = 64;
const MAX_GROUP_BYTES = 64 * 1024;
/** Functions whose time is remembered. */
const MAX_ESTIMATES = 1_024;
/** Weight of the latest measurement in the mean. */
const RECENT = 0.2;

interface GroupedCall {
  readonly bytes: Uint8Array;
  readonly site: CallSite | null;
  readonly observer: CallObserver;
}

/** Calls that may go together. */
interface Batch {
  readonly form: TaskForm;
  readonly priority: number | undefined;
  readonly function: string;
  readonly calls: GroupedCall[];
}

export class CallGroups {
  readonly #engine: DistributedEngine;
  /** Microseconds that a call of a function takes, the least recently measured first. */
  readonly #micros = new Map<string, number>();
  #batches = new Map<string, Batch>();

  constructor(engine: DistributedEngine) {
    this.#engine = engine;
  }

  /** Takes a call; it is published at the end of this turn. */
  add(actor: string, form: TaskForm, priority: number | undefined, call: GroupedCall): void {
    const name = functionName(form);
    const key = `${name}\0${priority ?? 0}\0${form.maxAttempts}`;
    let batch = this.#batches.get(key);
    if (batch === undefined) {
      if (this.#batches.size === 0) nextTick(() => this.#publish(actor));
      batch = { form, priority, function: name, calls: [] };
      this.#batches.set(key, batch);
    }
    batch.calls.push(call);
  }

  /** So many calls of a function took so long. */
  measured(name: string, calls: number, micros: number): void {
    const known = this.#micros.get(name);
    const each = micros / calls;
    this.#micros.delete(name);
    this.#micros.set(name, known === undefined ? each : known + (each - known) * RECENT);
    if (this.#micros.size > MAX_ESTIMATES) this.#micros.delete(this.#micros.keys().next().value!);
  }

  #publish(actor: string): void {
    const batches = this.#batches;
    this.#batches = new Map();
    for (const batch of batches.values()) {
      const { calls } = batch;
      const micros = this.#micros.get(batch.function);
      const timely = micros === undefined ? 1 : Math.max(1, Math.floor((GROUP_TIME_MS * 1_000) / Math.max(1, micros)));
      const size = Math.min(MAX_GROUP_CALLS, timely, Math.ceil(calls.length / this.#engine.parallelism));
      for (let at = 0; at < calls.length; ) {
        let bytes = 0;
        let end = at;
        while (
          end < calls.length &&
          end - at < size &&
          (end === at || bytes + calls[end]!.bytes.length <= MAX_GROUP_BYTES)
        ) {
          bytes += calls[end++]!.bytes.length;
        }
        this.#submit(actor, batch, calls.slice(at, end));
        at = end;
      }
    }
  }

  #submit(actor: string, batch: Batch, calls: readonly GroupedCall[]): void {
    const engine = this.#engine;
    const group = new CallGroup(engine, engine.nameRun(batch.priority), calls, (items, micros) =>
      this.measured(batch.function, items, micros),
    );
    try {
      engine.checkOpen(actor, true);
      engine.open(group);
      const form = { ...batch.form, form: Form.spread };
      const payload = writePacked(calls.map(({ bytes }) => bytes));
      engine.submit(actor, group, form, { first: 0, count: calls.length, packed: true, payload });
    } catch (error) {
      group.fail(error);
      engine.finish(group);
    }
  }
}

/** Calls that went as one task. */
class CallGroup implements RemoteRun {
  readonly chunks = new Map<string, RemoteChunk>();
  readonly timeout = 0;
  readonly queueTimeout = 0;
  readonly keeper = null;
  readonly retries = RetryPolicy.NONE;
  readonly id: string;
  readonly driver: string;
  readonly subjectName: string;
  readonly #engine: DistributedEngine;
  readonly #calls: readonly GroupedCall[];
  readonly #measured: (items: number, micros: number) => void;
  #settled = 0;

  constructor(
    engine: DistributedEngine,
    name: RunName,
    calls: readonly GroupedCall[],
    measured: (items: number, micros: number) => void,
  ) {
    this.#engine = engine;
    this.id = name.id;
    this.driver = name.driver;
    this.subjectName = name.subjectName;
    this.#calls = calls;
    this.#measured = measured;
  }

  siteOf(index: number): CallSite | null {
    return this.#calls[index]!.site;
  }

  value(index: number, value: unknown): void {
    this.#settled++;
    this.#calls[index]!.observer.resolve(value);
  }

  error(index: number, error: unknown): void {
    this.#settled++;
    this.#calls[index]!.observer.reject(error);
  }

  flush(): void {
    if (this.#settled === this.#calls.length) this.#engine.finish(this);
  }

  fail(error: unknown): void {
    for (const { observer } of this.#calls) observer.reject(error);
  }

  report(): void {}

  measure(items: number, micros: number): void {
    if (micros > 0) this.#measured(items, micros);
  }

  demand(): void {}

  subject(): string {
    return 'The call';
  }
}

function functionName({ callable: { ref } }: TaskForm): string {
  return isCode(ref) ? ref.hash : `${ref.url}\0${ref.path.join('\0')}`;
}
