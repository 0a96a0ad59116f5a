import { ArgumentError } from '../errors/index.js';
import { describe } from '../util/options.js';
import { addon } from './addon.js';
import { Refusal } from './calls.js';
import { systemError } from './system-error.js';

/**
 * Makes an eventfd, close-on-exec and non-blocking, for {@link ringDoorbell} and {@link Doorbell}.
 * @throws MultiprocessError `MP_SYSTEM`.
 */
export function createEventfd(): number {
  const fd = addon().createEventfd();
  if (fd < 0) throw systemError('createEventfd', 'eventfd', fd);
  return fd;
}

/**
 * Rings an eventfd from any thread or process that has it. Never blocks.
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM`.
 */
export function ringDoorbell(fd: number): void {
  const failure = addon().ringDoorbell(fd);
  if (failure !== undefined) throw bellError('ringDoorbell', fd, 'write', failure);
}

/**
 * Calls back on this thread's event loop when an eventfd was rung.
 *
 * Semantics: rings that come while the loop is busy are one callback; a ring after the callback has
 * begun is another one, so what was written to shared memory before the ring is seen by a callback
 * that starts after it. Microtasks run after each callback, and what it throws becomes an
 * `uncaughtException`. Two Doorbells on one eventfd share its rings: only one hears each.
 *
 * It keeps the loop alive until `unref()` or `close()`, and it is closed when its thread ends.
 */
export class Doorbell {
  #bell: object | null;

  /**
   * @param fd an eventfd. The Doorbell watches a duplicate: the caller closes `fd` when he likes.
   * @throws ArgumentError; MultiprocessError `MP_SYSTEM`.
   */
  constructor(fd: number, onRing: () => void) {
    if (typeof onRing !== 'function')
      throw new ArgumentError(`Doorbell: \`onRing\` must be a function, not ${describe(onRing)}.`);
    const bell = addon().doorbellOpen(fd, onRing);
    if (typeof bell === 'number') throw bellError('Doorbell', fd, 'epoll_ctl', bell);
    this.#bell = bell;
  }

  /** Keeps the event loop alive while open. The state at the start. */
  ref(): void {
    if (this.#bell !== null) addon().pollHold(this.#bell, true);
  }

  /** Lets the event loop end although the Doorbell is open. */
  unref(): void {
    if (this.#bell !== null) addon().pollHold(this.#bell, false);
  }

  /**
   * No callback starts after this. Leaves `fd` open. May be called again, and from the callback.
   */
  close(): void {
    if (this.#bell !== null) addon().pollClose(this.#bell);
    this.#bell = null;
  }
}

function bellError(actor: string, fd: number, syscall: string, refusal: number): Error {
  if (refusal === Refusal.badArgument)
    return new ArgumentError(`${actor}: \`fd\` must be a descriptor, not ${describe(fd)}.`);
  return systemError(`${actor} on descriptor ${fd}`, syscall, refusal);
}
