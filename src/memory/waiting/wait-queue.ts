/**
 * All waiting of one thread for one word: the queue of its waiters, of whom one at most sleeps on
 * the word.
 *
 *   phase     | pending    | meaning                             | goes on to
 *   Idle      |            | no waiter                           | Postponed, Polling, Sleeping:
 *             |            |                                     | spinning did not serve a wait
 *   Postponed | #immediate | the first waiter spins at the next  | Polling, Sleeping: that did not
 *             |            | turn of the loop                    | serve it
 *   Polling   | #immediate | looks on each turn of the loop      | Sleeping: no turn is left
 *   Sleeping  | #sleep     | one sleep for all waiters           | Yielding: too many changes
 *   Yielding  | #immediate | nobody sleeps until the loop turns  | Sleeping: it has turned
 *   Gone      |            | the word is not there any more      |
 *
 * From each phase but Gone it goes to Idle when the last waiter was served or has left. A call of
 * `wait` is served before it is a waiter, if spinning is enough: that is no phase, since the caller
 * waits for it.
 *
 * Waiters are served in order, first in, first served. A sleep ends by a wake-up of another thread;
 * a release of this thread kicks the queue instead, and the liveness check finds what neither told.
 *
 * Spinning: the caller itself looks for some 10 microseconds, or offers its core (backoff.ts), as
 * long as that pays. A wait that is answered then needs no entry, no turn of the loop and no
 * wake-up. sync-wait-budget.ts says how many there may be before the loop turns; the next wait is
 * Postponed. Polling: poll-policy.ts.
 *
 * Contract of the word's protocol ({@link WaitProtocol}): who makes an attempt worth while changes
 * the word first and notifies then.
 *
 * Liveness: every {@link LIVENESS_CHECK_MS} ms, while anybody of this thread waits without
 * blocking, one timer for all words compares each word with the value slept on and lets the
 * protocol look for dead peers. The check is rarer where nobody owns what is waited for and nothing
 * has happened for a second. So a wake-up that died with its waker is late, never lost.
 *
 * Cancellation: a waiter that leaves gives a wake-up that it may have taken to the next one, here
 * or in another process. When the memory of the word is given up, all that wait here leave with a
 * ClosedError.
 */
import { ClosedError } from '../../errors/index.js';
import { lineage } from '../../util/after-fork.js';
import { limitWait } from '../../util/limit-wait.js';
import { clearImmediate, performance, queueMicrotask, setImmediate } from '../../util/timers.js';
import { Backoff } from './backoff.js';
import { unwatchLiveness, watchLiveness } from './liveness.js';
import { POLL_LOOKS_PER_TURN, PollPolicy } from './poll-policy.js';
import { takeSyncWait } from './sync-wait-budget.js';
import type { Sleep, WaitCell, WaitOutcome } from './wait-cell.js';
import {
  type Attempt,
  PATIENT_AFTER_MS,
  QUIET_CHECKS_UNTIL_IDLE,
  sleepUntil,
  Urgency,
  type WaitProtocol,
} from './wait-protocol.js';

/** What bounds a wait. */
export interface Bounds {
  /** Milliseconds; default: no limit. */
  readonly timeout?: number | undefined;
  /** Ends the wait, which then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

interface Entry {
  readonly attempt: Attempt;
  /** Who waits, for messages. */
  readonly actor: string;
  readonly since: number;
  readonly resolve: (had: boolean) => void;
  readonly reject: (reason: unknown) => void;
  /** Takes back what bounds it; `undefined`: nothing does. */
  unlimit: (() => void) | undefined;
}

/** Looks of a brief wait at first, and at most: about 5 and 10 microseconds. */
const BRIEF_START_LOOKS = 1_000;
const BRIEF_MAX_LOOKS = 2_000;
/** Times that an attempt may follow an attempt within one turn of the loop. */
const MAX_CHANGES_PER_TURN = 4;

const AT_ONCE = Promise.resolve(true);
const UNBOUNDED: Bounds = {};

enum Phase {
  Idle = 0,
  Postponed = 1,
  Polling = 2,
  Sleeping = 3,
  Yielding = 4,
  Gone = 5,
}

export class WaitQueue {
  readonly #cell: WaitCell;
  readonly #protocol: WaitProtocol;
  readonly #entries = new Set<Entry>();
  readonly #spin = new Backoff();
  readonly #brief = new Backoff(BRIEF_START_LOOKS, BRIEF_MAX_LOOKS);
  readonly #poll = new PollPolicy();
  #phase = Phase.Idle;
  /** The next turn of the loop goes on; in Postponed, Polling and Yielding alone. */
  #immediate: NodeJS.Immediate | null = null;
  /** In Sleeping alone. */
  #sleep: Sleep | null = null;
  /** The value that is slept on. */
  #expected = 0;
  /** Sleeps in a row that ended at once, for the word had changed. */
  #changes = 0;
  /** {@link kick} was called, and its microtask is to come. */
  #kicked = false;
  /** Liveness checks since anybody began to wait or there was something to do. */
  #quiet = 0;

  readonly #broadcast: boolean;
  /** A fork has this queue too, but those who wait in it wait in the parent. */
  #generation = lineage.generation;

  /**
   * @param broadcast A change may be for any of the waiters: all make an attempt, not only those
   * from the first on that succeed.
   */
  constructor(cell: WaitCell, protocol: WaitProtocol, broadcast = false) {
    this.#cell = cell;
    this.#protocol = protocol;
    this.#broadcast = broadcast;
    cell.whenGone?.(() => this.#abandon());
  }

  /** How many wait here without blocking. */
  get length(): number {
    if (this.#generation !== lineage.generation) this.#forget();
    return this.#entries.size;
  }

  /**
   * Waits until `attempt` succeeds: `false` when the time ran out first. Rejects with
   * `signal.reason`, or with what `attempt` throws.
   * @param actor Who waits: a ClosedError names it when the word goes meanwhile.
   */
  wait(
    attempt: Attempt,
    actor: string,
    { timeout = Number.POSITIVE_INFINITY, signal }: Bounds = UNBOUNDED,
  ): Promise<boolean> {
    let postponed = false;
    try {
      signal?.throwIfAborted();
      if (timeout <= 0) return Promise.resolve(attempt(Urgency.Fresh));
      if (this.length === 0 && this.#protocol.endsOnlyHere?.() !== true) {
        postponed = !takeSyncWait();
        if (!postponed && this.#look(attempt)) return AT_ONCE;
      }
    } catch (error) {
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      const entry: Entry = {
        attempt,
        actor,
        since: performance.now(),
        resolve,
        reject,
        unlimit: undefined,
      };
      if (timeout !== Number.POSITIVE_INFINITY || signal !== undefined) {
        entry.unlimit = limitWait(
          { timeout, signal },
          () => this.#leave(entry, () => resolve(false)),
          (reason) => this.#leave(entry, () => reject(reason)),
        );
      }
      this.#entries.add(entry);
      if (this.#entries.size > 1) return;
      watchLiveness(this);
      this.#quiet = 0;
      this.#poll.begin(this.#protocol.endsOnlyHere?.() === true);
      if (postponed) this.#awaitTurn(Phase.Postponed);
      else if (this.#poll.polls) this.#awaitTurn(Phase.Polling);
      else this.#drain(Urgency.Fresh);
    });
  }

  /**
   * The brief part of {@link wait} alone. Returns whether an attempt succeeded. Nobody waits longer
   * here meanwhile.
   */
  briefly(attempt: Attempt): boolean {
    return this.#entries.size === 0 && takeSyncWait() && this.#look(attempt);
  }

  /** As {@link wait}, blocking the thread: spins, then sleeps. */
  waitSync(attempt: Attempt, timeout = Number.POSITIVE_INFINITY): boolean {
    if (timeout <= 0) return attempt(Urgency.Fresh);
    if (this.#spin.attemptUntil(attempt)) return true;
    return sleepUntil(this.#cell, this.#protocol, attempt, timeout);
  }

  /**
   * Called after this thread changed the word: its own waiters try soon, without the way through
   * the kernel. Returns whether anybody does; if so and nobody succeeds, another process is
   * notified then.
   */
  kick(): boolean {
    if (this.length === 0) return false;
    if (!this.#kicked) {
      this.#kicked = true;
      queueMicrotask(this.#onKick);
    }
    return true;
  }

  /** The word is about to go: what {@link kick} has promised is done now. */
  kickNow(): void {
    if (this.#kicked) this.#onKick();
  }

  /** @internal The liveness check of this queue. */
  checkLiveness(): boolean {
    const late = this.#sleep !== null && this.#cell.load() !== this.#expected;
    if (this.#protocol.checkPeers?.() === true || late) {
      this.#quiet = 0;
      this.#drain(Urgency.Slept);
    }
    return (
      ++this.#quiet > QUIET_CHECKS_UNTIL_IDLE &&
      (this.#protocol.checkPeers === undefined || this.#protocol.ownerless === true)
    );
  }

  readonly #onKick = () => {
    if (!this.#kicked) return;
    this.#kicked = false;
    if (this.#entries.size === 0) {
      this.#cell.notify(1);
      return;
    }
    this.#serveAll(Urgency.Slept);
    // The kick stood for a wake-up, which was taken in vain: who sleeps elsewhere must be known
    // again. Who polls does not say so by itself, for its next attempts count as fresh.
    if (this.#entries.size > 0 && this.#immediate !== null) this.#protocol.announce(false);
    this.#goOn();
  };

  readonly #onTurn = () => {
    this.#immediate = null;
    const [first] = this.#entries;
    if (first === undefined) return;
    if (this.#phase === Phase.Postponed) {
      takeSyncWait();
      this.#brief.attemptUntil(() => this.#serve(first, Urgency.Fresh));
    }
    this.#drain(Urgency.Slept);
  };

  /** A brief wait. */
  #look(attempt: Attempt): boolean {
    if (!this.#brief.attemptUntil(attempt)) return false;
    this.#poll.recordEarlyHit();
    return true;
  }

  /** Serves the waiters, then goes on for those that are left. */
  #drain(urgency: Urgency): void {
    this.#serveAll(urgency);
    this.#goOn();
  }

  /** Goes to the phase that serves those who are left. */
  #goOn(): void {
    if (this.#entries.size > 0) {
      // The turn that was asked for comes at once.
      if (this.#immediate !== null && this.#phase !== Phase.Polling) return;
      if (this.#poll.polls) this.#pollOnce();
      if (this.#poll.polls) {
        this.#awaitTurn(Phase.Polling);
        return;
      }
    }
    if (this.#entries.size > 0) {
      const [first] = this.#entries;
      const patient = performance.now() - first!.since >= PATIENT_AFTER_MS;
      this.#expected = this.#protocol.announce(patient);
      this.#serveAll(patient ? Urgency.Patient : Urgency.Slept);
    }
    if (this.#entries.size === 0) this.#rest();
    else this.#fallAsleep();
  }

  /** Serves the waiters in order, as far as attempts succeed. */
  #serveAll(urgency: Urgency): void {
    for (const entry of this.#entries) {
      const patient = urgency !== Urgency.Fresh && performance.now() - entry.since >= PATIENT_AFTER_MS;
      if (!this.#serve(entry, patient ? Urgency.Patient : urgency) && !this.#broadcast) return;
    }
  }

  /** Makes an attempt for a waiter. Returns whether it waits no longer. */
  #serve(entry: Entry, urgency: Urgency): boolean {
    try {
      if (!entry.attempt(urgency)) return false;
      entry.resolve(true);
    } catch (error) {
      entry.reject(error);
    }
    this.#remove(entry);
    return true;
  }

  /** Looks for a moment, and learns from it. */
  #pollOnce(): void {
    const [first] = this.#entries;
    this.#poll.beginTurn();
    for (let i = 0; i < POLL_LOOKS_PER_TURN; i++) {
      if (!this.#serve(first!, Urgency.Fresh)) continue;
      this.#poll.recordHit();
      this.#serveAll(Urgency.Fresh);
      return;
    }
    this.#poll.recordMiss();
  }

  #awaitTurn(phase: Phase.Postponed | Phase.Polling | Phase.Yielding): void {
    this.#phase = phase;
    this.#immediate ??= setImmediate(this.#onTurn);
  }

  #fallAsleep(): void {
    // A sleep that is under way stays: it began with another value, but it is woken all the same.
    if (this.#phase === Phase.Sleeping) return;
    this.#dropTurn();
    this.#phase = Phase.Sleeping;
    const sleep = this.#cell.sleep(this.#expected);
    this.#sleep = sleep;
    void sleep.promise.then((outcome) => this.#onAwake(sleep, outcome));
  }

  #onAwake(sleep: Sleep, outcome: WaitOutcome | 'cancelled'): void {
    if (this.#sleep !== sleep) {
      // Given up after it had been woken: the wake-up is somebody else's.
      if (outcome === 'woken' && this.#phase !== Phase.Gone) this.#cell.notify(1);
      return;
    }
    this.#sleep = null;
    if (outcome !== 'changed') this.#changes = 0;
    else if (++this.#changes > MAX_CHANGES_PER_TURN) {
      // The word changes faster than we can say that we sleep: let the event loop have its turn.
      this.#changes = 0;
      this.#awaitTurn(Phase.Yielding);
      return;
    }
    this.#phase = Phase.Idle;
    this.#drain(Urgency.Slept);
  }

  /** Nobody waits any more. */
  #rest(): void {
    unwatchLiveness(this);
    this.#phase = Phase.Idle;
    this.#changes = 0;
    this.#poll.stop();
    this.#sleep?.cancel();
    this.#sleep = null;
    this.#dropTurn();
  }

  #dropTurn(): void {
    if (this.#immediate === null) return;
    clearImmediate(this.#immediate);
    this.#immediate = null;
  }

  #leave(entry: Entry, settle: () => void): void {
    if (!this.#entries.has(entry)) return;
    this.#remove(entry);
    if (this.#entries.size === 0) {
      this.#rest();
      this.#protocol.withdraw?.();
    }
    settle();
  }

  #abandon(): void {
    const left = [...this.#entries];
    for (const entry of left) this.#remove(entry);
    if (this.#kicked) this.#onKick();
    this.#rest();
    if (left.length > 0 && this.#protocol.abandon !== undefined) this.#protocol.abandon(left.length);
    else if (left.length > 0) this.#protocol.withdraw?.();
    this.#phase = Phase.Gone;
    for (const { actor, reject } of left) {
      reject(
        new ClosedError(
          `${actor}: the shared object was closed in this thread while this waited; close it when nobody here waits for it.`,
        ),
      );
    }
  }

  #forget(): void {
    this.#generation = lineage.generation;
    this.#entries.clear();
    this.#sleep = null;
    this.#immediate = null;
    this.#kicked = false;
    this.#phase = Phase.Idle;
    this.#changes = 0;
    this.#poll.stop();
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry);
    entry.unlimit?.();
  }
}
