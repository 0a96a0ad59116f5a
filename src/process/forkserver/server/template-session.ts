/** A connection of a process that asks for a child, as the template sees it. */
import {
  closeDescriptor,
  type ReceivedDescriptors,
  receiveDescriptors,
  sendDescriptors,
} from '../../../native/index.js';
import { ByteQueue } from '../byte-queue.js';
import {
  ANSWER_BYTES,
  answerTo,
  CHALLENGE_BYTES,
  encodeReport,
  isAnswer,
  MAX_DESCRIPTORS,
  newChallenge,
  type ReceivedRequest,
  type Report,
  takeRequest,
  VERDICT_BYTES,
} from '../protocol.js';

/**
 * State: stranger -> known (it has answered) -> served (its child runs). A peer that says anything
 * else than the protocol allows is disconnected. Nothing of it ever blocks the template.
 */
export class TemplateSession {
  readonly fd: number;
  readonly #key: Uint8Array;
  readonly #challenge = newChallenge();
  readonly #received = new ByteQueue();
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
  readRequest(): ReceivedRequest | 'gone' | null {
    let received: ReceivedDescriptors | null;
    try {
      received = receiveDescriptors(this.fd, MAX_DESCRIPTORS);
    } catch {
      return 'gone';
    }
    if (received === null) return null;
    this.#descriptors.push(...received.fds);
    if (received.payload.length === 0 || this.#state === 'served') return 'gone';
    this.#received.add(received.payload);
    if (this.#state === 'stranger' && !this.#authenticate()) return this.#state === 'stranger' ? null : 'gone';
    return this.#takeRequest();
  }

  /** Tells it something. It may have gone meanwhile. */
  sendReport(kind: Report, value: number, descriptors: readonly number[] = []): void {
    try {
      sendDescriptors(this.fd, descriptors, encodeReport(kind, value));
    } catch {
      // Then nobody asks any more; the next read finds out.
    }
  }

  close(): void {
    for (const fd of this.#descriptors.splice(0)) closeDescriptor(fd);
    closeDescriptor(this.fd);
  }

  /**
   * Returns whether it is known from here on. A wrong answer leaves it `served`: nothing more is
   * expected of it.
   */
  #authenticate(): boolean {
    const words = this.#received.take(ANSWER_BYTES + CHALLENGE_BYTES);
    if (words === null) return false;
    const right = isAnswer(words.subarray(0, ANSWER_BYTES), this.#challenge, 'process', this.#key);
    const verdict = Buffer.alloc(VERDICT_BYTES);
    if (right) {
      verdict[0] = 1;
      verdict.set(answerTo(words.subarray(ANSWER_BYTES), 'template', this.#key), 1);
    }
    this.#state = right ? 'known' : 'served';
    try {
      sendDescriptors(this.fd, [], verdict);
    } catch {
      this.#state = 'served';
    }
    return right;
  }

  #takeRequest(): ReceivedRequest | 'gone' | null {
    const arrived = takeRequest(this.#received, this.#descriptors);
    if (arrived === null) return null;
    if (arrived === 'bad') return 'gone';
    this.#state = 'served';
    this.#descriptors = [];
    return arrived;
  }
}
