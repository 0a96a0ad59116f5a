/**
 * The calls of one connection that wait for their answer, by number.
 *
 *   open -> waiting -> take (its answer, an error, the end of the connection)
 *              |
 *              +-- timeout, abort -> cancel is sent -> take: the server says which came first, or
 *                                                      CANCEL_GRACE_MS are over
 */
import { type CallSite, CallSiteBudget } from '../../pool/index.js';
import { after } from '../../util/after.js';
import { limitWait } from '../../util/limit-wait.js';
import { callTimedOut } from '../messages.js';
import type { ProxyType } from '../registry.js';
import { RemoteCall } from './remote-call.js';

/** Milliseconds that a cancelled call waits for the server to say what became of it. */
const CANCEL_GRACE_MS = 1_000;

/** A call takes some microseconds of this thread's time, as much as a capture of its call site. */
const sites = new CallSiteBudget(4);

/** A call that waits for its answer. */
export interface PendingCall {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  readonly site: CallSite | null;
  /** The class of the proxy that it answers with. */
  readonly proxyType: ProxyType | undefined;
  /** Takes back what bounds it. */
  free: (() => void) | undefined;
  /** What it rejects with when the server says that it was cancelled. */
  cancelled: { readonly reason: unknown } | undefined;
}

export class PendingCalls {
  readonly #calls = new Map<number, PendingCall>();
  readonly #onChange: () => void;
  #last = 0;

  /** @param onChange Called when the first call begins to wait, and when the last one ended. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Calls that wait. */
  get size(): number {
    return this.#calls.size;
  }

  /** Returns whether the call still waits. */
  has(id: number): boolean {
    return this.#calls.has(id);
  }

  /** Opens a call, with a number that no other one has. */
  open(proxyType: ProxyType | undefined): {
    readonly id: number;
    readonly call: RemoteCall<unknown>;
    readonly pending: PendingCall;
  } {
    const id = this.#number();
    let pending!: PendingCall;
    const call = new RemoteCall<unknown>((resolve, reject) => {
      pending = { resolve, reject, site: sites.take(), proxyType, free: undefined, cancelled: undefined };
    });
    this.#calls.set(id, pending);
    if (this.#calls.size === 1) this.#onChange();
    return { id, call, pending };
  }

  /** Takes a call out, to be settled. */
  take(id: number): PendingCall | undefined {
    const pending = this.#calls.get(id);
    if (pending === undefined) return undefined;
    this.#calls.delete(id);
    pending.free?.();
    if (this.#calls.size === 0) this.#onChange();
    return pending;
  }

  /**
   * Bounds the time that a call waits.
   * @param cancel Tells the server. Returns `undefined` when there is no connection to tell it by.
   */
  bound(
    id: number,
    pending: PendingCall,
    timeout: number | undefined,
    signal: AbortSignal | undefined,
    what: (() => string) | undefined,
    cancel: () => true | undefined,
  ): void {
    let endGrace: (() => void) | undefined;
    const end = (reason: unknown) => {
      if (pending.cancelled !== undefined) return;
      pending.cancelled = { reason };
      if (cancel() === undefined) this.take(id)?.reject(reason);
      // The server says whether its result came first.
      else endGrace = after(CANCEL_GRACE_MS, () => this.take(id)?.reject(reason));
    };
    const unlimit = limitWait({ timeout, signal }, () => end(callTimedOut(what?.() ?? 'The call', timeout!)), end);
    pending.free = () => {
      unlimit();
      endGrace?.();
    };
  }

  /** Rejects all. */
  rejectAll(error: unknown): void {
    for (const id of [...this.#calls.keys()]) this.take(id)?.reject(error);
  }

  /** Forgets all, in a fork: they are the parent's. */
  clear(): void {
    this.#calls.clear();
  }

  #number(): number {
    do this.#last = (this.#last + 1) >>> 0;
    while (this.#last === 0 || this.#calls.has(this.#last));
    return this.#last;
  }
}
