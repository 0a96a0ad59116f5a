/**
 * A connection to the template as the process sees it: proves who it is, asks for one child, and
 * hears of its end.
 */
import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { AuthenticationError, type MultiprocessError, ProcessError } from '../../errors/index.js';
import {
  closeDescriptor,
  connectSocket,
  Family,
  pollDescriptor,
  Readiness,
  Ready,
  receiveDescriptors,
  sendDescriptors,
  signalProcess,
} from '../../native/index.js';
import { deferred } from '../../util/deferred.js';
import { refused } from '../fork/refused.js';
import { answerTo, CHALLENGE, type ChildRequest, challenge, frame, Inbox, isAnswer, REPORT, Report, VERDICT } from './protocol.js';

/** What was asked for. */
interface Asked {
  readonly frame: Uint8Array;
  readonly descriptors: readonly number[];
  /** The end that is written to. */
  readonly lifeline: number;
  readonly onEnd: (status: number | null) => void;
}

/** Signals that end a process which does not listen for them. */
const ENDING: ReadonlySet<number> = new Set([constants.signals.SIGTERM, constants.signals.SIGKILL, constants.signals.SIGINT]);

/** The template ended before it answered: a new one may be asked. */
export class TemplateLost extends ProcessError {}

/**
 * State: challenged (waits for the template's challenge) -> proving -> known -> asking -> running
 * -> over
 *
 * It may be made before there is something to ask for: then it does not keep the event loop alive.
 *
 * The child runs nothing until we have its pid: it waits for a byte through the lifeline. When the
 * connection breaks before, the lifeline is closed and the child, if there is one, ends by itself.
 */
export class Applicant {
  readonly #socket: number;
  readonly #key: Uint8Array;
  #asked: Asked | null = null;
  readonly #challenge = challenge();
  readonly #inbox = new Inbox();
  readonly #started = deferred<void>();
  #watch: Readiness | null;
  #state: 'challenged' | 'proving' | 'known' | 'asking' | 'running' | 'over' = 'challenged';
  #pid = 0;
  #pidfd = -1;
  #held = true;
  /** Whether the lifeline was closed. */
  #released = false;

  /** Connects. @throws MultiprocessError `MP_SYSTEM`: ECONNREFUSED when the template has ended. */
  constructor(address: string, key: Uint8Array) {
    this.#key = key;
    this.#started.promise.catch(() => {}); // before it asks, nobody wants to know
    this.#socket = connectSocket({ family: Family.AF_UNIX, host: `\0${address}`, port: 0 }).fd;
    this.#watch = new Readiness(this.#socket, () => this.#receive());
    try {
      this.#watch.want(Ready.readable);
      this.#watch.unref();
    } catch (error) {
      this.#disconnect();
      throw error;
    }
  }

  /** @internal Whether it may still {@link ask}. */
  get usable(): boolean {
    return this.#asked === null && this.#state !== 'over';
  }

  /**
   * Asks for a child, once. Keeps the event loop alive until its end.
   *
   * @param descriptors stay the caller's, and must stay open until `started` is settled.
   * @param lifeline the reading end goes with the request, the writing end is ours from here on.
   * @param onEnd called once when the child has ended, with its status (exit code or minus a
   * signal), `null` when that is lost.
   * @internal
   */
  ask(
    request: ChildRequest,
    descriptors: readonly number[],
    lifeline: { reads: number; writes: number },
    onEnd: (status: number | null) => void,
  ): void {
    this.#asked = {
      frame: frame(request, descriptors.length + 1),
      descriptors: [lifeline.reads, ...descriptors],
      lifeline: lifeline.writes,
      onEnd,
    };
    this.#watch?.ref();
    if (this.#state !== 'known') return;
    try {
      this.#send(this.#asked);
    } catch (error) {
      this.#lost(error);
    }
  }

  /** @internal Leaves, if it has not asked. */
  leave(): void {
    if (!this.usable) return;
    this.#state = 'over';
    this.#disconnect();
  }

  /**
   * Resolves when the child runs. Rejects with AuthenticationError, ProcessError `MP_SPAWN` when
   * the template ended first, or why the fork was refused.
   */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** Its process id; 0 before it runs. */
  get pid(): number {
    return this.#pid;
  }

  /** Names the child for good, and is readable when it has ended. Ours until {@link close}. */
  get pidfd(): number {
    return this.#pidfd;
  }

  /**
   * Sends the child a signal; nothing when it has ended. One that runs as a user whom this process
   * may not signal any more is ended through its lifeline: SIGKILL.
   */
  signal(number: number): void {
    if (this.#pidfd < 0) return;
    try {
      signalProcess(this.#pidfd, number);
    } catch (error) {
      if ((error as { errno?: number }).errno !== -constants.errno.EPERM || !ENDING.has(number)) throw error;
      this.#cut();
    }
  }

  /** Gives the start up: a child that was forked for it ends before it runs anything. */
  cancel(): void {
    if (this.#state === 'running' || this.#state === 'over') return;
    this.#fail(new ProcessError('The start was given up.', { code: 'MP_SPAWN' }));
  }

  /** Closes the lifeline: the kernel kills the child. */
  #cut(): void {
    if (this.#asked === null || this.#released) return;
    this.#released = true;
    closeDescriptor(this.#asked.lifeline);
  }

  /** Whether the event loop must stay alive for it. */
  hold(on: boolean): void {
    this.#held = on;
    const watch = this.#watch ?? this.#orphan;
    if (on) watch?.ref();
    else watch?.unref();
  }

  /** Looks now, without an event loop, whether the child has ended. Calls `onEnd` if so. */
  look(): void {
    if (this.#state === 'running') this.#receive();
    if (this.#state === 'running' && this.#watch === null) this.#lookWithoutTemplate();
  }

  /** Blocks until the child has ended or the time (milliseconds) is up: whether it has ended. */
  waitSync(timeout: number): boolean {
    if (this.#state === 'over') return true;
    if (this.#pidfd < 0) return false;
    return pollDescriptor(this.#pidfd, Ready.readable, timeout) !== 0;
  }

  /** Gives back the pidfd, when the child has ended or nobody cares any more. */
  close(): void {
    this.#orphan?.close();
    if (this.#pidfd >= 0) closeDescriptor(this.#pidfd);
    this.#pidfd = -1;
  }

  // ---- what arrives

  #receive(): void {
    try {
      for (;;) {
        if (this.#watch === null) return;
        const received = receiveDescriptors(this.#socket, 1);
        if (received === null) return;
        if (received.fds.length > 0) this.#pidfd = received.fds[0]!;
        if (received.payload.length === 0) this.#lost();
        else {
          this.#inbox.add(received.payload);
          this.#step();
        }
      }
    } catch (error) {
      if ((error as { code?: unknown }).code === 'MP_SYSTEM') this.#lost(error);
      else this.#fail(error as MultiprocessError);
    }
  }

  #step(): void {
    if (this.#state === 'challenged') {
      const challenged = this.#inbox.take(CHALLENGE);
      if (challenged === null) return;
      this.#state = 'proving';
      sendDescriptors(this.#socket, [], Buffer.concat([answerTo(challenged, 'process', this.#key), this.#challenge]));
    }
    if (this.#state === 'proving') {
      const verdict = this.#inbox.take(VERDICT);
      if (verdict === null) return;
      if (verdict[0] !== 1 || !isAnswer(verdict.subarray(1), this.#challenge, 'template', this.#key)) {
        throw new AuthenticationError(
          `The forkserver's template ${verdict[0] === 1 ? 'did not prove that it knows' : 'did not accept'} the authentication key of this process; ` +
            'restore `forkserver.authkey`, or stop the template with `forkserver.stop()` so that a new one is started with the key.',
        );
      }
      this.#state = 'known';
      if (this.#asked !== null) this.#send(this.#asked);
    }
    for (let report = this.#inbox.take(REPORT); report !== null; report = this.#inbox.take(REPORT)) {
      this.#heard(report.readUInt32LE(0), report.readInt32LE(4));
    }
  }

  #send({ descriptors, frame: request }: Asked): void {
    this.#state = 'asking';
    sendDescriptors(this.#socket, descriptors, request);
  }

  #heard(kind: Report, value: number): void {
    if (kind === Report.Refused) throw refused(value);
    if (kind === Report.Ended) {
      this.#end(value);
      return;
    }
    this.#pid = value;
    this.#state = 'running';
    try {
      writeSync(this.#asked!.lifeline, Uint8Array.of(1));
    } catch {
      // EPIPE: somebody killed it before it ran. Its status will tell.
    }
    this.#started.resolve();
  }

  /** The template has ended or cut the connection. The child may go on. */
  #lost(cause?: unknown): void {
    this.#disconnect();
    if (this.#state !== 'running') {
      this.#fail(
        new TemplateLost('The template of the forkserver ended while a child was being started; start the child again.', {
          code: 'MP_SPAWN',
          ...(cause === undefined ? {} : { cause }),
        }),
      );
      return;
    }
    this.#orphan = new Readiness(this.#pidfd, () => this.#end(null));
    if (!this.#held) this.#orphan.unref();
    this.#orphan.want(Ready.readable);
  }

  /** Watches the child itself where the template cannot tell of it any more. */
  #orphan: Readiness | null = null;

  #lookWithoutTemplate(): void {
    if (this.#pidfd >= 0 && pollDescriptor(this.#pidfd, Ready.readable, 0) !== 0) this.#end(null);
  }

  #end(status: number | null): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#disconnect();
    this.#orphan?.close();
    this.#cut();
    this.#asked!.onEnd(status);
  }

  #fail(error: MultiprocessError): void {
    this.#state = 'over';
    this.#disconnect();
    this.#cut();
    this.#started.reject(error);
  }

  #disconnect(): void {
    if (this.#watch === null) return;
    this.#watch.close();
    this.#watch = null;
    closeDescriptor(this.#socket);
  }
}
