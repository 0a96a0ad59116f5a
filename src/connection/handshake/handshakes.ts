/**
 * The peers of a listener that have not proved anything yet.
 *
 * A stranger can have one of {@link Limits.most} places for {@link Limits.time} ms at most. What it
 * sends is read in messages of at most 256 bytes, and never decoded. When all places are taken:
 *
 *   who comes next     waits, among as many as there are places; of those that wait the addresses
 *                      take turns
 *   who has a place    keeps it for {@link SILENT_GRACE_MS} ms, or {@link ANSWERED_GRACE_MS} ms when
 *                      it has said something; then it gives way, if its address has most places
 *   all wait places    taken: one of the address that has most of them gives way; while that is one
 *   taken              address only, nobody is accepted (the kernel keeps the queue)
 *
 * So a crowd gets {@link Limits.most} places each SILENT_GRACE_MS and takes none from other
 * addresses, and what is held here is bounded. All peers of a unix socket have one address.
 */

import { createServer, type Server, type TLSSocket } from 'node:tls';
import { AuthenticationError } from '../../errors/index.js';
import type { SerializerOption } from '../../reduction/index.js';
import { after } from '../../util/after.js';
import { clearTimeout, performance, setTimeout } from '../../util/timers.js';
import { Connection } from '../connection.js';
import { type Carrier, hangUp, socketOf, transportOver } from '../transport/carrier.js';
import { answerChallenge, deliverChallenge } from './authentication.js';
import { type ListenerTls, overStream } from './tls.js';

/** What an unauthenticated peer may have. */
export interface Limits {
  /** Places. */
  readonly most: number;
  /** Milliseconds from being accepted to having proved itself. */
  readonly time: number;
}

/** What the connections of a listener have in common. */
export interface PeerOptions {
  readonly key: Uint8Array | undefined;
  readonly tls: ListenerTls | undefined;
  readonly serializer: SerializerOption | undefined;
}

/** Who gets to know how it ended. */
export interface HandshakeListener {
  /** The peer has proved itself, or need not. */
  passed(connection: Connection): void;
  /** The peer has another key. Others (garbage, silence, hanging up) are dropped without a word. */
  failed(error: AuthenticationError): void;
  /** There is room for more. */
  room(): void;
}

/**
 * Milliseconds for which nobody's place is taken away. A peer on this machine answers in one, and
 * in a hundred when the machine is busy.
 */
const SILENT_GRACE_MS = 250;
/** The same for who has said something. */
const ANSWERED_GRACE_MS = 1_000;

interface Place {
  readonly address: string;
  readonly since: number;
  /** Returns whether something has come from it. */
  answered(): boolean;
  end(): void;
}

/** Accepted, and waits for a place. */
interface WaitingPeer {
  readonly carrier: Carrier;
  readonly address: string;
}

export class Handshakes {
  readonly #key: Uint8Array | undefined;
  readonly #limits: Limits;
  readonly #listener: HandshakeListener;
  readonly #serializer: SerializerOption | undefined;
  readonly #server: Server | undefined;
  /** Those that are under way, oldest first. */
  readonly #places = new Set<Place>();
  readonly #waiting: WaitingPeer[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** Raw sockets that are being secured. */
  readonly #securing = new WeakMap<object, { leave(): void; address: string }>();

  constructor({ key, tls, serializer }: PeerOptions, limits: Limits, listener: HandshakeListener) {
    this.#key = key;
    this.#serializer = serializer;
    this.#limits = limits;
    this.#listener = listener;
    if (tls === undefined) return;
    // It never listens: it is given the sockets.
    this.#server = createServer({ ...tls, handshakeTimeout: limits.time }, (stream) => this.#secured(stream));
    this.#server.on('tlsClientError', (_error, stream) => stream.destroy());
  }

  /**
   * Whether nobody more can be taken in: leave them to the kernel until {@link
   * HandshakeListener.room}.
   */
  get full(): boolean {
    if (this.#waiting.length < this.#limits.most) return false;
    return this.#waiting.every(({ address }) => address === this.#waiting[0]!.address);
  }

  /**
   * Takes a peer in; the carrier is owned from here on.
   * @param address what it has in common with others of the same origin.
   */
  begin(carrier: Carrier, address: string): void {
    if (this.#server === undefined && this.#key === undefined) {
      this.#listener.passed(new Connection(transportOver(carrier), { serializer: this.#serializer }));
      return;
    }
    if (this.#waiting.length >= this.#limits.most) {
      const greedy = commonestAddress(this.#waiting);
      const at = this.#waiting.findIndex((peer) => peer.address === greedy);
      hangUp(this.#waiting.splice(at, 1)[0]!.carrier);
    }
    this.#waiting.push({ carrier, address });
    this.#admit();
  }

  /** Ends all that are under way. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { carrier } of this.#waiting.splice(0)) hangUp(carrier);
    for (const { end } of [...this.#places]) end();
    this.#places.clear();
  }

  /**
   * Gives places to those who wait, as far as there are some or somebody has had his for long
   * enough.
   */
  #admit(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#waiting.length > 0 && !this.#closed) {
      if (this.#places.size >= this.#limits.most) {
        const left = this.#makeRoom();
        if (left > 0) {
          this.#timer = setTimeout(() => this.#admit(), left);
          break;
        }
      }
      this.#start(this.#next());
    }
    if (!this.full) this.#listener.room();
  }

  /** Of those who wait, the oldest of the address that has fewest places. */
  #next(): WaitingPeer {
    const had = countsOf(this.#places);
    let best = 0;
    this.#waiting.forEach(({ address }, i) => {
      if ((had.get(address) ?? 0) < (had.get(this.#waiting[best]!.address) ?? 0)) best = i;
    });
    return this.#waiting.splice(best, 1)[0]!;
  }

  /**
   * Ends one of the address with most places, who has had his for long enough, or says in how many
   * ms that may be done.
   */
  #makeRoom(): number {
    const had = countsOf(this.#places);
    const greedy = commonestAddress(this.#places);
    // Whose address has fewer need not wait: the others can spare one.
    const poorer = this.#waiting.some(({ address }) => (had.get(address) ?? 0) + 1 < had.get(greedy)!);
    const now = performance.now();
    let least = Number.POSITIVE_INFINITY;
    let last: Place | undefined;
    for (const place of this.#places) {
      if (place.address !== greedy) continue;
      const left = place.since + (place.answered() ? ANSWERED_GRACE_MS : SILENT_GRACE_MS) - now;
      if (left >= least) continue;
      least = left;
      last = place;
    }
    if (least > 0 && !poorer) return least;
    this.#places.delete(last!);
    last!.end();
    return 0;
  }

  #start({ carrier, address }: WaitingPeer): void {
    if (this.#server === undefined) {
      this.#connected(new Connection(transportOver(carrier), { serializer: this.#serializer }), address);
      return;
    }
    const raw = socketOf(carrier);
    const leave = this.#place(
      address,
      () => raw.bytesRead > 0,
      () => raw.destroy(),
    );
    this.#securing.set(raw, { leave, address });
    raw.on('close', leave);
    raw.on('error', () => {});
    this.#server.emit('connection', raw);
  }

  #secured(stream: TLSSocket): void {
    const raw = (stream as unknown as { _parent?: object })._parent;
    const securing = raw === undefined ? undefined : this.#securing.get(raw);
    securing?.leave();
    this.#connected(overStream(stream, this.#serializer), securing?.address ?? '');
  }

  #connected(connection: Connection, address: string): void {
    if (this.#key === undefined) this.#listener.passed(connection);
    else void this.#authenticate(connection, this.#key, address);
  }

  async #authenticate(connection: Connection, key: Uint8Array, address: string): Promise<void> {
    const leave = this.#place(
      address,
      () => Connection.ready(connection),
      () => connection.close(),
    );
    try {
      // The place is for a limited time.
      const bounds = { timeout: Number.POSITIVE_INFINITY };
      await deliverChallenge(connection, key, 'sha256', bounds);
      await answerChallenge(connection, key, bounds);
    } catch (error) {
      connection.close();
      if (error instanceof AuthenticationError && error.code === 'MP_AUTHENTICATION') this.#listener.failed(error);
      return;
    } finally {
      leave();
    }
    this.#listener.passed(connection);
  }

  /** A place for one that is under way; returns what gives it up. */
  #place(address: string, answered: () => boolean, end: () => void): () => void {
    const place: Place = { address, since: performance.now(), answered, end };
    this.#places.add(place);
    const late = after(this.#limits.time, end);
    return () => {
      late();
      if (this.#places.delete(place)) this.#admit();
    };
  }
}

function countsOf(all: Iterable<{ readonly address: string }>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { address } of all) counts.set(address, (counts.get(address) ?? 0) + 1);
  return counts;
}

/** Returns the address that most of them have. */
function commonestAddress(all: Iterable<{ readonly address: string }>): string {
  let most = '';
  let count = 0;
  for (const [address, had] of countsOf(all)) {
    if (had <= count) continue;
    most = address;
    count = had;
  }
  return most;
}
