/**
 * Blocks: zeroed shared memory for one small object (a lock, a value), many of them in one arena.
 *
 * Life: every Block holds one reference, in shared memory, to its bytes. It is given up by `close`, when the Block is collected,
 * or at the end of its process or thread; with the last one the bytes may be used again. A process killed by SIGKILL gives
 * nothing up: the bytes it used are lost until the last user of the arena ends, when all of it goes.
 *
 * In transit: what was sent must still be there when it arrives, also if the sender drops or closes it at once. So a handle
 * takes a reference of its own and keeps the arena open for {@link TRANSIT_MS} milliseconds, and beyond that for as long as its message is held
 * (freight.ts): until it was read, or nobody can read it. Of bytes that a user keeps (`dumps`) nobody knows, so there the time is all there is.
 */
import { ClosedError } from '../../errors/index.js';
import { mapMemory, unmapMemory } from '../../native/memory.js';
import { registerAfterFork } from '../../util/after-fork.js';
import { atExit } from '../../util/at-exit.js';
import { checkNumber } from '../../util/options.js';
import { clearTimeout, performance, setTimeout } from '../../util/timers.js';
import { lookAtHolds, noteKeep } from '../shareable/freight.js';
import { WaitCell } from '../waiting/wait-cell.js';
import { Arena, type BlockHandle, Unit } from './arena.js';
import type { Region } from './region.js';

/** Milliseconds that a handle keeps its block after it was made, or after nobody holds its message any more. */
export const TRANSIT_MS = 30_000;

/** One reference to a block. Knows nothing of the Block, whose finalizer gives it up. */
class Lease {
  #held = true;

  constructor(
    readonly arena: Arena,
    readonly offset: number,
    readonly size: number,
  ) {
    leases.add(this);
  }

  end(): void {
    if (!this.#held) return;
    this.#held = false;
    leases.delete(this);
    this.arena.release(this.offset, this.size);
  }
}

const leases = new Set<Lease>();
const finalizers = new FinalizationRegistry<Lease>((lease) => lease.end());

// After children were joined, who may take up what this process has until then.
atExit('release', () => {
  // Others may go on using the arenas: what this process referred to must not stay in use for ever.
  for (const lease of leases) lease.arena.drop(lease.offset);
  leases.clear();
});

/**
 * Takes a second reference to everything this thread refers to, for the copy of it that a fork is about to make: before the fork,
 * since the parent may give up its own at any time after it.
 *
 * @returns what takes them back when the fork failed. Call it in the parent only.
 */
export function shareForFork(): () => void {
  const shared = [...leases];
  for (const lease of shared) lease.arena.share(lease.offset);
  return () => {
    for (const lease of shared) lease.arena.drop(lease.offset);
  };
}

registerAfterFork(leases, () => {
  Arena.disown();
  // What the parent has sent is on its way from the parent.
  if (timer !== null) clearTimeout(timer);
  timer = null;
  endTransits(Number.POSITIVE_INFINITY, true);
});

/** Shared memory of one object. Its bytes are zero at first. */
export class Block implements Disposable {
  /** The memory it lies in, which it shares with other blocks. */
  readonly region: Region;
  /** Byte offset in the region, a multiple of 64. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  readonly #lease: Lease;
  readonly #int32: Int32Array;
  #closed = false;
  /** Those who wait for its words, once anybody could. */
  #waiting: (() => void)[] | null = null;

  /** @internal */
  constructor(arena: Arena, offset: number, size: number) {
    this.region = arena.region;
    this.offset = offset;
    this.size = size;
    this.#lease = new Lease(arena, offset, size);
    this.#int32 = new Int32Array(arena.region.buffer, offset, Math.ceil(size / 4));
    finalizers.register(this, this.#lease, this);
  }

  /**
   * The block as words. Keep the Block reachable as long as the view is used: a view alone does not keep the bytes.
   * @throws ClosedError after {@link close}.
   */
  get int32(): Int32Array {
    this.check();
    return this.#int32;
  }

  /** The block as bytes. @throws ClosedError after {@link close}. */
  get bytes(): Uint8Array {
    this.check();
    return new Uint8Array(this.region.buffer, this.offset, this.size);
  }

  /** A word to wait on. @throws ClosedError after {@link close}. */
  cell(wordIndex: number): WaitCell {
    this.check();
    return new WaitCell(this.region, this.offset + wordIndex * 4, (then) => {
      this.#waiting ??= [];
      this.#waiting.push(then);
    });
  }

  /** Where others find it; the memory stays for them for {@link TRANSIT_MS} ms at least. @throws ClosedError after {@link close}. */
  get handle(): BlockHandle {
    this.check();
    keepInTransit(this.#lease.arena, this.offset, this.size);
    return this.#lease.arena.handle(this.offset, this.size);
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Gives the reference up; who waits for its words here gets a ClosedError. Others keep theirs. Closing twice does nothing. */
  close(): void {
    if (this.#closed) return;
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const gone of waiting) gone();
    this.#closed = true;
    finalizers.unregister(this);
    this.#lease.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @throws ClosedError after {@link close}. */
  check(): void {
    if (this.#closed) throw closed();
  }
}

/**
 * New zeroed shared memory. @throws ArgumentError for a bad size; MultiprocessError `MP_SYSTEM` without memory or descriptors.
 * @param alone Nothing else lies in its memory file, which its owner may let grow. Takes a descriptor.
 */
export function allocateBlock(size: number, alone = false): Block {
  checkNumber('allocateBlock', 'size', size, { integer: true, min: 1 });
  const { arena, offset } = Arena.allocate(size, Unit.line, alone);
  return new Block(arena, offset, size);
}

/** Whether `value` has the shape of a handle: of what was made by {@link Block.handle}, and of nothing that users write. */
export function isBlockHandle(value: unknown): value is BlockHandle {
  return typeof value === 'object' && value !== null && 'ino' in value && 'generation' in value;
}

/**
 * The block of a handle, which another process or thread (or this one) made.
 *
 * @throws MultiprocessError `MP_OWNER_GONE` when the process that made the handle has ended, or closed the block and
 * {@link TRANSIT_MS} is over; ArgumentError for a damaged handle.
 */
export function attachBlock(handle: BlockHandle): Block {
  return new Block(Arena.attach(handle), handle.offset, handle.length);
}

/**
 * Shared memory that is mapped by itself: `buffer` has its bytes and no others, so that it may be handed to users. The reference
 * is that of the buffer: a view that outlives the object it came from keeps the memory.
 */
export class MappedBlock implements Disposable {
  /** Bytes. */
  readonly size: number;
  readonly #lease: Lease;
  readonly #buffer: ArrayBuffer;
  #closed = false;

  /** @internal */
  constructor(arena: Arena, offset: number, size: number) {
    this.size = size;
    this.#lease = new Lease(arena, offset, size);
    try {
      this.#buffer = mapMemory(arena.region.descriptor, size, { offset });
    } catch (error) {
      this.#lease.end();
      throw error;
    }
    finalizers.register(this.#buffer, this.#lease, this.#buffer);
  }

  /** The bytes. Views of it are empty after {@link close}. @throws ClosedError after {@link close}. */
  get buffer(): ArrayBuffer {
    this.#check();
    return this.#buffer;
  }

  /** As {@link Block.handle}. @throws ClosedError after {@link close}. */
  get handle(): BlockHandle {
    this.#check();
    keepInTransit(this.#lease.arena, this.#lease.offset, this.size);
    return this.#lease.arena.handle(this.#lease.offset, this.size);
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Unmaps it here. Others keep theirs. Closing twice does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    finalizers.unregister(this.#buffer);
    unmapMemory(this.#buffer);
    this.#lease.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #check(): void {
    if (this.#closed) throw closed();
  }
}

/** As {@link allocateBlock}, for memory that users see: at least a page each. */
export function allocateMapped(size: number): MappedBlock {
  checkNumber('allocateMapped', 'size', size, { integer: true, min: 1 });
  const { arena, offset } = Arena.allocate(size, Unit.page);
  return new MappedBlock(arena, offset, size);
}

/** As {@link attachBlock}, for what {@link allocateMapped} made. */
export function attachMapped(handle: BlockHandle): MappedBlock {
  return new MappedBlock(Arena.attach(handle), handle.offset, handle.length);
}

function closed(): ClosedError {
  return new ClosedError('The shared object is closed in this process; its memory cannot be used any more.');
}

/** Takes a reference to the block of a handle and keeps it for {@link TRANSIT_MS} ms, so that it can be attached later. */
export function expectBlock(handle: BlockHandle): void {
  using block = attachBlock(handle);
  void block.handle;
}

/** What tells a block from all others, whoever made the handle. */
export function blockIdentity({ ino, offset, generation }: BlockHandle): string {
  return `${ino}:${offset}:${generation}`;
}

// ---- in transit

interface Transit {
  readonly lease: Lease;
  until: number;
  /** Messages under way that refer to it: no time ends it. */
  messages: number;
}

const transits = new Map<string, Transit>();
let timer: NodeJS.Timeout | null = null;

function keepInTransit(arena: Arena, offset: number, size: number): void {
  const key = blockIdentity(arena.handle(offset, size));
  let transit = transits.get(key);
  if (transit === undefined) {
    arena.refer(offset);
    transit = { lease: new Lease(arena, offset, size), until: 0, messages: 0 };
  }
  prolong(key, transit);
  const keep = transit;
  noteKeep({
    hold: () => {
      keep.messages++;
    },
    letGo: () => {
      if (--keep.messages === 0 && transits.get(key) === keep) prolong(key, keep);
    },
  });
}

/** It stands for {@link TRANSIT_MS} ms from now. */
function prolong(key: string, transit: Transit): void {
  // The map's order is that of the ends.
  transits.delete(key);
  transit.until = performance.now() + TRANSIT_MS;
  transits.set(key, transit);
  arm(TRANSIT_MS);
}

function arm(delay: number): void {
  if (timer !== null) return;
  timer = setTimeout(() => {
    timer = null;
    endTransits(performance.now());
  }, delay).unref();
}

/** @param all Also those whose messages are under way: they are another process's. */
function endTransits(now: number, all = false): void {
  for (const [key, { lease, until, messages }] of transits) {
    if (messages > 0 && !all) continue;
    if (until > now) {
      arm(until - now);
      return;
    }
    transits.delete(key);
    lease.end();
  }
}

/**
 * Functions that end all transits at once whose messages are not under way, one for each copy of this package in this thread: for the leak check
 * of tests, which cannot wait for the time to pass.
 */
const ENDERS = Symbol.for('multiprocess.endTransits');
const scope = globalThis as { [ENDERS]?: (() => void)[] };
scope[ENDERS] ??= [];
scope[ENDERS].push(() => {
  lookAtHolds();
  endTransits(Number.POSITIVE_INFINITY);
});
