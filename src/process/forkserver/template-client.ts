/**
 * A connection to the template as the process sees it: it proves that it knows the key, asks for
 * one child, and is told how that ended.
 *
 *   state        waits for                               left by
 *   challenged   the template's challenge                it -> proving; answers, and challenges it
 *   proving      the verdict and the template's answer   both are right -> known
 *   known        something to ask for                    requestChild() -> asking
 *   asking       Started or Refused                      Started -> running; the child gets its byte
 *   running      Ended, or the sentinel without a template  it -> over
 *   over         nothing: ended, refused, cancelled, left, or the connection broke before `running`
 *
 * It may be made before there is something to ask for: then it does not keep the event loop alive.
 *
 * The child runs nothing until we have its pid: it waits for a byte through the lifeline. When the
 * connection breaks before, the lifeline is closed and the child, if there is one, ends by itself.
 */
import { writeSync } from 'node:fs';
import { AuthenticationError, type MultiprocessError, ProcessError } from '../../errors/index.js';
import {
  closeDescriptor,
  connectSocket,
  Errno,
  errnoOf,
  Family,
  pollDescriptor,
  Readiness,
  Ready,
  receiveDescriptors,
  sendDescriptors,
  signalProcess,
} from '../../native/index.js';
import { abstractAddress } from '../../platform/sockets-linux.js';
import { deferred } from '../../util/deferred.js';
import { refused } from '../fork/refused.js';
import { ENDING_SIGNALS } from '../popen/signals.js';
import { ByteQueue } from './byte-queue.js';
import {
  answerTo,
  CHALLENGE_BYTES,
  type ChildRequest,
  encodeRequest,
  isAnswer,
  newChallenge,
  REPORT_BYTES,
  Report,
  VERDICT_BYTES,
} from './protocol.js';

/** What was asked for. */
interface PendingRequest {
  readonly frame: Uint8Array;
  readonly descriptors: readonly number[];
  /** The end that is written to. */
  readonly lifeline: number;
  readonly onEnd: (status: number | null) => void;
}

/** The template ended before it answered: a new one may be asked. */
export class TemplateLost extends ProcessError {}

export class TemplateClient {
  readonly #socket: number;
  readonly #key: Uint8Array;
  #request: PendingRequest | null = null;
  readonly #challenge = newChallenge();
  readonly #received = new ByteQueue();
  readonly #started = deferred<void>();
  #watch: Readiness | null;
  #state: 'challenged' | 'proving' | 'known' | 'asking' | 'running' | 'over' = 'challenged';
  #pid = 0;
  #sentinel = -1;
  #held = true;
  /** Whether the lifeline was closed. */
  #lifelineClosed = false;

  /** Connects. @throws MultiprocessError `MP_SYSTEM`: ECONNREFUSED when the template has ended. */
  constructor(address: string, key: Uint8Array) {
    this.#key = key;
    this.#started.promise.catch(() => {}); // before it asks, nobody wants to know
    this.#socket = connectSocket({ family: Family.AF_UNIX, host: abstractAddress(address), port: 0 }).fd;
    this.#watch = new Readiness(this.#socket, () => this.#receive());
    try {
      this.#watch.want(Ready.readable);
      this.#watch.unref();
    } catch (error) {
      this.#disconnect();
      throw error;
    }
  }

  /** @internal Whether it may still {@link requestChild}. */
  get usable(): boolean {
    return this.#request === null && this.#state !== 'over';
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
  requestChild(
    request: ChildRequest,
    descriptors: readonly number[],
    lifeline: { reads: number; writes: number },
    onEnd: (status: number | null) => void,
  ): void {
    this.#request = {
      frame: encodeRequest(request, descriptors.length + 1),
      descriptors: [lifeline.reads, ...descriptors],
      lifeline: lifeline.writes,
      onEnd,
    };
    this.#watch?.ref();
    if (this.#state !== 'known') return;
    try {
      this.#send(this.#request);
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
  get sentinel(): number {
    return this.#sentinel;
  }

  /**
   * Sends the child a signal; nothing when it has ended. One that runs as a user whom this process
   * may not signal any more is ended through its lifeline: SIGKILL.
   */
  signal(number: number): void {
    if (this.#sentinel < 0) return;
    try {
      signalProcess(this.#sentinel, number);
    } catch (error) {
      if (errnoOf(error) !== Errno.EPERM || !ENDING_SIGNALS.has(number)) throw error;
      this.#closeLifeline();
    }
  }

  /** Gives the start up: a child that was forked for it ends before it runs anything. */
  cancel(): void {
    if (this.#state === 'running' || this.#state === 'over') return;
    this.#fail(new ProcessError('The start was given up.', { code: 'MP_SPAWN' }));
  }

  /** Closes the lifeline: the kernel kills the child. */
  #closeLifeline(): void {
    if (this.#request === null || this.#lifelineClosed) return;
    this.#lifelineClosed = true;
    closeDescriptor(this.#request.lifeline);
  }

  /** Whether the event loop must stay alive for it. */
  hold(on: boolean): void {
    this.#held = on;
    const watch = this.#watch ?? this.#childWatch;
    if (on) watch?.ref();
    else watch?.unref();
  }

  /** Looks now, without an event loop, whether the child has ended. Calls `onEnd` if so. */
  look(): void {
    if (this.#state === 'running') this.#receive();
    if (this.#state === 'running' && this.#watch === null) this.#lookAtChild();
  }

  /** Blocks until the child has ended or the time (milliseconds) is up: whether it has ended. */
  waitSync(timeout: number): boolean {
    if (this.#state === 'over') return true;
    if (this.#sentinel < 0) return false;
    return pollDescriptor(this.#sentinel, Ready.readable, timeout) !== 0;
  }

  /** Gives back the sentinel, when the child has ended or nobody cares any more. */
  close(): void {
    this.#childWatch?.close();
    if (this.#sentinel >= 0) closeDescriptor(this.#sentinel);
    this.#sentinel = -1;
  }

  // ---- what arrives

  #receive(): void {
    try {
      for (;;) {
        if (this.#watch === null) return;
        const received = receiveDescriptors(this.#socket, 1);
        if (received === null) return;
        if (received.fds.length > 0) this.#sentinel = received.fds[0]!;
        if (received.payload.length === 0) this.#lost();
        else {
          this.#received.add(received.payload);
          this.#advance();
        }
      }
    } catch (error) {
      if ((error as { code?: unknown }).code === 'MP_SYSTEM') this.#lost(error);
      else this.#fail(error as MultiprocessError);
    }
  }

  #advance(): void {
    if (this.#state === 'challenged') {
      const challenged = this.#received.take(CHALLENGE_BYTES);
      if (challenged === null) return;
      this.#state = 'proving';
      sendDescriptors(this.#socket, [], Buffer.concat([answerTo(challenged, 'process', this.#key), this.#challenge]));
    }
    if (this.#state === 'proving') {
      const verdict = this.#received.take(VERDICT_BYTES);
      if (verdict === null) return;
      if (verdict[0] !== 1 || !isAnswer(verdict.subarray(1), this.#challenge, 'template', this.#key)) {
        throw new AuthenticationError(
          `The forkserver's template ${verdict[0] === 1 ? 'did not prove that it knows' : 'did not accept'} the authentication key of this process; ` +
            'restore `forkserver.authkey`, or stop the template with `forkserver.stop()` so that a new one is started with the key.',
        );
      }
      this.#state = 'known';
      if (this.#request !== null) this.#send(this.#request);
    }
    for (let report = this.#received.take(REPORT_BYTES); report !== null; report = this.#received.take(REPORT_BYTES)) {
      this.#handleReport(report.readUInt32LE(0), report.readInt32LE(4));
    }
  }

  #send({ descriptors, frame: request }: PendingRequest): void {
    this.#state = 'asking';
    sendDescriptors(this.#socket, descriptors, request);
  }

  #handleReport(kind: Report, value: number): void {
    if (kind === Report.Refused) throw refused(value);
    if (kind === Report.Ended) {
      this.#end(value);
      return;
    }
    this.#pid = value;
    this.#state = 'running';
    try {
      writeSync(this.#request!.lifeline, Uint8Array.of(1));
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
        new TemplateLost(
          'The template of the forkserver ended while a child was being started; start the child again.',
          {
            code: 'MP_SPAWN',
            ...(cause === undefined ? {} : { cause }),
          },
        ),
      );
      return;
    }
    this.#childWatch = new Readiness(this.#sentinel, () => this.#end(null));
    if (!this.#held) this.#childWatch.unref();
    this.#childWatch.want(Ready.readable);
  }

  /** Watches the child itself where the template cannot tell of it any more. */
  #childWatch: Readiness | null = null;

  #lookAtChild(): void {
    if (this.#sentinel >= 0 && pollDescriptor(this.#sentinel, Ready.readable, 0) !== 0) this.#end(null);
  }

  #end(status: number | null): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#disconnect();
    this.#childWatch?.close();
    this.#closeLifeline();
    this.#request!.onEnd(status);
  }

  #fail(error: MultiprocessError): void {
    this.#state = 'over';
    this.#disconnect();
    this.#closeLifeline();
    this.#started.reject(error);
  }

  #disconnect(): void {
    if (this.#watch === null) return;
    this.#watch.close();
    this.#watch = null;
    closeDescriptor(this.#socket);
  }
}
