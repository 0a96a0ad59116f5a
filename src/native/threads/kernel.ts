/**
 * What an operating system does for processes, done for the threads of one family: it keeps shared
 * things under numbers, counts who has them, and gives back what those had who have ended.
 *
 * A thing is kept for as long as a living thread, an offer or a message under way has it. Threads
 * ask with messages ({@link Request}): {@link Kernel.handle} answers them. As long as a family has
 * one thread the kernel is an object there; then it is a thread of its own (kernel-thread.ts), which
 * runs nobody's code, so that it answers while all others are blocked.
 */
import { Errno } from '../errno.js';
import { leaveAgent } from './agent-table.js';
import { setWaiting } from './listener-words.js';
import { closeEnd, dropLoad, wasRead } from './pipe-words.js';

/** What a number stands for. */
export enum Kind {
  /** Bytes, like a memory file. */
  Memory = 0,
  /** A word that wakes an event loop. */
  Bell = 1,
  /** An end of a pair of streams (pipe-words.ts). `side`: which. */
  Pipe = 2,
  /** Where threads connect to. Its memory is one word: how often somebody came. */
  Listener = 3,
}

/** A thing as a thread has it. */
export interface Thing {
  readonly kind: Kind;
  readonly memory: SharedArrayBuffer;
  readonly side: 0 | 1;
}

/** Another piece of the memory of a thing, at its own offset. */
interface Piece {
  readonly memory: SharedArrayBuffer;
  readonly end: number;
}

interface Kept extends Thing {
  /** Who has it, and how often. */
  readonly holders: Map<Holder, number>;
  readonly pieces: Map<number, Piece>;
  /** Of memory: how many bytes, with its pieces. */
  size: number;
  /** Of an end: the descriptors that travel with what it, or a peer that is gone, wrote. */
  readonly loads: Load[];
  /** Of an end: the other one's number. */
  peer: number;
  /** Of a listener: its name, and the ends that wait there. */
  readonly name: string;
  readonly arrived: number[];
}

/** A descriptor that travels with a byte of a stream. */
interface Load {
  /** The position of the byte in the way of `side`. */
  readonly position: number;
  readonly side: number;
  readonly number: number;
  readonly holder: Holder;
}

/** An agent; or an offer, a message, a queue of the kernel's own. */
type Holder = number | string;

interface Offer {
  readonly number: number;
  /** When it ends unless something keeps it. */
  until: number;
  /** How often it was put into a message, and how often it was had. */
  sent: number;
  had: number;
  /** Who offers it has closed it: it ends when it was had as often as sent. */
  released: boolean;
  /** Messages under way. */
  messages: number;
}

/** What a thread asks. Those with a reply: see {@link Reply}. */
export type Request =
  | { readonly type: 'create'; readonly number: number; readonly thing: Thing; readonly peer: number }
  /** Says which is the other end of the first of two, which was made before it. */
  | { readonly type: 'pair'; readonly number: number; readonly peer: number }
  | { readonly type: 'release'; readonly number: number }
  /** Reply: the thing, which the thread has from then on if `hold` is given. */
  | { readonly type: 'acquire'; readonly number: number; readonly hold: boolean }
  /** Reply: the piece at an offset, made when there is none. */
  | { readonly type: 'piece'; readonly number: number; readonly offset: number; readonly size: number }
  | { readonly type: 'drop'; readonly number: number; readonly offset: number; readonly length: number }
  /** Reply: how many bytes, with all pieces. */
  | { readonly type: 'size'; readonly number: number }
  | { readonly type: 'load'; readonly number: number; readonly position: number; readonly load: number } // After addLoad.
  | { readonly type: 'taken'; readonly number: number; readonly position: number }
  | {
      readonly type: 'offer';
      readonly key: string;
      readonly number: number;
      readonly duration: number;
      readonly released: boolean;
    }
  /** Reply: whether it stands. */
  | { readonly type: 'renew'; readonly key: string; readonly duration: number }
  | { readonly type: 'holdOffer'; readonly key: string; readonly on: boolean; readonly duration: number }
  | { readonly type: 'releaseOffer'; readonly key: string }
  | { readonly type: 'withdraw' }
  /** Reply: the number, which the thread has from then on; 0: there is no such offer. */
  | { readonly type: 'fetch'; readonly key: string }
  /** Reply: 0, or a negated errno. */
  | { readonly type: 'listen'; readonly number: number; readonly name: string; readonly memory: SharedArrayBuffer }
  /** Reply: 0, or a negated errno. */
  | { readonly type: 'connect'; readonly name: string; readonly number: number }
  /** A thread without a port has ended: whoever serves those threads sees to it. Reply: nothing. */
  | { readonly type: 'gone'; readonly threadId: number }
  /** Whether a file or folder is the thread's own: it is removed when the thread ends. */
  | { readonly type: 'path'; readonly path: string; readonly own: boolean }
  /** Reply: how many things there are. */
  | { readonly type: 'count' }
  /** Reply: the number of an end that waits, which the thread has from then on; 0: none does. */
  | { readonly type: 'accept'; readonly number: number };

/** What is answered; `null` where nothing is. */
export type Reply = Thing | SharedArrayBuffer | number | null;

/** Most who wait at a listener. */
const BACKLOG = 511;

/** What a kernel knows: what is handed over when it moves to a thread. */
export interface KernelState {
  readonly table: Int32Array;
  readonly things: Map<number, Kept>;
  readonly offers: Map<string, Offer>;
  /** Files and folders, by the thread that answers for them. */
  readonly paths: Map<string, number>;
}

export class Kernel {
  readonly #table: Int32Array;
  readonly #things: Map<number, Kept>;
  readonly #offers: Map<string, Offer>;
  readonly #paths: Map<string, number>;
  readonly #now: () => number;
  readonly #remove: (path: string) => void;
  /** Bytes of things that nobody has any more. */
  #released = 0;

  /**
   * @param now Milliseconds, of a clock that all threads share.
   * @param remove removes a file, or a folder with what is in it.
   */
  constructor({ table, things, offers, paths }: KernelState, now: () => number, remove: (path: string) => void) {
    this.#table = table;
    this.#things = things;
    this.#offers = offers;
    this.#paths = paths;
    this.#now = now;
    this.#remove = remove;
  }

  /** All it knows. */
  get state(): KernelState {
    return { table: this.#table, things: this.#things, offers: this.#offers, paths: this.#paths };
  }

  /** Returns how many bytes were let go since the last call, if they are at least so many; else 0. */
  takeReleased(least: number): number {
    const released = this.#released;
    if (released < least) return 0;
    this.#released = 0;
    return released;
  }

  /** Does what an agent asks. */
  handle(agent: number, request: Request): Reply {
    switch (request.type) {
      case 'create':
        this.#create(agent, request.number, request.thing, request.peer, '');
        return null;
      case 'pair':
        this.#things.get(request.number)!.peer = request.peer;
        return null;
      case 'release':
        this.#release(agent, request.number);
        return null;
      case 'acquire':
        return this.#acquire(agent, request.number, request.hold);
      case 'piece':
        return this.#piece(request.number, request.offset, request.size);
      case 'drop':
        this.#drop(request.number, request.offset, request.offset + request.length);
        return null;
      case 'size':
        return this.#things.get(request.number)?.size ?? Errno.EBADF;
      case 'load':
        this.#load(request.number, request.position, request.load);
        return null;
      case 'taken':
        this.#taken(request.number, request.position);
        return null;
      case 'offer':
        this.#offer(request.key, request.number, request.duration, request.released);
        return null;
      case 'renew':
        return this.#renew(request.key, request.duration);
      case 'holdOffer':
        this.#holdOffer(request.key, request.on, request.duration);
        return null;
      case 'releaseOffer':
        this.#releaseOffer(request.key);
        return null;
      case 'withdraw':
        for (const key of [...this.#offers.keys()]) this.#endOffer(key);
        return null;
      case 'fetch':
        return this.#fetch(agent, request.key);
      case 'listen':
        return this.#listen(agent, request.number, request.name, request.memory);
      case 'connect':
        return this.#connect(request.name, request.number);
      case 'gone':
        return null;
      case 'path':
        if (request.own) this.#paths.set(request.path, agent);
        else this.#paths.delete(request.path);
        return null;
      case 'count':
        return this.#things.size;
      case 'accept':
        return this.#accept(agent, request.number);
    }
  }

  /** An agent's thread has ended, in whatever way: gives back what it had. */
  ended(agent: number): void {
    leaveAgent(this.#table, agent);
    for (const [number, { holders }] of [...this.#things]) {
      if (!holders.has(agent)) continue;
      holders.set(agent, 1);
      this.#release(agent, number);
    }
    for (const [path, owner] of [...this.#paths]) {
      if (owner !== agent) continue;
      this.#paths.delete(path);
      this.#remove(path);
    }
  }

  /** Ends the offers whose time is over. Returns when to look again, or `null`. */
  tidy(): number | null {
    const now = this.#now();
    let next: number | null = null;
    for (const [key, { until, messages }] of [...this.#offers]) {
      if (messages > 0) continue;
      if (until <= now) this.#endOffer(key);
      else next = Math.min(next ?? until, until);
    }
    return next;
  }

  // ---- things

  #create(holder: Holder, number: number, thing: Thing, peer: number, name: string): void {
    this.#things.set(number, {
      ...thing,
      holders: new Map([[holder, 1]]),
      pieces: new Map(),
      size: thing.memory.byteLength,
      loads: [],
      peer,
      name,
      arrived: [],
    });
  }

  #hold(holder: Holder, kept: Kept): void {
    kept.holders.set(holder, (kept.holders.get(holder) ?? 0) + 1);
  }

  #release(holder: Holder, number: number): void {
    const kept = this.#things.get(number);
    const count = kept?.holders.get(holder);
    if (kept === undefined || count === undefined) return;
    if (count > 1) kept.holders.set(holder, count - 1);
    else kept.holders.delete(holder);
    if (kept.holders.size === 0) this.#destroy(number, kept);
  }

  #destroy(number: number, kept: Kept): void {
    this.#things.delete(number);
    this.#released += kept.size;
    if (kept.kind === Kind.Pipe) {
      closeEnd(kept.memory, kept.side);
      // Nobody reads what was written to this end; what it wrote itself may still be read.
      const peer = this.#things.get(kept.peer);
      if (peer === undefined) this.#unload(kept);
      else {
        this.#unload(peer);
        peer.loads.push(...kept.loads);
      }
    }
    for (const end of kept.arrived) this.#release(waitsAt(number), end);
  }

  #acquire(agent: number, number: number, hold: boolean): Thing | null {
    const kept = this.#things.get(number);
    if (kept === undefined) return null;
    if (hold) this.#hold(agent, kept);
    return { kind: kept.kind, memory: kept.memory, side: kept.side };
  }

  // ---- memory that grows

  #piece(number: number, offset: number, size: number): SharedArrayBuffer | null {
    const kept = this.#things.get(number);
    if (kept === undefined) return null;
    const end = offset + size;
    const there = kept.pieces.get(offset);
    if (there !== undefined && there.memory.byteLength === size) return there.memory;
    this.#drop(number, offset, end);
    const memory = new SharedArrayBuffer(size);
    kept.pieces.set(offset, { memory, end });
    kept.size = Math.max(kept.size, end);
    return memory;
  }

  #drop(number: number, start: number, end: number): void {
    const pieces = this.#things.get(number)?.pieces;
    for (const [offset, piece] of pieces ?? []) if (offset < end && piece.end > start) pieces!.delete(offset);
  }

  // ---- descriptors that travel with bytes

  #load(end: number, position: number, number: number): void {
    const [kept, loaded] = [this.#things.get(end), this.#things.get(number)];
    if (kept === undefined || loaded === undefined) return;
    const { memory, side } = kept;
    // The reader may have been faster than this request; what nobody can read has arrived nowhere.
    if (!this.#things.has(kept.peer) || wasRead(memory, side, position)) dropLoad(memory, side);
    else {
      const holder = `bytes of ${end}`;
      this.#hold(holder, loaded);
      kept.loads.push({ position, side, number, holder });
    }
  }

  /** @param end That from which was read, up to `position`. */
  #taken(end: number, position: number): void {
    const reader = this.#things.get(end);
    if (reader !== undefined) this.#unload(this.#things.get(reader.peer) ?? reader, position);
  }

  /** What travels with bytes before `position`, or with any, has arrived or is lost. */
  #unload({ loads, memory }: Kept, position?: number): void {
    for (let i = loads.length - 1; i >= 0; i--) {
      const load = loads[i]!;
      if (position !== undefined && ((position - load.position) | 0) <= 0) continue;
      loads.splice(i, 1);
      dropLoad(memory, load.side);
      this.#release(load.holder, load.number);
    }
  }

  // ---- offers

  #offer(key: string, number: number, duration: number, released: boolean): void {
    const kept = this.#things.get(number);
    if (kept === undefined) return;
    this.#hold(offeredAs(key), kept);
    this.#offers.set(key, { number, until: this.#now() + duration, sent: 1, had: 0, released, messages: 0 });
  }

  #renew(key: string, duration: number): number {
    const offer = this.#offers.get(key);
    if (offer === undefined) return 0;
    offer.sent++;
    offer.until = Math.max(offer.until, this.#now() + duration);
    return 1;
  }

  #holdOffer(key: string, on: boolean, duration: number): void {
    const offer = this.#offers.get(key);
    if (offer === undefined) return;
    offer.messages += on ? 1 : -1;
    if (!on) offer.until = Math.max(offer.until, this.#now() + duration);
  }

  #releaseOffer(key: string): void {
    const offer = this.#offers.get(key);
    if (offer === undefined) return;
    offer.released = true;
    if (offer.had >= offer.sent) this.#endOffer(key);
  }

  #fetch(agent: number, key: string): number {
    const offer = this.#offers.get(key);
    const kept = offer === undefined ? undefined : this.#things.get(offer.number);
    if (offer === undefined || kept === undefined) return 0;
    this.#hold(agent, kept);
    offer.had++;
    if (offer.released && offer.had >= offer.sent) this.#endOffer(key);
    return offer.number;
  }

  #endOffer(key: string): void {
    const offer = this.#offers.get(key);
    this.#offers.delete(key);
    if (offer !== undefined) this.#release(offeredAs(key), offer.number);
  }

  // ---- names

  #listen(agent: number, number: number, name: string, memory: SharedArrayBuffer): number {
    if (this.#named(name) !== undefined) return Errno.EADDRINUSE;
    this.#create(agent, number, { kind: Kind.Listener, memory, side: 0 }, 0, name);
    return 0;
  }

  #connect(name: string, end: number): number {
    const [number, kept] = this.#named(name) ?? [];
    const connecting = this.#things.get(end);
    if (number === undefined || kept === undefined || connecting === undefined) return Errno.ECONNREFUSED;
    if (kept.arrived.length >= BACKLOG) return Errno.EAGAIN;
    this.#hold(waitsAt(number), connecting);
    kept.arrived.push(end);
    setWaiting(kept.memory, kept.arrived.length);
    return 0;
  }

  #accept(agent: number, number: number): number {
    const listener = this.#things.get(number);
    const end = listener?.arrived.shift();
    if (listener === undefined || end === undefined) return 0;
    setWaiting(listener.memory, listener.arrived.length);
    this.#hold(agent, this.#things.get(end)!);
    this.#release(waitsAt(number), end);
    return end;
  }

  #named(name: string): [number, Kept] | undefined {
    for (const [number, kept] of this.#things)
      if (kept.kind === Kind.Listener && kept.name === name) return [number, kept];
    return undefined;
  }
}

function waitsAt(listener: number): Holder {
  return `listener ${listener}`;
}

function offeredAs(key: string): Holder {
  return `offer ${key}`;
}
