/**
 * Parcels: memory files for messages too large to walk through a ring, filled again and again so that their pages stay
 * warm. A sender has a {@link ParcelPool}, who receives has a {@link ParcelInbox}; what travels between them is a
 * {@link ParcelHandle}, plain data, by whatever channel they have.
 *
 * A ring of megabytes is walked from end to end, so each large message meets cold lines; a parcel that came back last is
 * filled first. An echo of 1 MiB takes a third of the time, one of 256 MiB half.
 *
 * Memory file: header page (4096 bytes) | bytes. Word 0 of the header:
 *    0   free: its pool may fill it
 *   n>0  ticket n is under way: filled, and its handle given out; who is done with it stores 0 by compare-and-set, so
 *        a late or second receipt never frees what was filled again
 *   -n   ticket n is under way and its pool was closed: its receiver drops the mapping with its receipt
 *  MIN   retired: nobody uses it any more; inboxes drop their mapping
 *
 * Crash: a sender that dies leaves what was mapped readable, and what was not is MP_OWNER_GONE. A receiver that dies
 * before its receipt leaves the parcel under way until the pool is told ({@link ParcelPool.reclaim}) or closed.
 */

import { clearInterval, setInterval } from '../../util/timers.js';
import { Region } from '../regions/region.js';
import { acquireRegion, enterRegion, type RegionHandle, regionHandle, releaseRegion } from '../regions/registry.js';
import type { Payload } from './link.js';

const HEADER = 4096;
const FREE = 0;
const RETIRED = -0x8000_0000;
/** Smallest memory file, so that messages of many sizes use the same ones. */
const LEAST = 512 * 1024;
/** Parcels a pool keeps: each takes a descriptor on both sides. */
const MOST = 8;
/** Bytes a pool keeps, except that one parcel may be larger. */
const BYTES = 64 * 1024 * 1024;
/** Milliseconds between two looks after parcels that nobody used meanwhile. */
const REST = 5000;

/** Where a message lies. Plain data. */
export interface ParcelHandle {
  readonly region: RegionHandle;
  /** Which filling of the parcel is meant. */
  readonly ticket: number;
  /** Bytes of the message. */
  readonly length: number;
}

interface Parcel {
  readonly region: Region;
  readonly word: Int32Array;
  readonly bytes: Uint8Array;
  ticket: number;
  rested: boolean;
}

/** The parcels of one sender. */
export class ParcelPool implements Disposable {
  readonly #name: string;
  /** The one filled last comes first: its lines are warm. */
  #parcels: Parcel[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param name Shown in /proc as the name of the memory files. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Bytes kept for parcels, whether free or under way. */
  get bytes(): number {
    return this.#parcels.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** How many parcels are under way. */
  get underWay(): number {
    let count = 0;
    for (const { word } of this.#parcels) if (Atomics.load(word, 0) !== FREE) count++;
    return count;
  }

  /**
   * Writes a message into a parcel.
   *
   * @returns its handle; `null` when all parcels are under way and no further one may be made: send it another way, or
   *   again when something was received.
   */
  send(payload: Payload): ParcelHandle | null {
    return this.reuse(payload) ?? this.#fill(this.#make(payload.total), payload);
  }

  /** As {@link send}, but only into a parcel that came back at least once, so that its receiver has it mapped. */
  reuse(payload: Payload): ParcelHandle | null {
    const { total } = payload;
    const most = Math.max(LEAST, total * 4);
    let at = -1;
    for (let i = 0; i < this.#parcels.length && at < 0; i++) {
      const { bytes, word } = this.#parcels[i]!;
      if (bytes.length >= total && bytes.length <= most && Atomics.load(word, 0) === FREE) at = i;
    }
    if (at < 0) return null;
    const [parcel] = this.#parcels.splice(at, 1);
    this.#parcels.unshift(parcel!);
    return this.#fill(parcel!, payload);
  }

  /**
   * Makes a parcel for messages of `length` bytes, empty and under way: {@link reuse} takes it once its receiver has
   * mapped it and sent it back. `null` when no further one may be made.
   */
  offer(length: number): ParcelHandle | null {
    // One offer at a time: whoever does not answer is not asked again.
    for (const { ticket, word } of this.#parcels) if (ticket === 1 && Atomics.load(word, 0) === 1) return null;
    return this.#fill(this.#make(length), NOTHING);
  }

  /** A copy of what a parcel holds, if it was not filled again. */
  copy({ region, ticket, length }: ParcelHandle): Uint8Array | null {
    const parcel = this.#parcels.find((each) => regionHandle(each.region).ino === region.ino);
    return parcel === undefined || parcel.ticket !== ticket ? null : parcel.bytes.slice(0, length);
  }

  /** Takes a parcel back whose receiver will not: it died, or the handle was never delivered. */
  reclaim({ region, ticket }: ParcelHandle): void {
    const parcel = this.#parcels.find((each) => regionHandle(each.region).ino === region.ino);
    if (parcel !== undefined) Atomics.compareExchange(parcel.word, 0, ticket, FREE);
  }

  /** Gives all parcels up. What is under way stays readable to those who have it mapped. Closing twice does nothing. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const parcel of this.#parcels.splice(0)) retire(parcel);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #make(length: number): Parcel | null {
    const size = Math.max(LEAST, 2 ** Math.ceil(Math.log2(length)));
    if (this.#closed || !this.#roomFor(size)) return null;
    let region: Region;
    try {
      region = Region.create(HEADER + size, this.#name);
    } catch {
      // No memory or no descriptor: the message goes another way.
      return null;
    }
    enterRegion(region);
    const parcel = {
      region,
      word: new Int32Array(region.buffer, 0, 1),
      bytes: new Uint8Array(region.buffer, HEADER),
      ticket: 0,
      rested: false,
    };
    this.#parcels.unshift(parcel);
    this.#timer ??= setInterval(() => this.#rest(), REST).unref();
    return parcel;
  }

  /** Whether a parcel of that size may be made, after free ones that stand in its way were given up. */
  #roomFor(size: number): boolean {
    for (let i = this.#parcels.length - 1; i >= 0 && !this.#fits(size); i--) {
      const parcel = this.#parcels[i]!;
      if (Atomics.load(parcel.word, 0) !== FREE) continue;
      this.#parcels.splice(i, 1);
      retire(parcel);
    }
    return this.#fits(size);
  }

  #fits(size: number): boolean {
    return this.#parcels.length === 0 || (this.#parcels.length < MOST && this.bytes + size <= BYTES);
  }

  #fill(parcel: Parcel | null, payload: Payload): ParcelHandle | null {
    if (parcel === null) return null;
    payload.layout(parcel.bytes, 0);
    parcel.ticket = (parcel.ticket % 0x7fff_ffff) + 1;
    parcel.rested = false;
    Atomics.store(parcel.word, 0, parcel.ticket);
    return { region: regionHandle(parcel.region), ticket: parcel.ticket, length: payload.total };
  }

  #rest(): void {
    const kept: Parcel[] = [];
    for (const parcel of this.#parcels) {
      if (parcel.rested && Atomics.load(parcel.word, 0) === FREE) retire(parcel);
      else kept.push(parcel);
      parcel.rested = true;
    }
    this.#parcels = kept;
    if (this.#parcels.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** The parcels that one receiver has mapped. */
export class ParcelInbox implements Disposable {
  readonly #regions = new Map<string, { readonly region: Region; readonly from: number }>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * Maps a parcel, if it is not mapped yet.
   *
   * @throws MultiprocessError `MP_OWNER_GONE` when its sender ended or closed it before; `MP_SYSTEM` when it cannot be opened.
   */
  map({ region: handle }: ParcelHandle): void {
    this.#region(handle);
  }

  /**
   * Copies a message out and sends its parcel back.
   *
   * @throws as {@link map}; the parcel is then still under way.
   */
  receive(handle: ParcelHandle): Uint8Array {
    const bytes = this.copy(handle);
    this.release(handle);
    return bytes;
  }

  /** Copies a message out; its parcel stays under way until {@link release}. @throws as {@link map}. */
  copy(handle: ParcelHandle): Uint8Array {
    const bytes = unwritten(handle.length);
    bytes.set(this.view(handle));
    return bytes;
  }

  /** The message where it lies: read it before {@link release}, and keep no view of it. @throws as {@link map}. */
  view({ region: handle, length }: ParcelHandle): Uint8Array {
    return new Uint8Array(this.#region(handle).buffer, HEADER, length);
  }

  /** Sends a parcel back, read or not. @throws as {@link map}. */
  release({ region: handle, ticket }: ParcelHandle): void {
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
    this.#timer ??= setInterval(() => this.#rest(), REST).unref();
    return region;
  }

  #rest(): void {
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

const NOTHING: Payload = { total: 0, layout() {} };

function retire({ region, word }: Parcel): void {
  const ticket = Atomics.compareExchange(word, 0, FREE, RETIRED);
  // What is under way may still be read; if it was sent back in this moment, it is retired after all.
  if (ticket !== FREE && Atomics.compareExchange(word, 0, ticket, -ticket) !== ticket) Atomics.store(word, 0, RETIRED);
  releaseRegion(region);
}

/** Memory of its own for a message that fills all of it: zeroing it first would cost as much as a copy. */
export function unwritten(length: number): Uint8Array {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(length);
  return new Uint8Array(buffer, byteOffset, length);
}
