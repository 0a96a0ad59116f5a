/**
 * The template's loop: blocks until somebody connects, asks, or a child ends. No event loop runs
 * meanwhile, so the template's heap changes little, and what it shares with its children stays
 * shared.
 *
 * Once it was asked for a child it keeps a spare (standby.ts), which the next one who asks is
 * given: forked whenever nobody waits.
 */
import { constants } from 'node:os';
import {
  acceptSocket,
  closeDescriptor,
  openProcess,
  type Polled,
  peerUser,
  pollDescriptors,
  Ready,
  reapProcess,
  signalChild,
} from '../../../native/index.js';
import { forkHere } from '../../fork/fork-here.js';
import { RefusalCode } from '../../fork/refused.js';
import { type Arrived, Report } from '../protocol.js';
import { receiveRequest, Spare } from './standby.js';
import { Visitor } from './template-session.js';

interface Running {
  readonly pid: number;
  readonly pidfd: number;
  /** Who asked for it, while connected. */
  visitor: Visitor | null;
}

/** What makes a child what it is to be: what was asked for, or will be. Blocks in a spare. */
export type Born = () => Arrived;

/**
 * Serves for ever; returns in each child, where nothing of the template's own descriptors is left
 * open.
 * @param refusal what everybody is told who asks, when it is not 0.
 * @param lifeline what ends this process, and is not its children's.
 */
export function serve(listener: number, key: Uint8Array, refusal: number, lifeline: number): Born {
  const visitors = new Map<number, Visitor>();
  const children = new Map<number, Running>();
  // Kept and changed in place: garbage between two forks is memory that each child then has for
  // itself.
  const watched: Polled[] = [];
  let spare = null as Spare | null;
  /** Whether a spare is worth its fork: somebody asked since the last one was made in vain. */
  let wanted = false;
  watch(listener);
  for (;;) {
    const idle = pollDescriptors(watched, wanted && spare === null ? 0 : Number.POSITIVE_INFINITY) === 0;
    if (idle) {
      const channel = keepSpare();
      if (channel !== null) return born(() => receiveRequest(channel));
      continue;
    }
    // From the end: those that go are replaced by the last one, those that come stand behind.
    for (let i = watched.length - 1; i >= 0; i--) {
      const { fd, happened } = watched[i]!;
      if (happened === 0) continue;
      const child = children.get(fd);
      const visitor = visitors.get(fd);
      if (child !== undefined) ended(child);
      else if (fd === spare?.pidfd) lost(spare);
      else if (fd === listener) accept();
      else if (visitor !== undefined) {
        const arrived = visitor.read();
        if (arrived === 'gone') dismiss(visitor);
        else if (arrived !== null && give(visitor, arrived)) return born(() => arrived);
      }
    }
  }

  function watch(fd: number): void {
    watched.push({ fd, events: Ready.readable, happened: 0 });
  }

  function forget(fd: number): void {
    const last = watched.pop()!;
    if (last.fd !== fd) watched[watched.findIndex((entry) => entry.fd === fd)] = last;
  }

  function accept(): void {
    try {
      const fd = acceptSocket(listener);
      if (fd === null) return;
      if (peerUser(fd) !== process.geteuid!()) {
        closeDescriptor(fd);
        return;
      }
      visitors.set(fd, new Visitor(fd, key));
      watch(fd);
    } catch {
      // It has gone, or there is no descriptor left: it waits in the queue until there is one.
      pollDescriptors([], 10);
    }
  }

  function dismiss(visitor: Visitor): void {
    visitors.delete(visitor.fd);
    forget(visitor.fd);
    for (const child of children.values()) if (child.visitor === visitor) child.visitor = null;
    visitor.close();
  }

  function ended(child: Running): void {
    const status = reapProcess(child.pid);
    if (status === null) return;
    child.visitor?.tell(Report.Ended, status);
    children.delete(child.pidfd);
    forget(child.pidfd);
    closeDescriptor(child.pidfd);
  }

  /** Forks a spare: the channel on which this process is to wait if it is the spare itself. */
  function keepSpare(): number | null {
    const made = Spare.fork();
    if (typeof made === 'number') return made;
    wanted = false;
    if (made !== null) watch(made.pidfd);
    spare = made;
    return null;
  }

  /** A spare that died before anybody asked. The next one who asks is given a fork of his own. */
  function lost(dead: Spare): void {
    if (reapProcess(dead.pid) === null) return;
    forget(dead.pidfd);
    dead.close();
    closeDescriptor(dead.pidfd);
    spare = null;
  }

  /** Gives the spare to somebody. */
  function handOver(visitor: Visitor, arrived: Arrived): boolean {
    if (spare === null || !spare.take(arrived)) return false;
    const { pid, pidfd } = spare;
    spare = null;
    children.set(pidfd, { pid, pidfd, visitor });
    visitor.tell(Report.Started, pid, [pidfd]);
    return true;
  }

  /** Whether this is the child. */
  function give(visitor: Visitor, arrived: Arrived): boolean {
    wanted = refusal === 0;
    try {
      if (handOver(visitor, arrived)) {
        for (const fd of arrived.descriptors) closeDescriptor(fd);
        return false;
      }
      const result = refusal === 0 ? forkHere() : -1;
      if (result === 0) return true;
      if (typeof result === 'string') {
        visitor.tell(Report.Refused, result === 'threads-busy' ? RefusalCode.ThreadsBusy : RefusalCode.NoExitHook);
      } else if (result < 0) {
        visitor.tell(Report.Refused, refusal);
      } else {
        const pidfd = openChild(result);
        children.set(pidfd, { pid: result, pidfd, visitor });
        watch(pidfd);
        visitor.tell(Report.Started, result, [pidfd]);
      }
    } catch (error) {
      visitor.tell(Report.Refused, -((error as { errno?: number }).errno ?? -constants.errno.EIO));
    }
    for (const fd of arrived.descriptors) closeDescriptor(fd);
    return false;
  }

  function born(arrival: Born): Born {
    closeDescriptor(listener);
    closeDescriptor(lifeline);
    for (const visitor of visitors.values()) visitor.close();
    for (const { pidfd } of children.values()) closeDescriptor(pidfd);
    if (spare !== null) {
      spare.close();
      closeDescriptor(spare.pidfd);
    }
    return arrival;
  }
}

/**
 * A child that cannot be watched is none: it ends before it has run anything.
 * @throws MultiprocessError `MP_SYSTEM` without a free descriptor.
 */
function openChild(pid: number): number {
  try {
    return openProcess(pid);
  } catch (error) {
    signalChild(pid, constants.signals.SIGKILL);
    while (reapProcess(pid) === null) pollDescriptors([], 1);
    throw error;
  }
}
