import { clearInterval, setInterval } from '../../util/timers.js';
import { uninitializedBytes } from '../../util/uninitialized.js';
import type { Region } from '../regions/region.js';
import { acquireRegion, type RegionHandle, releaseRegion } from '../regions/registry.js';
import { type BufferHandle, FREE, HEADER_BYTES, IDLE_CHECK_MS, RETIRED } from './shared-buffer.js';

/** The buffers that one receiver has mapped. */
export class BufferInbox implements Disposable {
  readonly #regions = new Map<string, { readonly region: Region; readonly from: number }>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * Maps a buffer, if it is not mapped yet.
   *
   * @throws MultiprocessError `MP_OWNER_GONE` when its sender ended or closed it before;
   * `MP_SYSTEM` when it cannot be opened.
   */
  map({ region: handle }: BufferHandle): void {
    this.#region(handle);
  }

  /**
   * Copies a message out and sends its buffer back.
   *
   * @throws as {@link map}; the buffer is then still under way.
   */
  copyAndRelease(handle: BufferHandle): Uint8Array {
    const bytes = this.copy(handle);
    this.release(handle);
    return bytes;
  }

  /**
   * Copies a message out; its buffer stays under way until {@link release}.
   * @throws as {@link map}.
   */
  copy(handle: BufferHandle): Uint8Array {
    const bytes = uninitializedBytes(handle.length);
    bytes.set(this.view(handle));
    return bytes;
  }

  /**
   * The message where it lies: read it before {@link release}, and keep no view of it.
   * @throws as {@link map}.
   */
  view({ region: handle, length }: BufferHandle): Uint8Array {
    return new Uint8Array(this.#region(handle).buffer, HEADER_BYTES, length);
  }

  /** Sends a buffer back, read or not. @throws as {@link map}. */
  release({ region: handle, ticket }: BufferHandle): void {
    const region = this.#region(handle);
    const found = Atomics.compareExchange(new Int32Array(region.buffer, 0, 1), 0, ticket, FREE);
    if (found === -ticket) this.#drop(handle.ino, region);
  }

  /** Unmaps what came from a process that has ended. */
  forget(pid: number): void {
    for (const [ino, { region, from }] of this.#regions) if (from === pid) this.#drop(ino, region);
  }

  /** Unmaps all. Closing twice does nothing. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const [ino, { region }] of this.#regions) this.#drop(ino, region);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #region(handle: RegionHandle): Region {
    const known = this.#regions.get(handle.ino);
    if (known !== undefined) return known.region;
    const region = acquireRegion(handle);
    this.#regions.set(handle.ino, { region, from: handle.pid });
    this.#timer ??= setInterval(() => this.#dropRetired(), IDLE_CHECK_MS).unref();
    return region;
  }

  #dropRetired(): void {
    for (const [ino, { region }] of this.#regions) {
      if (Atomics.load(new Int32Array(region.buffer, 0, 1), 0) === RETIRED) this.#drop(ino, region);
    }
    if (this.#regions.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #drop(ino: string, region: Region): void {
    this.#regions.delete(ino);
    releaseRegion(region);
  }
}
