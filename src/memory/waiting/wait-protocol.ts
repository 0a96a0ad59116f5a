/**
 * What the protocol of a word must offer so that its waiters can wait (wait-queue.ts), and how one
 * blocks on it.
 */

import { performance } from '../../util/timers.js';
import type { WaitCell } from './wait-cell.js';

/** Milliseconds between two checks whether a peer has died. */
export const LIVENESS_CHECK_MS = 50;
/**
 * The same where nobody owns what is waited for and nothing has happened for {@link
 * QUIET_CHECKS_UNTIL_IDLE} looks.
 */
export const IDLE_LIVENESS_CHECK_MS = 250;
/** Looks without anything, a second of them, after which they become rare. */
export const QUIET_CHECKS_UNTIL_IDLE = 20;
/** Changes of one burst after which sleepers are woken before the burst has ended. */
export const WAKE_BURST = 32;
/** Milliseconds after which a waiter is {@link Urgency.Patient}. */
export const PATIENT_AFTER_MS = 10;

/** How an attempt is made. */
export enum Urgency {
  /** For the first time. */
  Fresh = 0,
  /** After sleeping: others may sleep too, and this one has taken their wake-up. */
  Slept = 1,
  /** After waiting so long that it goes before those who have not. */
  Patient = 2,
}

/** Tries to acquire what the wait is for. Returns whether it was acquired. Never blocks. */
export type Attempt = (urgency: Urgency) => boolean;

/** The protocol of a word, as its waiters need it. */
export interface WaitProtocol {
  /**
   * Says in the word that somebody sleeps, and returns the value to sleep on. An attempt follows,
   * then the sleep.
   */
  announce(patient: boolean): number;
  /** Looks whether a peer has died. Returns whether an attempt is worth while. */
  checkPeers?(): boolean;
  /**
   * Whether nobody owns what is waited for, so that no death needs to be seen at once. Without
   * `check` nobody does.
   */
  readonly ownerless?: boolean;
  /** Whether only this thread can end the wait, so that looking at the word is vain. */
  endsOnlyHere?(): boolean;
  /**
   * A waiter leaves without success, and it may have taken a wake-up: if an attempt is worth while
   * now, wakes another one; if not, says that somebody may still sleep.
   */
  withdraw?(): void;
  /** The memory is about to go while so many of this thread wait. Default: as {@link withdraw}. */
  abandon?(waiters: number): void;
}

/** Sleeps on a word, blocking the thread, until `attempt` succeeds or the time is up. */
export function sleepUntil(cell: WaitCell, protocol: WaitProtocol, attempt: Attempt, timeout: number): boolean {
  const start = performance.now();
  for (;;) {
    const waited = performance.now() - start;
    const patient = waited >= PATIENT_AFTER_MS;
    if (attempt(patient ? Urgency.Patient : Urgency.Slept)) return true;
    if (waited >= timeout) {
      protocol.withdraw?.();
      return false;
    }
    const expected = protocol.announce(patient);
    if (attempt(patient ? Urgency.Patient : Urgency.Slept)) return true;
    const outcome = cell.waitSync(expected, Math.min(timeout - waited, patient ? LIVENESS_CHECK_MS : PATIENT_AFTER_MS));
    if (outcome === 'timed-out' && patient) protocol.checkPeers?.();
  }
}
