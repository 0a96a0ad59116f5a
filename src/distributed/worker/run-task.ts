/**
 * What an agent has its workers run: the items of one task, decoded here, in the process where user
 * code belongs, and encoded again. The agent itself sees bytes only.
 */
import { type CurrentTask, taskSlot } from '../../pool/current-task.js';
import { loadsAsync, MULTIPROCESS, type Serializer, serializerOf } from '../../reduction/index.js';
import { importModule } from '../../util/import-module.js';
import { describe } from '../../util/options.js';
import { performance, setImmediate } from '../../util/timers.js';
import { encodeError } from '../wire/errors.js';
import { Form, isCode, type ModuleRef, Outcome, readPacked, writeMixed } from '../wire/messages.js';
import { encodeValue } from '../wire/payload.js';
import { missingFunction, noFunction } from './messages.js';
import { ANSWER_HEADER_BYTES, completeAnswer, NEED_CODE, type WorkerInput, writeAnswer } from './protocol.js';

/** Who speaks in messages about what cannot be sent. */
const ACTOR = 'The result of a task';

type Runnable = (...args: unknown[]) => unknown;

/** Milliseconds of synchronous items after which other events of the process get a turn. */
const COOPERATIVE_BUDGET_MS = 10;
/** Functions that are kept rebuilt. */
const MAX_FUNCTIONS = 256;
const NOTHING = new Uint8Array(0);

/** Rebuilt functions, the least recently used first. */
const functions = new Map<string, Promise<Runnable>>();

/** Runs a task. @returns how it ended, see protocol.ts. */
export default async function runTask(input: WorkerInput): Promise<Uint8Array> {
  const serializer = serializerOf(ACTOR, input.serializer);
  let fn: Runnable;
  let items: readonly unknown[];
  try {
    const found = functionOf(input);
    if (found === undefined) return writeAnswer({ outcome: NEED_CODE, failed: 0, micros: 0, payload: NOTHING });
    fn = await found;
    items = await itemsOf(input, serializer);
  } catch (error) {
    return writeAnswer({
      outcome: Outcome.error,
      failed: input.count,
      micros: 0,
      payload: encodeError(serializer, error),
    });
  }
  return new TaskRun(fn, items, input, serializer).run();
}

class TaskRun {
  readonly #outer: CurrentTask | null = taskSlot.task;
  readonly #values: unknown[] = [];
  /** Once an item failed: how each ended. */
  #mixed: (readonly [boolean, Uint8Array])[] | null = null;

  constructor(
    readonly fn: Runnable,
    readonly items: readonly unknown[],
    readonly input: WorkerInput,
    readonly serializer: Serializer,
  ) {}

  async run(): Promise<Uint8Array> {
    const began = performance.now();
    let turn = began;
    for (let i = 0; i < this.items.length; i++) {
      try {
        const result = this.#call(i);
        this.#value(isPromise(result) ? await result : result);
      } catch (error) {
        this.#failed(error);
      } finally {
        taskSlot.task = this.#outer;
      }
      if (this.#outer?.signal.aborted === true) break;
      if (performance.now() - turn < COOPERATIVE_BUDGET_MS || i + 1 === this.items.length) continue;
      await new Promise<void>((resolve) => setImmediate(resolve));
      turn = performance.now();
    }
    const micros = (performance.now() - began) * 1_000;
    if (this.#mixed === null) {
      try {
        const { bytes } = encodeValue(ACTOR, this.serializer, this.#values, ANSWER_HEADER_BYTES);
        return completeAnswer(bytes, { outcome: Outcome.values, failed: 0, micros });
      } catch {
        // One of them cannot be sent: each by itself.
        this.#apart();
      }
    }
    const mixed = this.#mixed!;
    return writeAnswer({
      outcome: Outcome.mixed,
      failed: mixed.filter(([ok]) => !ok).length,
      micros,
      payload: writeMixed(mixed),
    });
  }

  /** Begins an item, which is the current task until {@link run} has its result. */
  #call(i: number): unknown {
    const item = this.items[i];
    // Called without a receiver, as any callback is.
    const { fn, input } = this;
    const outer = this.#outer;
    if (outer !== null)
      taskSlot.task = new RemoteTask(
        outer,
        `${input.key}/${input.first + input.offset + i}`,
        input.before + input.failures,
      );
    return input.form === Form.items ? fn(item) : fn(...(item as unknown[]));
  }

  #value(value: unknown): void {
    if (this.#mixed === null) this.#values.push(value);
    else this.#mixed.push(this.#encoded(value));
  }

  #failed(error: unknown): void {
    if (this.#mixed === null) this.#apart();
    this.#mixed!.push([false, encodeError(this.serializer, error)]);
  }

  #apart(): void {
    this.#mixed = this.#values.map((value) => this.#encoded(value));
  }

  #encoded(value: unknown): readonly [boolean, Uint8Array] {
    try {
      return [true, encodeValue(ACTOR, this.serializer, value).bytes];
    } catch (error) {
      return [false, encodeError(this.serializer, error)];
    }
  }
}

/** The running item as it sees itself. */
class RemoteTask implements CurrentTask {
  readonly attempt: number;

  constructor(
    readonly outer: CurrentTask,
    readonly key: string,
    before: number,
  ) {
    this.attempt = before + outer.attempt;
  }

  get worker(): number {
    return this.outer.worker;
  }

  get signal(): AbortSignal {
    return this.outer.signal;
  }

  readonly report = (progress: unknown): void => this.outer.report(progress);
}

function functionOf({ callable, url, code, key }: WorkerInput): Promise<Runnable> | undefined {
  if (!isCode(callable)) return remembered(`${url}\0${callable.path.join('\0')}`, () => exportOf(callable, url));
  // A function that keeps state is the run's own.
  return remembered(
    callable.reusable ? callable.hash : `${callable.hash}\0${key}`,
    code === null ? undefined : async () => checked(await rebuilt(code), 'what was sent'),
  );
}

function remembered(key: string, make: (() => Promise<Runnable>) | undefined): Promise<Runnable> | undefined {
  const known = functions.get(key);
  if (known !== undefined) {
    functions.delete(key);
    functions.set(key, known);
    return known;
  }
  if (make === undefined) return undefined;
  const made = make();
  functions.set(key, made);
  made.catch(() => functions.delete(key));
  if (functions.size > MAX_FUNCTIONS) functions.delete(functions.keys().next().value!);
  return made;
}

async function rebuilt(code: Uint8Array): Promise<unknown> {
  return loadsAsync(code);
}

async function exportOf(ref: ModuleRef, url: string): Promise<Runnable> {
  const namespace = await importModule(url);
  let value: unknown = ref.commonjs && 'default' in namespace ? namespace['default'] : namespace;
  for (const name of ref.path) value = (value as Record<string, unknown> | null | undefined)?.[name];
  // The default of a CommonJS module that was compiled from ESM is one level down.
  if (typeof value !== 'function' && ref.path.at(-1) === 'default')
    value = (value as { default?: unknown } | undefined)?.default;
  if (typeof value !== 'function') throw missingFunction(url, ref.path.join('.'));
  return value as Runnable;
}

function checked(value: unknown, what: string): Runnable {
  if (typeof value !== 'function') throw noFunction(what, describe(value));
  return value as Runnable;
}

async function itemsOf(
  { form, packed, payload, offset, count }: WorkerInput,
  serializer: Serializer,
): Promise<readonly unknown[]> {
  if (!packed) {
    const value = await decoded(serializer, payload);
    return form === Form.call ? [value] : (value as unknown[]).slice(offset, offset + count);
  }
  const parts = readPacked(payload).slice(offset, offset + count);
  return Promise.all(parts.map((part) => decoded(serializer, part)));
}

async function decoded(serializer: Serializer, bytes: Uint8Array): Promise<unknown> {
  return serializer === MULTIPROCESS ? loadsAsync(bytes) : serializer.decode(bytes);
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
