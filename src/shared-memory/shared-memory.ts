import { fstatSync } from 'node:fs';
import { inspect } from 'node:util';
import { ArgumentError, ClosedError } from '../errors/index.js';
import { ATTACH, noteMemory, registerShareable } from '../memory/index.js';
import {
  closeDescriptor,
  createSharedMemory,
  descriptorSize,
  Errno,
  errnoOf,
  mapMemory,
  nameSharedMemory,
  openSharedMemory,
  unlinkSharedMemory,
  unmapMemory,
} from '../native/index.js';
import { checkOptions } from '../util/options.js';
import { entry } from '../util/package.js';
import { badName, badSize, exists, notFound, unlinkedBefore } from './errors.js';
import { randomName } from './random-name.js';
import { track, trackerAddress, untrack } from './tracker-client.js';

/** How {@link SharedMemory.create} makes a block. */
export interface SharedMemoryCreateOptions {
  /** Its name, with or without a leading slash. Default: `psm_` and 8 random hexadecimal digits. */
  readonly name?: string | undefined;
}

/** A block as it travels. */
export interface Handle {
  readonly name: string;
  readonly inode: string;
  readonly tracker: string | null;
}

/**
 * A named block of shared memory: `/dev/shm/<name>`, as Python's
 * `multiprocessing.shared_memory.SharedMemory`, with whose blocks it can be mixed freely.
 *
 * Semantics: `close` ends the use of the block here, `unlink` removes its name; the bytes go when
 * the name and the last use are gone. A block whose creator ends without unlinking it is unlinked
 * by the resource tracker, with a line on stderr. Who received the object (as argument, captured
 * variable, result) answers for the name like its creator; who attached to the name never does, so
 * that a passing reader cannot take the block away.
 *
 * Python: `SharedMemory(create=True, size=n)` is `create`, `SharedMemory(name)` is `attach`.
 * Python's own tracker (before 3.13) unlinks what a Python process merely attached to when that
 * process ends.
 *
 * `buffer`, `buf` and every view of them are shareable too: what is captured, passed or returned
 * arrives as the same memory, as long as the block has its name (`slice()` gives a copy). Node
 * refuses to transfer the buffer to a worker thread (Node 20 copies it instead). Pass the
 * SharedMemory object, or attach to the name there.
 *
 * @example
 * import { SharedMemory } from 'multiprocess';
 *
 * using block = SharedMemory.create(1024);
 * block.buf[0] = 42;
 * using same = SharedMemory.attach(block.name);
 * console.log(same.buf[0]); // 42
 * block.unlink();
 */
export class SharedMemory implements Disposable {
  readonly #name: string;
  readonly #size: number;
  readonly #inode: string;
  readonly #buffer: ArrayBuffer;
  readonly #buf: Uint8Array;
  #closed = false;
  #unlinked = false;

  /** @param descriptor stays the caller's. */
  private constructor(name: string, descriptor: number) {
    if (typeof descriptor !== 'number')
      throw new ArgumentError(
        'SharedMemory: there is no public constructor; use SharedMemory.create(size) or SharedMemory.attach(name).',
      );
    const { dev, ino } = fstatSync(descriptor, { bigint: true });
    this.#name = name;
    this.#size = descriptorSize(descriptor);
    this.#inode = `${dev}:${ino}`;
    if (this.#size === 0)
      throw new ArgumentError(
        `SharedMemory.attach: block "${name}" is empty; its creator has not given it a size yet.`,
      );
    this.#buffer = mapMemory(descriptor, this.#size) as ArrayBuffer;
    this.#buf = new Uint8Array(this.#buffer);
    noteMemory(this.#buffer, this);
  }

  /**
   * Makes a new block of zero bytes.
   *
   * @param size Bytes, above 0.
   * @throws ArgumentError `MP_BLOCK_SIZE`, `MP_BLOCK_NAME`; MultiprocessError `MP_BLOCK_EXISTS`
   * when the name is taken, `MP_SYSTEM` without memory or room in /dev/shm.
   */
  static create(size: number, options?: SharedMemoryCreateOptions): SharedMemory {
    if (!Number.isSafeInteger(size) || size <= 0) throw badSize(size);
    checkOptions('SharedMemory.create', options, ['name'], { string: 'name' });
    const given = options?.name === undefined ? undefined : bareName('SharedMemory.create', options.name);
    for (;;) {
      const name = given ?? randomName();
      try {
        return SharedMemory.#made(name, size);
      } catch (error) {
        if (errnoOf(error) !== Errno.EEXIST) throw error;
        if (given !== undefined) throw exists('SharedMemory.create', given, error);
      }
    }
  }

  /**
   * The block is there before its name is, so the tracker knows which block the name will mean
   * before anybody sees it: who dies in between leaves nothing, and a name that turns out to be
   * taken is not confused with ours.
   */
  static #made(name: string, size: number): SharedMemory {
    const descriptor = createSharedMemory(size);
    if (descriptor === null) return SharedMemory.#madeNamed(name, size);
    let block: SharedMemory | undefined;
    try {
      block = new SharedMemory(name, descriptor);
      track(name, block.#inode);
      nameSharedMemory(descriptor, name);
      return block;
    } catch (error) {
      if (block !== undefined) {
        untrack(name, block.#inode);
        block.close();
      }
      throw error;
    } finally {
      closeDescriptor(descriptor);
    }
  }

  /**
   * Where a file gets its name when it is made. Who dies before the tracker was told leaves the
   * name.
   */
  static #madeNamed(name: string, size: number): SharedMemory {
    const descriptor = openSharedMemory(name, { create: true, exclusive: true, size });
    try {
      const block = new SharedMemory(name, descriptor);
      track(name, block.#inode);
      return block;
    } catch (error) {
      unlinkSharedMemory(name);
      throw error;
    } finally {
      closeDescriptor(descriptor);
    }
  }

  /**
   * Attaches to a block that is there, made by this library, by Python or by any other program.
   *
   * @throws ArgumentError `MP_BLOCK_NAME`; MultiprocessError `MP_BLOCK_NOT_FOUND`, `MP_SYSTEM` when
   * it may not be opened.
   */
  static attach(name: string): SharedMemory {
    const bare = bareName('SharedMemory.attach', name);
    let descriptor: number | undefined;
    try {
      descriptor = openSharedMemory(bare, {});
      return new SharedMemory(bare, descriptor);
    } catch (error) {
      throw errnoOf(error) === Errno.ENOENT ? notFound('SharedMemory.attach', bare, error) : error;
    } finally {
      if (descriptor !== undefined) closeDescriptor(descriptor);
    }
  }

  /** The name, without a slash. */
  get name(): string {
    return this.#name;
  }

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  /**
   * The bytes. Views of it are empty after {@link close}.
   * @throws ClosedError after {@link close}.
   */
  get buffer(): ArrayBuffer {
    this.#check();
    return this.#buffer;
  }

  /** The bytes as an array. Empty after {@link close}. @throws ClosedError after {@link close}. */
  get buf(): Uint8Array {
    this.#check();
    return this.#buf;
  }

  /**
   * Ends the use of the block here; every view of it has length 0 from now on. Others are not
   * affected. Closing twice does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    unmapMemory(this.#buffer);
  }

  /**
   * Removes the name: nobody can attach any more; who has the block keeps it. May be called after
   * {@link close}.
   *
   * @throws MultiprocessError `MP_BLOCK_UNLINKED` when this object did so before,
   * `MP_BLOCK_NOT_FOUND` when somebody else did.
   */
  unlink(): void {
    if (this.#unlinked) throw unlinkedBefore(this.#name);
    try {
      unlinkSharedMemory(this.#name);
    } catch (error) {
      throw errnoOf(error) === Errno.ENOENT ? notFound('SharedMemory.unlink', this.#name, error) : error;
    } finally {
      this.#unlinked = true;
      untrack(this.#name, this.#inode);
    }
  }

  /** As {@link close}: the name stays. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** `SharedMemory('psm_12ab34cd', size=4096)` */
  toString(): string {
    return `SharedMemory('${this.#name}', size=${this.#size})${this.#closed ? ' (closed)' : ''}`;
  }

  /** @internal */
  [inspect.custom](): string {
    return this.toString();
  }

  /** @internal */
  static toHandle(block: SharedMemory): Handle {
    return { name: block.#name, inode: block.#inode, tracker: trackerAddress() };
  }

  /** @internal */
  static isClosed(block: SharedMemory): boolean {
    return block.#closed;
  }

  /** @internal */
  static [ATTACH]({ name, inode, tracker }: Handle): SharedMemory {
    const block = SharedMemory.attach(name);
    if (block.#inode !== inode) {
      block.close();
      throw notFound('SharedMemory', name);
    }
    if (tracker !== null) track(name, inode, tracker);
    return block;
  }

  #check(): void {
    if (this.#closed)
      throw new ClosedError(`SharedMemory "${this.#name}" is closed here; attach to its name again to use it.`);
  }
}

function bareName(actor: string, name: string): string {
  const bare = typeof name === 'string' && name.startsWith('/') ? name.slice(1) : name;
  const fits = typeof bare === 'string' && bare !== '' && bare !== '.' && bare !== '..' && !/[/\0]/.test(bare);
  if (!fits || Buffer.byteLength(bare) > 254) throw badName(actor, name);
  return bare;
}

registerShareable('shared-memory', {
  module: entry('shared-memory/index'),
  class: SharedMemory,
  toHandle: SharedMemory.toHandle,
  closed: SharedMemory.isClosed,
  identity: ({ name, inode }) => `${name} ${inode}`,
});
