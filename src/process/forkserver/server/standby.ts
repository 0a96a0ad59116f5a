/**
 * A child that was forked before anybody asked for one: most of a start is the fork itself and the
 * first touch of each page of a new copy of the heap. A spare has done all that does not depend on
 * the request, and sleeps until it is handed one.
 *
 *   template -> spare   a request as it came (protocol.ts)
 *   end of file         nobody will ask any more: the template has ended, and the spare does
 *
 * Every other child closes its copy of the template's end when it is born, so that this end of file
 * comes.
 */
import {
  closeDescriptor,
  leaveProcess,
  openProcess,
  pollDescriptor,
  pollDescriptors,
  Ready,
  reapProcess,
  receiveDescriptors,
  sendDescriptors,
  socketPair,
} from '../../../native/index.js';
import { forkHere } from '../../fork/fork-here.js';
import { type Arrived, Inbox, MOST_DESCRIPTORS, takeRequest } from '../protocol.js';

/** Bytes of a request that the socket takes without its reader. */
const MOST_BYTES = 32_768;

export class Spare {
  readonly pid: number;
  readonly pidfd: number;
  readonly #channel: number;

  private constructor(pid: number, pidfd: number, channel: number) {
    this.pid = pid;
    this.pidfd = pidfd;
    this.#channel = channel;
  }

  /**
   * Forks one.
   * @returns `null` when it cannot be had now; in the spare itself the channel for {@link
   * receiveRequest}.
   */
  static fork(): Spare | number | null {
    let ends: [ours: number, theirs: number];
    try {
      ends = socketPair();
    } catch {
      return null;
    }
    const [ours, theirs] = ends;
    let pid: ReturnType<typeof forkHere> = -1;
    try {
      pid = forkHere();
      if (pid === 0) {
        closeDescriptor(ours);
        return theirs;
      }
      if (typeof pid === 'number' && pid > 0) {
        const spare = new Spare(pid, openProcess(pid), ours);
        closeDescriptor(theirs);
        return spare;
      }
    } catch {
      // No process or no descriptor is left: whoever asks next is told.
    }
    closeDescriptor(ours);
    closeDescriptor(theirs);
    // It sees the end of file.
    if (typeof pid === 'number' && pid > 0) while (reapProcess(pid) === null) pollDescriptors([], 1);
    return null;
  }

  /**
   * Becomes the child of a request, of which it gets copies of the descriptors: `false` when it
   * cannot. Closes the channel.
   */
  take({ frame, descriptors }: Arrived): boolean {
    if (frame.length > MOST_BYTES) return false;
    try {
      sendDescriptors(this.#channel, descriptors, frame);
    } catch {
      return false; // It has died; its pidfd says so next.
    }
    this.close();
    return true;
  }

  /** Lets it go. */
  close(): void {
    closeDescriptor(this.#channel);
  }
}

/** In a spare: blocks until it is handed a request. Ends the process when there will be none. */
export function receiveRequest(channel: number): Arrived {
  const inbox = new Inbox();
  const descriptors: number[] = [];
  for (;;) {
    pollDescriptor(channel, Ready.readable, Number.POSITIVE_INFINITY);
    const received = receiveDescriptors(channel, MOST_DESCRIPTORS);
    if (received === null) continue;
    if (received.payload.length === 0) leaveProcess(0);
    descriptors.push(...received.fds);
    inbox.add(received.payload);
    const arrived = takeRequest(inbox, descriptors);
    if (arrived === 'bad') leaveProcess(1);
    else if (arrived !== null) {
      closeDescriptor(channel);
      return arrived;
    }
  }
}
