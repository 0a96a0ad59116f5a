/**
 * What goes on beneath a Connection: the calls that wait to receive, what waits to be sent, and
 * when the kernel is asked.
 *
 *   recv -> a message that is there already
 *        or Receivers, served by pump() when the kernel says that there is something
 *   send -> Outbox, flushed when the kernel takes more
 *
 * Life: a Connection that nobody has any more is collected and closed, so the kernel's set of
 * watched descriptors must not hold it: that holds the Exchange, and the Exchange holds its owner
 * only while somebody waits.
 */
import type { MultiprocessError } from '../../errors/index.js';
import { allocateBlock, Backoff, takeSyncWait } from '../../memory/index.js';
import type { Serializer } from '../../reduction/index.js';
import { limitWait } from '../../util/limit-wait.js';
import { clearTimeout, nextTick, performance, setImmediate, setTimeout } from '../../util/timers.js';
import type { WaitOptions } from '../../util/wait-options.js';
import { closed, endOfFile, timedOut } from '../messages.js';
import { bytesOf } from '../transport/buffers.js';
import { pause } from '../transport/pause.js';
import { DescriptorTransport, type Transport, TransportMaker } from '../transport/transport.js';
import { Found, Inbox } from './inbox.js';
import { Outbox } from './outbox.js';
import { READER_BYTES, ReaderWords } from './reader-words.js';
import { Receivers } from './receivers.js';
import { decode, decodeSync } from './value-frames.js';

/** Messages that may be handed out without a turn of the event loop in between. */
const MAX_STREAK = 1_024;
/**
 * Looks at the kernel before a blocking call sleeps, at first and at most: about 15 and 70
 * microseconds.
 */
const BLOCKING_LOOKS = 50;
const MAX_BLOCKING_LOOKS = 200;
/** Looks before an awaited call takes a turn of the event loop: about 10 microseconds. */
const AWAITED_LOOKS = 30;
/** How soon to look again, ms, while another reader finishes what it has begun. */
const BUSY_RETRY_MS = 1;

/** How long the end of the process waits for a peer that takes nothing, ms. */
const MAX_STALL_MS = 1_000;

/** Exchanges whose connection is closed, and that have something to send. */
export const closing = new Set<Exchange>();

export class Exchange {
  readonly transport: Transport;
  readonly serializer: Serializer;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  closed = false;
  readonly #owner: WeakRef<object>;
  /** The owner, while somebody waits. */
  held: object | undefined;
  readonly #receivers = new Receivers(() => this.#want());
  readonly #pollers = new Set<() => void>();
  readonly #awaitedBackoff = new Backoff(AWAITED_LOOKS, AWAITED_LOOKS);
  readonly #blockingBackoff = new Backoff(BLOCKING_LOOKS, MAX_BLOCKING_LOOKS);
  #released: (() => void)[] = [];
  /** Messages handed out since the last burst of microtasks ended. */
  #streak = 0;
  #ticking = false;
  #retry: NodeJS.Timeout | NodeJS.Immediate | undefined;

  constructor(owner: object, carrier: number | TransportMaker, serializer: Serializer) {
    this.serializer = serializer;
    this.#owner = new WeakRef(owner);
    const onReady = () => this.#onReady();
    this.transport =
      carrier instanceof TransportMaker ? carrier.make(onReady) : new DescriptorTransport(carrier, onReady);
    this.inbox = new Inbox(this.transport);
    this.outbox = new Outbox(this.transport, () => this.#want());
  }

  /**
   * Returns the next message: its value, or its bytes.
   * @throws what take() and decoding throw, or (as rejection) what ends a wait.
   */
  receive(actor: string, raw: boolean, most: number, options: WaitOptions | undefined): Promise<unknown> {
    options?.signal?.throwIfAborted();
    if (this.#receivers.length === 0) {
      if (++this.#streak < MAX_STREAK) {
        const now = options?.timeout !== undefined && options.timeout <= 0;
        const found = now ? this.inbox.take(most) : this.#seek(most, this.#awaitedBackoff);
        this.#tick();
        if (found === Found.message) return Promise.resolve(this.#message(raw));
        if (found === Found.end) throw endOfFile();
        if (found === Found.busy) this.#later(BUSY_RETRY_MS);
        if (now) throw timedOut(actor, options.timeout);
      } else this.#later(0); // Others want the event loop too.
    }
    return this.#receivers.wait(actor, raw, most, options);
  }

  /**
   * Returns the bytes of the next message, if it came with one before and nobody waits for it: a
   * burst is handled in one stretch, so that what is sent on account of it is gathered.
   */
  receiveSeen(most: number): Uint8Array | undefined {
    if (this.closed || this.#receivers.length > 0 || this.#streak >= MAX_STREAK || !this.inbox.takeSeen(most))
      return undefined;
    this.#streak++;
    this.#tick();
    return bytesOf(this.inbox);
  }

  /**
   * Waits for the next message without looking for it first: nothing is expected before others have
   * run.
   */
  receiveLater(actor: string, most: number): Promise<unknown> {
    const waiting = this.#receivers.wait(actor, true, most, undefined);
    // What was received already, the kernel does not tell of again.
    if (this.inbox.seen) this.#later(0);
    return waiting;
  }

  /** As {@link receive}, blocking. Calls that wait already are served first. */
  receiveSync(actor: string, raw: boolean, most: number, options: WaitOptions | undefined): unknown {
    options?.signal?.throwIfAborted();
    const timeout = options?.timeout ?? Number.POSITIVE_INFINITY;
    const end = timeout === Number.POSITIVE_INFINITY ? timeout : performance.now() + timeout;
    for (let left = timeout; ; left = end - performance.now()) {
      const { begun } = this.inbox;
      const found = left > 0 ? this.#seek(most, this.#blockingBackoff) : this.#take(most);
      if (found === Found.message) {
        this.#tick();
        return raw ? bytesOf(this.inbox) : decodeSync(this.inbox, this.serializer);
      }
      if (found === Found.end) throw endOfFile();
      this.inbox.settle();
      if (left <= 0) throw timedOut(actor, options?.timeout);
      if (found === Found.busy) pause(Math.min(left, BUSY_RETRY_MS));
      else if (this.inbox.begun === begun) this.transport.block(false, left);
    }
  }

  /** Returns whether something can be received within the time, which must be above 0. */
  readable(timeout: number, signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void) => {
        this.#pollers.delete(poller);
        unlimit();
        this.#want();
        outcome();
      };
      const poller = () => settle(() => (this.closed ? reject(closed('Connection.poll')) : resolve(true)));
      const unlimit = limitWait(
        { timeout, signal },
        () => settle(() => resolve(false)),
        (reason) => settle(() => reject(reason)),
      );
      this.#pollers.add(poller);
      this.#want();
    });
  }

  /** As {@link readable}, blocking. */
  readableSync(timeout: number): boolean {
    return this.#blockingBackoff.attemptUntil(() => this.inbox.readable()) || this.transport.block(false, timeout);
  }

  /** Others will read from this end too: the words by which readers agree. */
  share(): ReaderWords {
    const { inbox } = this;
    if (inbox.words === undefined) inbox.share(new ReaderWords(allocateBlock(READER_BYTES)));
    else inbox.forget();
    return inbox.words!;
  }

  /** In a fork: what its parent has begun to send and waits to receive stays there. */
  forget(): void {
    this.inbox.restart();
    this.outbox.restart();
    this.#receivers.forget();
    this.#pollers.clear();
    this.#released = [];
    this.#streak = 0;
    this.#ticking = false;
    this.#retry = undefined;
    this.held = undefined;
  }

  /** Blocks until the kernel has taken what was sent. @throws ConnectionError. */
  finish(sent: Promise<void>): void {
    sent.catch(() => {}); // thrown below
    while (!this.outbox.empty) {
      this.outbox.flush();
      if (!this.outbox.empty) this.transport.block(true, Number.POSITIVE_INFINITY);
    }
    if (this.outbox.failure !== undefined) throw this.outbox.failure;
  }

  /**
   * At the end of the process: blocks until the kernel has taken what was sent, or takes nothing
   * for {@link MAX_STALL_MS} milliseconds.
   */
  flushAtEnd(): void {
    for (let last = -1; !this.outbox.empty && this.transport.fd >= 0; ) {
      this.outbox.flush();
      if (this.outbox.taken === last && !this.transport.block(true, MAX_STALL_MS)) return;
      last = this.outbox.taken;
    }
  }

  /** Receives no more, and gives the transport up when what was sent is out. */
  close(): void {
    this.closed = true;
    if (this.#retry !== undefined) clearTimeout(this.#retry as NodeJS.Timeout);
    this.inbox.close();
    this.#receivers.rejectAll(closed('Connection'));
    for (const poller of this.#pollers) poller();
    if (!this.outbox.empty) this.outbox.flush();
    if (this.outbox.empty) this.#release();
    else {
      closing.add(this);
      this.#want();
    }
  }

  /** Resolves when the transport was given up. */
  released(): Promise<void> {
    return this.outbox.empty ? Promise.resolve() : new Promise((resolve) => this.#released.push(resolve));
  }

  #onReady(): void {
    if (this.outbox.blocked) this.outbox.flush();
    if (!this.closed) this.#pump();
    else if (this.outbox.empty) this.#release();
  }

  /** Serves the calls that wait. @param briefly Looks again as long as that pays. */
  #pump(briefly = false): void {
    try {
      if (this.#pollers.size > 0 && this.inbox.readable()) for (const poller of this.#pollers) poller();
      const serve = () => this.#serve();
      while (this.#receivers.length > 0 && (serve() || (briefly && this.#awaitedBackoff.attemptUntil(serve))));
    } catch (error) {
      this.#receivers.rejectAll(error as MultiprocessError);
    }
    this.#tick();
    this.#want();
  }

  /** Serves the first call that waits; whether it could. */
  #serve(): boolean {
    const receiver = this.#receivers.first()!;
    const found = this.inbox.take(receiver.most);
    if (found === Found.busy) this.#later(BUSY_RETRY_MS);
    if (found === Found.end) throw endOfFile();
    if (found !== Found.message) return false;
    this.#receivers.shift();
    try {
      receiver.resolve(this.#message(receiver.raw));
    } catch (error) {
      receiver.reject(error);
    }
    return true;
  }

  /**
   * Returns the next message, looked for as long as that pays. To be woken takes a peer on another
   * core longer than to answer; one on this core answers as soon as it gets the core.
   */
  #seek(most: number, backoff: Backoff): Found {
    let found = Found.nothing as Found;
    const attempt = () => {
      const { begun } = this.inbox;
      found = this.#take(most);
      // A long message goes on coming, and who looks has not looked in vain.
      return found !== Found.nothing || this.inbox.begun !== begun;
    };
    const prompt = backoff.answeredOnYield && !this.inbox.seen;
    if ((prompt || !attempt()) && this.#mayBackOff(backoff)) backoff.attemptUntil(attempt);
    else if (prompt) attempt();
    return found;
  }

  /**
   * Returns whether looking again may help; an awaited call looks again later, when the event loop
   * has to turn first.
   */
  #mayBackOff(backoff: Backoff): boolean {
    if (this.transport.fd < 0) return false;
    if (backoff === this.#blockingBackoff || takeSyncWait()) return true;
    this.#later(0);
    return false;
  }

  /** Returns the next message, when those who wait have been served. */
  #take(most: number): Found {
    if (this.#receivers.length > 0) this.#pump();
    return this.#receivers.length > 0 ? Found.nothing : this.inbox.take(most);
  }

  #message(raw: boolean): unknown {
    return raw ? bytesOf(this.inbox) : decode(this.inbox, this.serializer);
  }

  /** Takes what was handed out when this burst of microtasks is over. */
  #tick(): void {
    if (this.#ticking || !(this.inbox.owes || this.#streak > 0)) return;
    this.#ticking = true;
    nextTick(this.#endTick);
  }

  readonly #endTick = (): void => {
    this.#ticking = false;
    this.#streak = 0;
    if (!this.closed) this.inbox.settle();
  };

  /** Looks again without being told by the kernel. */
  #later(delay: number): void {
    if (this.#retry !== undefined) return;
    const again = () => {
      this.#retry = undefined;
      this.#streak = 0;
      if (this.closed) return;
      this.#pump(delay === 0 && this.#receivers.length > 0 && this.#mayBackOff(this.#awaitedBackoff));
    };
    this.#retry = delay === 0 ? setImmediate(again) : setTimeout(again, delay);
  }

  #want(): void {
    const waiting = !this.closed && (this.#receivers.length > 0 || this.#pollers.size > 0);
    const writing = this.outbox.blocked;
    this.held = waiting || writing ? this.#owner.deref() : undefined;
    this.transport.want(waiting && this.#retry === undefined, writing);
  }

  #release(): void {
    this.outbox.end();
    closing.delete(this);
    this.held = undefined;
    this.transport.close();
    for (const resolve of this.#released) resolve();
  }
}
