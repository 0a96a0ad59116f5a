/**
 * A child that was forked before anybody asked for one. Most of a start is the fork itself and the
 * first touch of each page of a new copy of the heap. A standby child has done all that does not
 * depend on the request, and sleeps until it is handed one.
 *
 *   template -> standby   a request as it came (protocol.ts)
 *   end of file           nobody will ask any more: the template has ended, and the standby child ends
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
import { ByteQueue } from '../byte-queue.js';
import { MAX_DESCRIPTORS, type ReceivedRequest, takeRequest } from '../protocol.js';

/** Bytes of a request that the socket takes without its reader. */
const MAX_HANDED_BYTES = 32_768;

export class StandbyChild {
  readonly pid: number;
  readonly sentinel: number;
  readonly #channel: number;

  private constructor(pid: number, sentinel: number, channel: number) {
    this.pid = pid;
    this.sentinel = sentinel;
    this.#channel = channel;
  }

  /**
   * Forks one.
   * @returns `null` when it cannot be had now; in the child itself the channel for {@link
   * receiveRequest}.
   */
  static fork(): StandbyChild | number | null {
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
        const standby = new StandbyChild(pid, openProcess(pid), ours);
        closeDescriptor(theirs);
        return standby;
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
  handRequest({ frame, descriptors }: ReceivedRequest): boolean {
    if (frame.length > MAX_HANDED_BYTES) return false;
    try {
      sendDescriptors(this.#channel, descriptors, frame);
    } catch {
      return false; // It has died; its sentinel says so next.
    }
    this.close();
    return true;
  }

  /** Lets it go. */
  close(): void {
    closeDescriptor(this.#channel);
  }
}

/**
 * In a standby child: blocks until it is handed a request. Ends the process when there will be
 * none.
 */
export function receiveRequest(channel: number): ReceivedRequest {
  const queue = new ByteQueue();
  const descriptors: number[] = [];
  for (;;) {
    pollDescriptor(channel, Ready.readable, Number.POSITIVE_INFINITY);
    const received = receiveDescriptors(channel, MAX_DESCRIPTORS);
    if (received === null) continue;
    if (received.payload.length === 0) leaveProcess(0);
    descriptors.push(...received.fds);
    queue.add(received.payload);
    const arrived = takeRequest(queue, descriptors);
    if (arrived === 'bad') leaveProcess(1);
    else if (arrived !== null) {
      closeDescriptor(channel);
      return arrived;
    }
  }
}
