import { readFileSync, statSync } from 'node:fs';
import { MultiprocessError } from '../errors/multiprocess-error.js';
import { ArgumentError } from '../errors/usage.js';
import { checkNumber, checkOptions, describe } from '../util/options.js';
import { addon, nativeAvailable, withoutAddon } from './addon.js';
import { Refusal } from './calls.js';
import { Errno } from './errno.js';
import { systemError } from './system-error.js';
import { FIRST_NUMBER } from './threads/agent-table.js';

/** Most descriptors one message carries (SCM_MAX_FD). */
const MAX_DESCRIPTORS = 253;
/** Most payload bytes one {@link receiveDescriptors} answers. */
const MAX_PAYLOAD_BYTES = 65_536;

/**
 * Where a receive puts what it gets, which is copied from there: 64 KiB made anew for each would
 * soon make V8 collect garbage, in the forkserver's template and, once that is near its limit, in
 * each of its children (30 ms).
 */
const receivedPayload = new Uint8Array(MAX_PAYLOAD_BYTES);
const receivedFds = new Int32Array(MAX_DESCRIPTORS);
const got = new Int32Array(2);

/** What one receive brought. */
export interface ReceivedDescriptors {
  /** Close-on-exec descriptors, now ours to close. */
  readonly fds: number[];
  /** The bytes that came with them; empty when the other end was closed. */
  readonly payload: Uint8Array;
}

/**
 * Returns a second descriptor of the same open file. `closeOnExec` defaults to `true`.
 * @param actor whom errors name.
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM`.
 */
export function duplicateDescriptor(
  fd: number,
  options?: { readonly closeOnExec?: boolean },
  actor = 'duplicateDescriptor',
): number {
  checkOptions(actor, options, ['closeOnExec']);
  return checked(actor, fd, 'fcntl', addon().duplicateDescriptor(fd, options?.closeOnExec ?? true));
}

/**
 * @throws UnsupportedError for a descriptor of the system where the addon is missing, which alone can
 * use it.
 */
export function checkUsable(actor: string, fd: number): void {
  if (nativeAvailable() || fd >= FIRST_NUMBER) return;
  throw withoutAddon(
    `${actor}: descriptor ${fd} cannot be used here`,
    'Use pipe() between threads, and the streams of Node for files and sockets',
  );
}

/** Closes a descriptor. @throws MultiprocessError `MP_SYSTEM` (EBADF when it is not open). */
export function closeDescriptor(fd: number): void {
  checked('closeDescriptor', fd, 'close', addon().closeDescriptor(fd));
}

/**
 * Makes the descriptor `from` the descriptor `to`, close-on-exec, and closes `from`.
 * @throws MultiprocessError `MP_SYSTEM` (EEXIST when `to` is open).
 */
export function moveDescriptor(from: number, to: number): void {
  checked('moveDescriptor', from, 'dup3', addon().moveDescriptor(from, to));
}

/**
 * Whether a program started with exec loses the descriptor.
 * @throws MultiprocessError `MP_SYSTEM`.
 */
export function setCloseOnExec(fd: number, on: boolean): void {
  checked('setCloseOnExec', fd, 'fcntl', addon().setCloseOnExec(fd, on === true));
}

/**
 * Two connected stream sockets (AF_UNIX), close-on-exec and blocking.
 * @throws MultiprocessError `MP_SYSTEM`.
 */
export function socketPair(): [number, number] {
  const ends = new Int32Array(2);
  const result = addon().socketPair(ends);
  if (result < 0) throw systemError('socketPair', 'socketpair', result);
  return [ends[0]!, ends[1]!];
}

/**
 * Returns a pipe, close-on-exec and blocking: the end to read from, the end to write to.
 * @throws MultiprocessError `MP_SYSTEM`.
 */
export function createPipe(): [reads: number, writes: number] {
  const ends = new Int32Array(2);
  const result = addon().createPipe(ends);
  if (result < 0) throw systemError('createPipe', 'pipe2', result);
  return [ends[0]!, ends[1]!];
}

/**
 * Sends copies of descriptors over a unix socket; ours stay open. Returns when the kernel has all
 * of the payload, and so may block while the other end does not read: keep payloads small.
 *
 * @param fds at most 253.
 * @param payload at least one byte, which the descriptors travel with.
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM` (EPIPE when the other end is closed).
 */
export function sendDescriptors(socket: number, fds: readonly number[], payload: Uint8Array): void {
  if (!Array.isArray(fds) || fds.length > MAX_DESCRIPTORS || !fds.every((fd) => Number.isInteger(fd) && fd >= 0)) {
    throw new ArgumentError(
      `sendDescriptors: \`fds\` must be an array of at most ${MAX_DESCRIPTORS} descriptors; send more in several messages.`,
    );
  }
  if (!(payload instanceof Uint8Array) || payload.length === 0) {
    throw new ArgumentError(
      'sendDescriptors: `payload` must be a Uint8Array of at least one byte; a stream socket carries no empty message.',
    );
  }
  checked('sendDescriptors', socket, 'sendmsg', addon().sendDescriptors(socket, Int32Array.from(fds), payload));
}

/**
 * Takes what has arrived on a unix socket; never blocks. It is a stream: bytes sent without
 * descriptors may come together with the next message, but two messages that carry descriptors
 * never come in one.
 *
 * @param maximum most descriptors to accept, up to 253.
 * @param most payload bytes to take; default 64 KiB.
 * @returns `null` when nothing has arrived; an empty payload when the other end was closed. At most
 * 64 KiB of payload.
 * @throws ArgumentError when more than `maximum` arrived (those are closed); MultiprocessError
 * `MP_SYSTEM`.
 */
export function receiveDescriptors(
  socket: number,
  maximum: number,
  most = MAX_PAYLOAD_BYTES,
): ReceivedDescriptors | null {
  checkNumber('receiveDescriptors', 'maximum', maximum, { integer: true });
  checkNumber('receiveDescriptors', 'most', most, { integer: true, min: 1 });
  const fds = receivedFds.subarray(0, Math.min(maximum, MAX_DESCRIPTORS));
  const payload = receivedPayload.subarray(0, Math.min(most, MAX_PAYLOAD_BYTES));
  const result = addon().receiveDescriptors(socket, fds, payload, got);
  if (result === Refusal.truncated) {
    throw new ArgumentError(
      `receiveDescriptors: more descriptors arrived than the ${maximum} asked for, or than this process may open; all of them were closed.`,
    );
  }
  if (result === Errno.EAGAIN) return null;
  checked('receiveDescriptors', socket, 'recvmsg', result);
  return { fds: [...fds.subarray(0, got[0])], payload: payload.slice(0, got[1]) };
}

/**
 * Returns a descriptor of our own for what another process has open: the same open file where the
 * kernel lets us (pidfd_getfd: a child, or the same user without ptrace restrictions), otherwise
 * memory and files opened anew through /proc.
 *
 * @throws MultiprocessError `MP_SYSTEM`: ESRCH or ENOENT when the process or descriptor is gone,
 * ENXIO for sockets and eventfds that cannot be had without the right to trace (send them with
 * {@link sendDescriptors}).
 */
export function openDescriptorOf(pid: number, fd: number): number {
  const result = addon().openDescriptorOf(pid, fd);
  if (result === Refusal.badArgument) {
    throw new ArgumentError(
      `openDescriptorOf: \`pid\` and \`fd\` must be numbers, not ${describe(pid)} and ${describe(fd)}.`,
    );
  }
  if (result >= 0) return result;
  if ((result === Errno.EPERM || result === Errno.EACCES) && hasChangedUser(pid)) {
    throw Object.assign(
      new MultiprocessError(
        `A shared object of process ${pid} cannot be opened: that process has changed its user while it ran (process.setuid), and Linux lets no other process of ` +
          'the new user at its descriptors. Start it as that user instead (setpriv, `su -c`, `User=` of systemd), or make and send shared objects before the change.',
        { code: 'MP_SYSTEM' },
      ),
      { errno: result, syscall: 'pidfd_getfd' },
    );
  }
  throw systemError(`openDescriptorOf descriptor ${fd} of process ${pid}`, 'pidfd_getfd', result);
}

/**
 * Returns whether what /proc shows of a process belongs to root though the process does not: it has
 * changed its user, and is protected since (prctl PR_SET_DUMPABLE).
 */
function hasChangedUser(pid: number): boolean {
  try {
    const user = /^Uid:\t\d+\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return user !== undefined && statSync(`/proc/${pid}/fd`).uid !== Number(user);
  } catch {
    return false;
  }
}

function checked(actor: string, fd: number, syscall: string, result: number): number {
  if (result >= 0) return result;
  if (result === Refusal.badArgument)
    throw new ArgumentError(`${actor}: the descriptor must be a number, not ${describe(fd)}.`);
  throw systemError(`${actor} on descriptor ${fd}`, syscall, result);
}
