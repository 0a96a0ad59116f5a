/**
 * A shared value in this thread: its memory, and what was decoded of it.
 *
 * Life of what was decoded. A worker holds a `Shared` only while a task has it, and decodes once all
 * the same: what was decoded is kept for as long as the maker keeps the value, and then for as long
 * as something here holds its `Shared`. The maker's end is looked for when another value is decoded
 * and after each full collection of garbage, without which nothing would be freed anyway. So an
 * idle process looks at nothing.
 *
 * Memory. Each large buffer is mapped by itself, copy on write, and keeps the memory as long as it
 * is held: also when the value was disposed of here.
 */
import { type Annex, Decoder, type Message, PendingValue } from '../codec/codec.js';
import type { BlockHandle } from '../memory/regions/arena.js';
import { allocateMapped, attachMapped, type MappedBlock } from '../memory/regions/mapped-block.js';
import { blockIdentity } from '../memory/regions/transit.js';
import { currentAgent, hasEnded } from '../memory/waiting/agent.js';
import { KEPT, layoutOf, MAKER, readLayout, write } from './layout.js';

/** From here on a value has a memory file of its own, which goes with its last user. */
const ALONE_BYTES = 1 << 16;
/** Buffers of one value that are mapped; of more, which the kernel would not map, the rest is copied. */
const MAX_MAPPED_BUFFERS = 4_096;
/** Milliseconds for which a maker that was seen counts as alive. */
const SEEN_MS = 1_000;

const decoder = new Decoder();
/** What is kept because its maker keeps it. */
const kept = new Map<string, SharedCopy>();

export class SharedCopy {
  readonly block: MappedBlock;
  /** The shareable objects inside. */
  readonly parts: readonly object[];
  readonly #words: Int32Array;
  readonly #id: string;
  #decoded: { readonly value: unknown } | undefined;
  #loading: Promise<unknown> | undefined;

  private constructor(block: MappedBlock, parts: readonly object[], id: string) {
    this.block = block;
    this.parts = parts;
    this.#id = id;
    this.#words = new Int32Array(block.buffer, 0, 2);
  }

  /** Puts a message into shared memory. @throws MultiprocessError `MP_SYSTEM` without memory. */
  static make(message: Message, parts: readonly object[]): SharedCopy {
    const layout = layoutOf(message);
    const block = allocateMapped(layout.size, layout.size >= ALONE_BYTES);
    write(block.buffer, layout, message, currentAgent());
    return new SharedCopy(block, parts, '');
  }

  /** The value of a handle: what is kept of it, or attached now. @throws as `attachMapped`. */
  static attach(handle: BlockHandle, parts: readonly object[]): SharedCopy {
    const id = blockIdentity(handle);
    const known = kept.get(id);
    return known !== undefined && !known.block.closed ? known : new SharedCopy(attachMapped(handle), parts, id);
  }

  /** Bytes of its memory. */
  get size(): number {
    return this.block.size;
  }

  /** The value, decoded now if need be. @throws what decoding throws. */
  value(): unknown {
    this.#decoded ??= this.#keep(this.#decode((...message) => decoder.decodeSync(...message)));
    return this.#decoded.value;
  }

  /** The same, with the modules of its functions imported. */
  async load(): Promise<unknown> {
    if (this.#decoded !== undefined) return this.#decoded.value;
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return await this.#loading;
  }

  async #load(): Promise<unknown> {
    const made = this.#decode((source, start, end, owned, annex) =>
      decoder.decode(source, start, end, owned, undefined, annex),
    );
    const value = made instanceof PendingValue ? await made.ready : made;
    // Somebody may have asked for it meanwhile, and it may have been closed.
    this.#decoded ??= this.block.closed ? { value } : this.#keep(value);
    return this.#decoded.value;
  }

  /** Ends its use in this thread. */
  close(): void {
    if (this.block.closed) return;
    this.letGo();
    if (kept.get(this.#id) === this) kept.delete(this.#id);
    this.block.close();
    this.#decoded = undefined;
  }

  /** Whether this thread has made it. */
  get isOwn(): boolean {
    return !this.block.closed && this.#words[MAKER] === currentAgent();
  }

  /** If this thread has made it: others need not keep what they decoded. */
  letGo(): void {
    if (this.isOwn) Atomics.store(this.#words, KEPT, 0);
  }

  /** Whether its maker keeps it. */
  get isKept(): boolean {
    return !this.block.closed && Atomics.load(this.#words, KEPT) === 1 && !hasEnded(this.#words[MAKER]!, SEEN_MS);
  }

  #keep(value: unknown): { readonly value: unknown } {
    sweep();
    // The maker's own is kept by whoever holds it there.
    if (this.#id !== '' && this.isKept) {
      kept.set(this.#id, this);
      watch();
    }
    return { value };
  }

  #decode(decode: (source: Uint8Array, start: number, end: number, owned: boolean, annex: Annex) => unknown): unknown {
    const { block, parts } = this;
    const { body, buffers } = readLayout(block.buffer);
    let next = 0;
    const annex: Annex = {
      shared: parts,
      nextBuffer: () => {
        const { offset, length } = buffers[next++]!;
        return next > MAX_MAPPED_BUFFERS
          ? new Uint8Array(block.buffer, offset, length).slice()
          : new Uint8Array(block.copyOnWrite(offset, length));
      },
    };
    return decode(new Uint8Array(block.buffer), body.offset, body.offset + body.length, true, annex);
  }
}

// ---- what is kept

/** Drops what no maker keeps any more. */
function sweep(): void {
  for (const [id, copy] of kept) if (!copy.isKept) kept.delete(id);
}

let watching = false;
/** Told after a collection of garbage, by an object that nobody holds. */
const collected = new FinalizationRegistry<null>(() => {
  watching = false;
  sweep();
  watch();
});

function watch(): void {
  if (watching || kept.size === 0) return;
  watching = true;
  collected.register({}, null);
}
