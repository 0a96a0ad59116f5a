/**
 * One task in the local pool: finds its function and payload, runs it, and says how it ended.
 *
 * A worker that dies while it runs a chunk takes all of the chunk with it. The items are then run
 * each by itself, so that the one to blame is found; those that had run, run once more.
 */
import { RemoteError, TimeoutError, WorkerCrashError } from '../../errors/index.js';
import type { Pool } from '../../pool/index.js';
import { kindsIn, serializerOf } from '../../reduction/index.js';
import { entry } from '../../util/package.js';
import type { Broker } from '../broker/index.js';
import { resolveModule } from '../callables/index.js';
import {
  codeBlob,
  encodeError,
  fetchBlob,
  isCode,
  MAX_PAYLOAD_BYTES,
  Outcome,
  type PoolNames,
  readPacked,
  type TaskMessage,
} from '../wire/index.js';
import { NEED_CODE, PROBE, readAnswer, type WorkerAnswer, type WorkerInput } from '../worker/protocol.js';
import { CodeCache } from './code-cache.js';
import { codeInArguments, functionsNotAllowed, resultTooLarge } from './messages.js';

/** How some items of a task ended. */
export interface TaskOutcome {
  /** The first of them, from the first of the chunk. */
  readonly offset: number;
  readonly count: number;
  readonly outcome: Outcome;
  readonly payload: Uint8Array;
  readonly micros: number;
  /** Items that failed, as far as that is known here. */
  readonly failed: number;
  /** Why they are given up: a dead letter is written. */
  readonly poison?: { readonly error: unknown; readonly attempts: number };
}

/** Something that a task refers to is not stored: its driver has it. */
export class MissingBlob extends Error {}

/** Node kinds that rebuild what can run code. */
const CODE_KINDS = new Set(['function', 'class', 'task', 'bound', 'proxy', 'module', 'global', 'variable']);

const RUN_TASK = entry('distributed/worker/run-task');

export interface RunnerSettings {
  readonly host: string;
  readonly folder: string;
  readonly allowFunctions: boolean;
}

/** How one task is run. */
export interface RunOptions {
  readonly signal: AbortSignal;
  /** Runs that ended before with the death of a host. */
  readonly before: number;
  readonly priority: number;
  /** Takes what it reports. */
  readonly report: ((progress: unknown) => void) | undefined;
}

type Runner = (input: WorkerInput) => Promise<Uint8Array>;

export class TaskRunner {
  readonly #pool: Pool;
  readonly #broker: Broker;
  readonly #names: PoolNames;
  readonly #settings: RunnerSettings;
  readonly #codes = new CodeCache();
  readonly #urls = new Map<string, string>();

  constructor(pool: Pool, broker: Broker, names: PoolNames, settings: RunnerSettings) {
    this.#pool = pool;
    this.#broker = broker;
    this.#names = names;
    this.#settings = settings;
  }

  /** Resolves when a worker is ready. @throws (rejects) what keeps the pool from running anything. */
  ready(): Promise<void> {
    return this.#checkPool();
  }

  /**
   * Runs a task. Yields outcomes until each of its items has one; with an aborted signal it may end
   * before.
   *
   * @throws MissingBlob; what has ended the pool.
   */
  async *run(task: TaskMessage, options: RunOptions): AsyncGenerator<TaskOutcome> {
    let input: WorkerInput;
    try {
      input = await this.#prepare(task, options.before);
    } catch (error) {
      if (error instanceof MissingBlob) throw error;
      yield this.#failure(task, task.offset, task.count, error);
      return;
    }
    if (task.count === 1 || task.options.timeout === 0) {
      const whole = await this.#attempt(task, input, options);
      if (whole !== undefined) {
        yield whole;
        return;
      }
      if (options.signal.aborted) return;
    }
    // Those that ran before the crash run once more, each by itself.
    const before = task.options.timeout === 0 ? input.before + 1 : input.before;
    for (let offset = task.offset; offset < task.offset + task.count && !options.signal.aborted; offset++) {
      yield (await this.#attempt(task, { ...input, offset, count: 1, before }, options))!;
    }
  }

  /** `undefined`: the items have to be run one by one, to see which of them is to blame. */
  async #attempt(task: TaskMessage, input: WorkerInput, options: RunOptions): Promise<TaskOutcome | undefined> {
    const { offset, count } = input;
    const left = Math.max(0, task.options.maxAttempts - 1 - input.before);
    try {
      const { outcome, failed, micros, payload } = await this.#call(task, input, count === 1 ? left : 0, options);
      if (payload.length <= MAX_PAYLOAD_BYTES)
        return { offset, count, outcome: outcome as Outcome, payload, micros, failed };
      // Several items: each by itself has less.
      if (count > 1) return undefined;
      return this.#failure(task, offset, count, resultTooLarge(payload.length, MAX_PAYLOAD_BYTES));
    } catch (error) {
      if (error instanceof MissingBlob) throw error;
      if (!options.signal.aborted && !(error instanceof TimeoutError)) await this.#checkPool();
      const crashed = error instanceof WorkerCrashError;
      if (crashed && count > 1) return undefined;
      const failure = this.#failure(task, offset, count, error);
      return crashed ? { ...failure, poison: { error, attempts: input.before + left + 1 } } : failure;
    }
  }

  /** @throws what has ended the pool. */
  async #checkPool(): Promise<void> {
    await this.#pool.apply(RUN_TASK as unknown as Runner, [PROBE]);
  }

  async #call(task: TaskMessage, input: WorkerInput, retries: number, options: RunOptions): Promise<WorkerAnswer> {
    const answer = readAnswer(await this.#apply(task, input, retries, options));
    if (answer.outcome !== NEED_CODE || !isCode(task.callable)) return answer;
    // This worker has not seen it yet.
    const code = await this.#code(task.callable.hash);
    return readAnswer(await this.#apply(task, { ...input, code }, retries, options));
  }

  async #apply(task: TaskMessage, input: WorkerInput, retries: number, options: RunOptions): Promise<Uint8Array> {
    const { signal, report, priority } = options;
    const { timeout } = task.options;
    const settings = { signal, retries, priority, ...(timeout === 0 ? {} : { timeout }) };
    if (report === undefined)
      return this.#pool.apply<[WorkerInput], Uint8Array>(RUN_TASK as unknown as Runner, [input], settings);
    const result = this.#pool.applyAsync<[WorkerInput], Uint8Array>(RUN_TASK as unknown as Runner, [input], settings);
    const watching = result.progress.subscribe((progress) => {
      if ('report' in progress) report(progress.report);
    });
    try {
      return await result.get();
    } finally {
      watching.unsubscribe();
    }
  }

  async #prepare(task: TaskMessage, before: number): Promise<WorkerInput> {
    const { callable, serializer, packed } = task;
    const { host, folder, allowFunctions } = this.#settings;
    const payload = typeof task.payload === 'string' ? await this.#blob(task.payload) : task.payload;
    if (!allowFunctions) {
      if (isCode(callable)) throw functionsNotAllowed(host);
      if (serializer === 'multiprocess')
        for (const part of packed ? readPacked(payload) : [payload]) this.#checkPlain(part);
    }
    let url = '';
    if (!isCode(callable)) {
      const key = `${callable.package}\0${callable.version}\0${callable.file}\0${callable.url}`;
      url = this.#urls.get(key) ?? resolveModule(callable, folder, host);
      this.#urls.set(key, url);
    }
    // What keeps state is rebuilt for each run, so a worker never has it.
    const code = isCode(callable) && !callable.reusable ? await this.#code(callable.hash) : null;
    return {
      callable,
      url,
      code,
      form: task.form,
      packed,
      serializer,
      payload,
      offset: task.offset,
      count: task.count,
      first: task.chunk,
      key: `${task.driver}/${task.run}`,
      before,
      failures: task.options.failures,
    };
  }

  #checkPlain(part: Uint8Array): void {
    const found = [...kindsIn(part)].filter((kind) => CODE_KINDS.has(kind));
    if (found.length > 0) throw codeInArguments(this.#settings.host, found);
  }

  #code(hash: string): Promise<Uint8Array> {
    return this.#codes.get(hash, () => this.#blob(codeBlob(hash)));
  }

  async #blob(name: string): Promise<Uint8Array> {
    for (;;) {
      await this.#broker.available();
      const bytes = await fetchBlob(this.#broker, this.#names, name);
      if (bytes !== undefined) return bytes;
      // While the broker is away nobody knows.
      if (this.#broker.up || this.#broker.closed) throw new MissingBlob(name);
    }
  }

  #failure(task: TaskMessage, offset: number, count: number, error: unknown): TaskOutcome {
    const payload = encodeError(serializerOf('Agent', task.serializer), error);
    return { offset, count, outcome: Outcome.error, payload, micros: 0, failed: count };
  }
}

/** What a task reports; `undefined` when it cannot be sent: a report that is lost harms nothing. */
export function encodeReport({ serializer }: TaskMessage, progress: unknown): Uint8Array | undefined {
  try {
    return serializerOf('Agent', serializer).encode(progress);
  } catch {
    return undefined;
  }
}

/** Of a task that was not run at all. */
export function outcomeOf(task: TaskMessage, error: unknown): TaskOutcome {
  const payload = encodeError(
    serializerOf('Agent', task.serializer),
    error instanceof Error ? error : new RemoteError(String(error)),
  );
  return { offset: task.offset, count: task.count, outcome: Outcome.error, payload, micros: 0, failed: task.count };
}
