/** A connection as the template sees it. */
import { closeDescriptor, type ReceivedDescriptors, receiveDescriptors, sendDescriptors } from '../../../native/index.js';
import {
  ANSWER,
  type Arrived,
  answerTo,
  CHALLENGE,
  challenge,
  Inbox,
  isAnswer,
  MOST_DESCRIPTORS,
  type Report,
  report,
  takeRequest,
  VERDICT,
} from '../protocol.js';

/**
 * State: stranger -> known (it has answered) -> served (its child runs). Whoever says anything else
 * than the protocol allows is thrown out; nothing of it ever blocks the template.
 */
export class Visitor {
  readonly fd: number;
  readonly #key: Uint8Array;
  readonly #challenge = challenge();
  readonly #inbox = new Inbox();
  #descriptors: number[] = [];
  #state: 'stranger' | 'known' | 'served' = 'stranger';

  /** @throws MultiprocessError `MP_SYSTEM` when it has gone already. */
  constructor(fd: number, key: Uint8Array) {
    this.fd = fd;
    this.#key = key;
    sendDescriptors(fd, [], this.#challenge);
  }

  /**
   * Reads what has arrived.
   * @returns a whole request, `null` when there is none yet, or `'gone'`: close it.
   */
  read(): Arrived | 'gone' | null {
    let received: ReceivedDescriptors | null;
    try {
      received = receiveDescriptors(this.fd, MOST_DESCRIPTORS);
    } catch {
      return 'gone';
    }
    if (received === null) return null;
    this.#descriptors.push(...received.fds);
    if (received.payload.length === 0 || this.#state === 'served') return 'gone';
    this.#inbox.add(received.payload);
    if (this.#state === 'stranger' && !this.#introduce()) return this.#state === 'stranger' ? null : 'gone';
    return this.#request();
  }

  /** Tells it something. It may have gone meanwhile. */
  tell(kind: Report, value: number, descriptors: readonly number[] = []): void {
    try {
      sendDescriptors(this.fd, descriptors, report(kind, value));
    } catch {
      // Then nobody asks any more; the next read finds out.
    }
  }

  close(): void {
    for (const fd of this.#descriptors.splice(0)) closeDescriptor(fd);
    closeDescriptor(this.fd);
  }

  /**
   * Whether it is known from here on. A wrong answer leaves it `served`: nothing more is expected
   * of it.
   */
  #introduce(): boolean {
    const words = this.#inbox.take(ANSWER + CHALLENGE);
    if (words === null) return false;
    const right = isAnswer(words.subarray(0, ANSWER), this.#challenge, 'process', this.#key);
    const verdict = Buffer.alloc(VERDICT);
    if (right) {
      verdict[0] = 1;
      verdict.set(answerTo(words.subarray(ANSWER), 'template', this.#key), 1);
    }
    this.#state = right ? 'known' : 'served';
    try {
      sendDescriptors(this.fd, [], verdict);
    } catch {
      this.#state = 'served';
    }
    return right;
  }

  #request(): Arrived | 'gone' | null {
    const arrived = takeRequest(this.#inbox, this.#descriptors);
    if (arrived === null) return null;
    if (arrived === 'bad') return 'gone';
    this.#state = 'served';
    this.#descriptors = [];
    return arrived;
  }
}
