/**
 * The template's loop: blocks until somebody connects, asks, or a child ends. No event loop runs
 * meanwhile, so the template's heap changes little, and what it shares with its children stays
 * shared.
 *
 * Once it was asked for a child it keeps a standby child (standby.ts), which the next request is
 * handed to. It is forked whenever nobody waits.
 */
import { constants } from 'node:os';
import {
  acceptSocket,
  closeDescriptor,
  Errno,
  errnoOf,
  openProcess,
  type Polled,
  peerUser,
  pollDescriptors,
  Ready,
  reapProcess,
  signalChild,
} from '../../../native/index.js';
import { effectiveUser } from '../../../platform/users-linux.js';
import { forkHere } from '../../fork/fork-here.js';
import { RefusalCode } from '../../fork/refused.js';
import { type ReceivedRequest, Report } from '../protocol.js';
import { receiveRequest, StandbyChild } from './standby.js';
import { TemplateSession } from './template-session.js';

interface RunningChild {
  readonly pid: number;
  readonly sentinel: number;
  /** Who asked for it, while connected. */
  session: TemplateSession | null;
}

/** Gives a new child its request: the one that it was forked for; a standby child blocks for it. */
export type RequestSource = () => ReceivedRequest;

/**
 * Serves for ever; returns in each child, where nothing of the template's own descriptors is left
 * open.
 * @param refusal what everybody is told who asks, when it is not 0.
 * @param lifeline what ends this process, and is not its children's.
 */
export function serve(listener: number, key: Uint8Array, refusal: number, lifeline: number): RequestSource {
  const sessions = new Map<number, TemplateSession>();
  const children = new Map<number, RunningChild>();
  // Kept and changed in place: garbage between two forks is memory that each child then has for
  // itself.
  const watched: Polled[] = [];
  let standby = null as StandbyChild | null;
  /** Whether a standby child is worth its fork: somebody asked since the last one failed. */
  let wanted = false;
  watch(listener);
  for (;;) {
    const idle = pollDescriptors(watched, wanted && standby === null ? 0 : Number.POSITIVE_INFINITY) === 0;
    if (idle) {
      const channel = forkStandby();
      if (channel !== null) return closeTemplateDescriptors(() => receiveRequest(channel));
      continue;
    }
    // From the end: those that go are replaced by the last one, those that come stand behind.
    for (let i = watched.length - 1; i >= 0; i--) {
      const { fd, happened } = watched[i]!;
      if (happened === 0) continue;
      const child = children.get(fd);
      const session = sessions.get(fd);
      if (child !== undefined) reapChild(child);
      else if (fd === standby?.sentinel) reapStandby(standby);
      else if (fd === listener) accept();
      else if (session !== undefined) {
        const arrived = session.readRequest();
        if (arrived === 'gone') disconnect(session);
        else if (arrived !== null && startChild(session, arrived)) return closeTemplateDescriptors(() => arrived);
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
      if (peerUser(fd) !== effectiveUser()) {
        closeDescriptor(fd);
        return;
      }
      sessions.set(fd, new TemplateSession(fd, key));
      watch(fd);
    } catch {
      // It has gone, or there is no descriptor left: it waits in the queue until there is one.
      pollDescriptors([], 10);
    }
  }

  function disconnect(session: TemplateSession): void {
    sessions.delete(session.fd);
    forget(session.fd);
    for (const child of children.values()) if (child.session === session) child.session = null;
    session.close();
  }

  function reapChild(child: RunningChild): void {
    const status = reapProcess(child.pid);
    if (status === null) return;
    child.session?.sendReport(Report.Ended, status);
    children.delete(child.sentinel);
    forget(child.sentinel);
    closeDescriptor(child.sentinel);
  }

  /**
   * Forks a standby child. Returns the channel for its request in the child itself, else `null`.
   */
  function forkStandby(): number | null {
    const made = StandbyChild.fork();
    if (typeof made === 'number') return made;
    wanted = false;
    if (made !== null) watch(made.sentinel);
    standby = made;
    return null;
  }

  /** A standby child died before anybody asked. The next request gets a fork of its own. */
  function reapStandby(dead: StandbyChild): void {
    if (reapProcess(dead.pid) === null) return;
    forget(dead.sentinel);
    dead.close();
    closeDescriptor(dead.sentinel);
    standby = null;
  }

  /** Hands a request to the standby child. Returns whether it could. */
  function handToStandby(session: TemplateSession, arrived: ReceivedRequest): boolean {
    if (standby === null || !standby.handRequest(arrived)) return false;
    const { pid, sentinel } = standby;
    standby = null;
    children.set(sentinel, { pid, sentinel, session });
    session.sendReport(Report.Started, pid, [sentinel]);
    return true;
  }

  /** Starts the child of a request. Returns `true` in the child itself. */
  function startChild(session: TemplateSession, arrived: ReceivedRequest): boolean {
    wanted = refusal === 0;
    try {
      if (handToStandby(session, arrived)) {
        for (const fd of arrived.descriptors) closeDescriptor(fd);
        return false;
      }
      const result = refusal === 0 ? forkHere() : -1;
      if (result === 0) return true;
      if (typeof result === 'string') {
        session.sendReport(
          Report.Refused,
          result === 'threads-busy' ? RefusalCode.ThreadsBusy : RefusalCode.NoExitHook,
        );
      } else if (result < 0) {
        session.sendReport(Report.Refused, refusal);
      } else {
        const sentinel = openChild(result);
        children.set(sentinel, { pid: result, sentinel, session });
        watch(sentinel);
        session.sendReport(Report.Started, result, [sentinel]);
      }
    } catch (error) {
      session.sendReport(Report.Refused, -(errnoOf(error) ?? Errno.EIO));
    }
    for (const fd of arrived.descriptors) closeDescriptor(fd);
    return false;
  }

  function closeTemplateDescriptors(arrival: RequestSource): RequestSource {
    closeDescriptor(listener);
    closeDescriptor(lifeline);
    for (const session of sessions.values()) session.close();
    for (const { sentinel } of children.values()) closeDescriptor(sentinel);
    if (standby !== null) {
      standby.close();
      closeDescriptor(standby.sentinel);
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
