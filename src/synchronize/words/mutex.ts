/**
 * Mutual exclusion over a lock word: what Lock, RLock and the inner locks of the other primitives
 * have in common.
 *
 * Owner death: who waits looks after the owner once in {@link LIVENESS_CHECK_MS} ms, at most once
 * for all waiters of a thread; who only tries does so too. The lock then goes to whoever finds out,
 * or tries next.
 */
import {
  AGENT_MASK,
  type Attempt,
  type Block,
  type Bounds,
  currentAgent,
  hasEnded,
  Urgency,
  type WaitCell,
  type WaitProtocol,
  WaitQueue,
} from '../../memory/index.js';
import { FairnessReserve } from './fairness.js';
import { LivenessThrottle } from './liveness-throttle.js';
import {
  announce,
  DIED,
  FAIR,
  release,
  releaseAlone,
  take,
  takeFree,
  takeOver,
  WAITERS,
  withdraw,
} from './lock-word.js';

/** Words a mutex takes. */
export const MUTEX_WORDS = 2;

export class Mutex implements WaitProtocol {
  readonly #block: Block;
  readonly #name: string;
  readonly #cell: WaitCell;
  readonly #queue: WaitQueue;
  readonly #words: Int32Array;
  readonly #reserve = new FairnessReserve();
  readonly #throttle = new LivenessThrottle();
  /** The dead owner that {@link checkPeers} found; 0: none. */
  #dead = 0;

  /**
   * @param at Index in the block of the first of its words.
   * @param name Whose it is, for messages.
   */
  constructor(block: Block, at: number, name: string) {
    this.#block = block;
    this.#name = name;
    this.#words = block.int32.subarray(at, at + MUTEX_WORDS);
    this.#cell = block.cell(at);
    this.#queue = new WaitQueue(this.#cell, this);
  }

  /** Takes it if that is possible at once. @throws ClosedError that names `actor`. */
  tryAcquire(actor: string): boolean {
    this.#block.check(actor);
    return takeFree(this.#words, currentAgent()) || this.#tryHarder();
  }

  /** Takes it without blocking; `null` stands for "at once", to spare the promise. */
  acquire(actor: string, bounds?: Bounds): Promise<boolean> | null {
    this.#block.check(actor);
    bounds?.signal?.throwIfAborted();
    if (this.#queue.length === 0 && takeFree(this.#words, currentAgent())) return null;
    return this.#queue.wait(this.#attempt, actor, bounds);
  }

  /** Takes it, blocking the thread. */
  acquireSync(actor: string, timeout?: number): boolean {
    this.#block.check(actor);
    return takeFree(this.#words, currentAgent()) || this.#queue.waitSync(this.#attempt, timeout);
  }

  /** Releases, whoever holds it; `false` when nobody did. */
  release(actor: string): boolean {
    this.#block.check(actor);
    if (releaseAlone(this.#words, currentAgent())) return true;
    const word = release(this.#words);
    if ((word & AGENT_MASK) === 0) return false;
    if ((word & FAIR) !== 0) {
      this.#cell.notify();
      this.#queue.kick();
    } else if ((word & WAITERS) !== 0 && !this.#queue.kick()) this.#cell.notify(1);
    return true;
  }

  /** Who holds it; 0: nobody. */
  get owner(): number {
    this.#block.check(this.#name);
    return Atomics.load(this.#words, 0) & AGENT_MASK;
  }

  /** Whether the calling thread holds it. */
  get ownedHere(): boolean {
    return this.owner === currentAgent();
  }

  /** Whether who holds it has ended. */
  get abandoned(): boolean {
    const owner = this.owner;
    return owner !== 0 && hasEnded(owner);
  }

  /** Whether an owner has died and nobody has said since that the damage is repaired. */
  get ownerDied(): boolean {
    return Atomics.load(this.#words, DIED) !== 0;
  }

  /** The damage is repaired. */
  recover(): void {
    Atomics.store(this.#words, DIED, 0);
  }

  readonly #attempt: Attempt = (urgency) =>
    take(this.#words, currentAgent(), urgency === Urgency.Patient, urgency === Urgency.Fresh ? 0 : WAITERS) ||
    this.#takeFromDead();

  #takeFromDead(): boolean {
    if (this.#dead === 0) return false;
    const dead = this.#dead;
    this.#dead = 0;
    return takeOver(this.#words, dead, currentAgent());
  }

  /** A try that found the word not to be 0. */
  #tryHarder(): boolean {
    const word = Atomics.load(this.#words, 0);
    if ((word & AGENT_MASK) === 0)
      return this.#reserve.allows((word & FAIR) !== 0) && take(this.#words, currentAgent(), true, 0);
    this.#reserve.allows(false);
    return this.#throttle.mayCheckNow() && this.checkPeers() && this.#takeFromDead();
  }

  // ---- as its waiters see it

  announce(patient: boolean): number {
    return announce(this.#words, patient);
  }

  checkPeers(): boolean {
    const owner = this.owner;
    this.#dead = owner !== 0 && hasEnded(owner) ? owner : 0;
    return this.#dead !== 0 || owner === 0;
  }

  endsOnlyHere(): boolean {
    return this.ownedHere;
  }

  withdraw(): void {
    if (withdraw(this.#words)) this.#cell.notify(1);
  }
}
