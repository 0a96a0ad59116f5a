/**
 * When descriptors become readable or writable, for this thread's event loop. One epoll instance
 * serves all of them.
 *
 * Lazy: a descriptor stays in the kernel's set when nobody wants it any more, and leaves it at the
 * next event that nobody wants. So who reads, waits and reads again pays no system call for the
 * waiting.
 */
import { registerAfterFork } from '../util/after-fork.js';
import { addon } from './addon.js';
import { Ready } from './channel.js';
import { systemError } from './system-error.js';

const ADD = 1;
const REMOVE = 2;
const CHANGE = 3;
/** Events told at once; the same number as in native/watcher-linux.cc. */
const MAX_EVENTS = 64;
const ALWAYS_REPORTED = Ready.error | Ready.hangup;

const told = new Int32Array(2 * MAX_EVENTS);
const byToken = new Map<number, Readiness>();
let watcher: object | undefined;
let lastToken = 0;
let wanting = 0;

function open(): object {
  const opened = addon().watcherOpen((count) => {
    // Copied first: a callback may not, but what it starts might, lead to another round.
    const round = told.slice(0, 2 * count);
    for (let i = 0; i < count; i++) byToken.get(round[2 * i]!)?.happened(round[2 * i + 1]!);
  }, told);
  if (typeof opened === 'number') throw systemError('Watching descriptors', 'epoll_create1', opened);
  watcher = opened;
  if (wanting > 0) addon().pollHold(opened, true);
  return opened;
}

// A forked child would share the epoll instance with its template and its siblings, and hear of
// what they watch.
registerAfterFork(byToken, () => {
  if (watcher === undefined) return;
  addon().pollClose(watcher);
  watcher = undefined;
  for (const one of byToken.values()) one.again();
});

/**
 * In a copy of a program: what its parent waits for is not heard of. Who wants something from here
 * on is. Call it before what is called after forks.
 */
export function forgetReadiness(): void {
  for (const one of byToken.values()) one.want(0);
}

/**
 * Watches one descriptor. It must be closed before the descriptor is. Holds the event loop while
 * something is wanted, unless `unref()` says not to.
 */
export class Readiness {
  readonly #fd: number;
  readonly #onReady: (events: number) => void;
  readonly #token: number;
  #wanted = 0;
  /** What the kernel was asked for; 0: not in its set. */
  #armed = 0;
  #held = false;
  #referenced = true;

  /** @param onReady called with events of {@link Ready}, among them always `error` and `hangup`. */
  constructor(fd: number, onReady: (events: number) => void) {
    this.#fd = fd;
    this.#onReady = onReady;
    lastToken = (lastToken + 1) & 0x7fffffff;
    this.#token = lastToken;
    byToken.set(this.#token, this);
  }

  /**
   * From here on these events are told, again and again while they last; 0: none.
   * @throws MultiprocessError `MP_SYSTEM`.
   */
  want(events: number): void {
    if (events === this.#wanted) return;
    if (events !== 0 && (this.#armed & events) !== events) {
      this.#control(this.#armed === 0 ? ADD : CHANGE, events);
      this.#armed = events;
    }
    this.#wanted = events;
    this.#hold();
  }

  /** Keeps the event loop alive while something is wanted. The state at the start. */
  ref(): void {
    this.#referenced = true;
    this.#hold();
  }

  /** Lets the event loop end although something is wanted. */
  unref(): void {
    this.#referenced = false;
    this.#hold();
  }

  /** Ends the watch. Idempotent. */
  close(): void {
    this.#wanted = 0;
    this.#hold();
    byToken.delete(this.#token);
    this.#disarm();
  }

  /** @internal */
  happened(events: number): void {
    const wanted = this.#wanted;
    if ((events & (wanted | ALWAYS_REPORTED)) !== 0 && wanted !== 0) {
      this.#onReady(events);
      return;
    }
    if (wanted === 0) this.#disarm();
    else {
      this.#control(CHANGE, wanted);
      this.#armed = wanted;
    }
  }

  /** @internal The kernel's set is empty again. */
  again(): void {
    this.#armed = 0;
    if (this.#wanted === 0) return;
    this.#control(ADD, this.#wanted);
    this.#armed = this.#wanted;
  }

  #disarm(): void {
    if (this.#armed === 0) return;
    this.#armed = 0;
    addon().watcherControl(watcher!, REMOVE, this.#fd, 0, this.#token);
  }

  #control(operation: number, events: number): void {
    const failure = addon().watcherControl(watcher ?? open(), operation, this.#fd, events, this.#token);
    if (failure < 0) throw systemError(`Waiting for descriptor ${this.#fd}`, 'epoll_ctl', failure);
  }

  #hold(): void {
    const on = this.#wanted !== 0 && this.#referenced;
    if (on === this.#held) return;
    this.#held = on;
    wanting += on ? 1 : -1;
    if (watcher !== undefined && wanting === (on ? 1 : 0)) addon().pollHold(watcher, on);
  }
}
