import type { Link } from '../../memory/ring/link.js';
import { type CodeTable, type Decoder, PendingValue } from '../../reduction/receiving.js';
import { performance } from '../../util/timers.js';
import { CallContext, type CallContextData } from '../wire/call-context.js';
import {
  ATTEMPT_SHIFT,
  Flag,
  KIND,
  MessageKind,
  NO_ARGUMENTS,
  PREPARING,
  Preparing,
  STATUS,
  Status,
} from '../wire/protocol.js';
import type { FunctionTable, TaskFunction } from './function-table.js';
import { PART_HEADER, PackedItems } from './packed-items.js';
import type { ResultSender, Suspend } from './result-sender.js';
import type { Run } from './run.js';

/** The record that was claimed. */
interface Taken {
  readonly kind: number;
  readonly attempt: number;
  /** See {@link Run.began}. */
  readonly began: number;
}

/** Claims batch records and prepares them to run: rebuilds the function, decodes the items. */
export class BatchOpener {
  /** Number of the batch record that was read last; the parent counts them too. */
  #sequence = 0;
  /** What the last `Context` record said, or why it could not be read. */
  #context: CallContext | { readonly error: unknown } | null = null;

  constructor(
    private readonly link: Link,
    private readonly decoder: Decoder,
    private readonly codes: CodeTable,
    private readonly functions: FunctionTable,
    private readonly sender: ResultSender,
    private readonly suspend: Suspend,
    /** Told of each batch that can run. */
    private readonly opened: (run: Run, sequence: number) => void,
  ) {}

  /**
   * Claims the batch record that the link shows and prepares it. It stays in the ring until its
   * last item has a result, or until the batch is opened where several items run at once.
   */
  take(): void {
    const { link } = this;
    this.#sequence = (this.#sequence + 1) | 0;
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
    const context = (kind & Flag.Context) === 0 ? null : this.#context;
    if (context !== null && !(context instanceof CallContext)) {
      this.prepare(Preparing.Function);
      this.#broken(context.error);
      return;
    }
    try {
      let fn: TaskFunction | Promise<TaskFunction> | undefined = this.functions.rebuilt(id);
      if (fn === undefined) {
        this.prepare(Preparing.Function);
        fn = this.functions.get(id);
      }
      if (typeof fn === 'function') this.#open(fn, taken);
      else {
        this.suspend(
          fn,
          (loaded) => this.#loaded(loaded, taken),
          (error) => this.#broken(error),
        );
      }
    } catch (error) {
      this.#broken(error);
    }
  }

  /**
   * Says what the worker does before an item runs. The parent looks only once this process is dead,
   * so a plain store is enough.
   */
  prepare(what: Preparing): void {
    this.link.control[PREPARING] = what;
  }

  #loaded(fn: TaskFunction, taken: Taken): void {
    try {
      this.#open(fn, taken);
    } catch (error) {
      this.#broken(error);
    }
  }

  /** Decodes what was taken. */
  #open(fn: TaskFunction, taken: Taken): void {
    const { link } = this;
    if (link.start === link.end) {
      this.#begin(fn, NO_ARGUMENTS, taken);
      return;
    }
    this.prepare(Preparing.Items);
    if ((taken.kind & Flag.Packed) !== 0) {
      this.#begin(fn, new PackedItems(link.source, link.start, link.end), taken);
      return;
    }
    const skip = (taken.kind & Flag.Part) === 0 ? 0 : PART_HEADER;
    const items = this.decoder.decode(link.source, link.start + skip, link.end, link.owned, this.codes);
    if (!(items instanceof PendingValue)) this.#begin(fn, items, taken);
    else {
      this.suspend(
        items.ready,
        (ready) => this.#begin(fn, ready, taken),
        (error) => this.#broken(error),
      );
    }
  }

  #begin(fn: TaskFunction, content: unknown, { kind, attempt, began }: Taken): void {
    const { link } = this;
    const call = (kind & KIND) === MessageKind.Call;
    const items = call ? [content] : (content as unknown[] | PackedItems);
    const part =
      (kind & Flag.Part) === 0
        ? null
        : new DataView(link.source.buffer, link.source.byteOffset + link.start, PART_HEADER);
    const run = {
      fn,
      items,
      first: part?.getUint32(0, true) ?? 0,
      count: part?.getUint32(4, true) ?? items.length,
      context: (kind & Flag.Context) === 0 ? null : (this.#context as CallContext),
      spread: call || (kind & Flag.Spread) !== 0,
      quiet: (kind & Flag.Quiet) !== 0,
      attempt,
      began,
      index: 0,
      announced: (kind & Flag.Announce) !== 0 ? 0 : Number.POSITIVE_INFINITY,
    };
    this.opened(run, this.#sequence);
  }

  /** Takes in the record that the link shows: what travels with the next batch that says so. */
  learnContext(): void {
    const { link } = this;
    const known = (data: unknown): void => {
      this.#context = new CallContext(data as CallContextData);
    };
    const failed = (error: unknown): void => {
      this.#context = { error };
    };
    try {
      const data = this.decoder.decode(link.source, link.start, link.end, link.owned, this.codes);
      link.release();
      if (data instanceof PendingValue) this.suspend(data.ready, known, failed);
      else known(data);
    } catch (error) {
      link.release();
      failed(error);
    }
  }

  /** None of what was taken can run. */
  #broken(error: unknown): void {
    const whole = (this.link.control[PREPARING] as Preparing) === Preparing.Function;
    this.prepare(Preparing.Nothing);
    this.sender.send(MessageKind.Broken, whole ? 1 : 0, error, this.#sequence);
    this.link.release();
  }
}
