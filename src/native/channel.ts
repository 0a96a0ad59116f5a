import { ArgumentError } from '../errors/index.js';
import { performance } from '../util/timers.js';
import { addon } from './addon.js';
import { Refusal } from './calls.js';
import { systemError } from './system-error.js';

/** Events of a descriptor, by the numbers of poll(2) and epoll(7). */
export const Ready = { readable: 1, writable: 4, error: 8, hangup: 16, invalid: 32 } as const;

/**
 * Longest stay in the kernel at a time, ms: between two stays V8 can end a worker thread that is
 * being terminated.
 */
const MAX_BLOCKED_MS = 100;

/**
 * Reads what is there into `bytes[start, end)`; never waits, whatever the descriptor's flags say,
 * and does not change them.
 *
 * @param peek leaves what was read where it was; sockets only (`Errno.ENOTSOCK`).
 * @param known bytes to take and forget first, which were seen by a peek.
 * @returns bytes read, 0 at the end of the stream, or a negated errno: `Errno.EAGAIN` when nothing
 * is there.
 */
export function readChannel(
  fd: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  peek: boolean,
  known = 0,
): number {
  return addon().channelRead(fd, bytes, start, end, peek, known);
}

/**
 * Writes as much of `bytes[start, end)` as the kernel takes now.
 * @returns bytes taken, or a negated errno.
 */
export function writeChannel(fd: number, bytes: Uint8Array, start: number, end: number): number {
  return addon().channelWrite(fd, bytes, start, end);
}

/**
 * As {@link writeChannel} to a unix socket, and a copy of `descriptor` travels with the first byte.
 */
export function writeChannelWith(
  fd: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  descriptor: number,
): number {
  return addon().channelWriteWith(fd, bytes, start, end, descriptor);
}

/** A descriptor, what is asked of it, and what was found. */
export interface Polled {
  readonly fd: number;
  /** Of {@link Ready}. */
  readonly events: number;
  /** Of {@link Ready}, written by {@link pollDescriptors}. */
  happened: number;
}

/**
 * Blocks until one of the descriptors is ready (poll(2)); signals do not end it.
 *
 * @param timeout milliseconds; 0: only looks; `Infinity` for ever. Never ends before it.
 * @returns how many are ready; `happened` of each says how.
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM`.
 */
export function pollDescriptors(list: readonly Polled[], timeout: number): number {
  const entries = new Int32Array(list.length * 3);
  list.forEach(({ fd, events }, i) => {
    entries[3 * i] = fd;
    entries[3 * i + 1] = events;
  });
  const ready = block(entries, timeout);
  for (let i = 0; i < list.length; i++) list[i]!.happened = entries[3 * i + 2]!;
  return ready;
}

const single = new Int32Array(3);

/** As {@link pollDescriptors} for one descriptor: what happened to it, 0 when the time ran out. */
export function pollDescriptor(fd: number, events: number, timeout: number): number {
  single[0] = fd;
  single[1] = events;
  return block(single, timeout) === 0 ? 0 : single[2]!;
}

function block(entries: Int32Array, timeout: number): number {
  const { pollDescriptors } = addon();
  const end = timeout > 0 ? performance.now() + timeout : 0;
  for (let left = timeout; ; left = end - performance.now()) {
    const ready = pollDescriptors(entries, Math.ceil(Math.min(Math.max(left, 0), MAX_BLOCKED_MS)));
    if (ready > 0 || (ready === 0 && (timeout <= 0 || end <= performance.now()))) return ready;
    if (ready === Refusal.badArgument)
      throw new ArgumentError('pollDescriptors: descriptors and the timeout must be numbers.');
    if (ready < 0) throw systemError('Waiting for descriptors', 'poll', ready);
  }
}
