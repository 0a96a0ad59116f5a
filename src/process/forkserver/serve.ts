/**
 * The template's loop: blocks until somebody connects, asks, or a child ends. No event loop runs meanwhile, so the template's heap
 * changes little, and what it shares with its children stays shared.
 */
import { constants } from 'node:os';
import { acceptSocket, closeDescriptor, openProcess, type Polled, pollDescriptors, Ready, reapProcess } from '../../native/index.js';
import { forkHere } from './fork-here.js';
import { type ChildRequest, RefusalCode, Report } from './protocol.js';
import { type Arrived, Visitor } from './visitor.js';

interface Running {
  readonly pid: number;
  readonly pidfd: number;
  /** Who asked for it, while connected. */
  visitor: Visitor | null;
}

/** What a child finds itself to be. */
export interface Born {
  readonly request: ChildRequest;
  readonly descriptors: readonly number[];
}

/**
 * Serves for ever; returns in each child, where nothing of the template's own descriptors is left open.
 * @param refusal what everybody is told who asks, when it is not 0.
 */
export function serve(listener: number, key: Uint8Array, refusal: number): Born {
  const visitors = new Map<number, Visitor>();
  const children = new Map<number, Running>();
  // Kept and changed in place: garbage between two forks is memory that each child then has for itself.
  const watched: Polled[] = [];
  watch(listener);
  for (;;) {
    pollDescriptors(watched, Number.POSITIVE_INFINITY);
    // From the end: those that go are replaced by the last one, those that come stand behind.
    for (let i = watched.length - 1; i >= 0; i--) {
      const { fd, happened } = watched[i]!;
      if (happened === 0) continue;
      const child = children.get(fd);
      const visitor = visitors.get(fd);
      if (child !== undefined) ended(child);
      else if (fd === listener) accept();
      else if (visitor !== undefined) {
        const arrived = visitor.read();
        if (arrived === 'gone') dismiss(visitor);
        else if (arrived !== null && give(visitor, arrived)) return born(arrived);
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

  /** Whether this is the child. */
  function give(visitor: Visitor, arrived: Arrived): boolean {
    try {
      const result = refusal === 0 ? forkHere() : -1;
      if (result === 0) return true;
      if (typeof result === 'string') {
        visitor.tell(Report.Refused, result === 'threads-busy' ? RefusalCode.ThreadsBusy : RefusalCode.NoExitHook);
      } else if (result < 0) {
        visitor.tell(Report.Refused, refusal);
      } else {
        const pidfd = openProcess(result);
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

  function born(arrived: Arrived): Born {
    closeDescriptor(listener);
    for (const visitor of visitors.values()) visitor.close();
    for (const { pidfd } of children.values()) closeDescriptor(pidfd);
    return { request: JSON.parse(Buffer.from(arrived.body).toString()) as ChildRequest, descriptors: arrived.descriptors };
  }
}
