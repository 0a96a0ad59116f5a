/**
 * Publishing into streams: each message is sent until the broker says that it is stored.
 *
 *   waiting -> sent -> stored            the broker's answer comes to an inbox, by number
 *      ^        |
 *      +--------+  the connection went, no answer came, or the stream is full
 *
 * Invariants
 * - What is published twice has one id, which the broker drops within two minutes.
 * - Messages are sent in their order, except those that a full stream refused.
 * - Every message settles: stored, refused, or dropped when the publisher closes.
 */
import type { MultiprocessError } from '../../errors/index.js';
import { clearInterval, performance, setInterval } from '../../util/timers.js';
import type { Broker, Msg, Unlisten } from './broker.js';

/** Most messages that are sent and not stored yet. */
const MAX_SENT = 512;
/** Milliseconds without an answer after which a message is sent again. */
const ANSWER_TIMEOUT_MS = 3_000;
/** Milliseconds between two looks at what waits for a full stream or an answer. */
const LOOK_MS = 100;
/** Error numbers of the broker for a stream that has no room. */
const FULL = new Set([10077, 10076, 10047, 10023, 10054]);

/** Who is told of one message. */
export interface Publication {
  readonly subject: string;
  /** What tells it from others: what has the same one is stored once. */
  readonly id: string;
  readonly payload: Uint8Array;
  /** The broker has it, under this number in its stream. */
  stored(sequence: number): void;
  /** The broker does not take it: there is no such stream, or it is larger than that allows. */
  refused(reason: BrokerRefusal): void;
}

/** Why the broker did not take a message. */
export interface BrokerRefusal {
  /** `true`: no stream has the subject. */
  readonly noStream: boolean;
  readonly description: string;
}

interface Entry {
  readonly publication: Publication;
  number: number;
  sentAt: number;
}

export class Publisher {
  readonly #broker: Broker;
  readonly #inbox: string;
  readonly #waiting: Entry[] = [];
  readonly #sent = new Map<number, Entry>();
  readonly #unlisten: Unlisten[] = [];
  #next = 1;
  #full = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(broker: Broker) {
    this.#broker = broker;
    this.#inbox = broker.inbox();
    this.#unlisten.push(
      broker.subscribe(`${this.#inbox}.*`, (message) => this.#answered(message)),
      broker.onUp(() => this.#again()),
    );
  }

  /** Messages that are not stored yet. */
  get pending(): number {
    return this.#waiting.length + this.#sent.size;
  }

  /** Whether the stream refused the last message for want of room. */
  get full(): boolean {
    return this.#full;
  }

  publish(publication: Publication): void {
    if (this.#closed) {
      publication.refused({ noStream: false, description: 'the connection was closed' });
      return;
    }
    this.#waiting.push({ publication, number: 0, sentAt: 0 });
    this.#send();
  }

  /** Takes back what was not sent yet. Returns whether it was. */
  withdraw(publication: Publication): boolean {
    const index = this.#waiting.findIndex((entry) => entry.publication === publication && entry.number === 0);
    if (index < 0) return false;
    this.#waiting.splice(index, 1);
    return true;
  }

  /** Ends it: what is not stored is refused. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    for (const unlisten of this.#unlisten) unlisten();
    const rest = [...this.#sent.values(), ...this.#waiting.splice(0)];
    this.#sent.clear();
    for (const { publication } of rest) publication.refused({ noStream: false, description: 'the connection was closed' });
  }

  #send(): void {
    const broker = this.#broker;
    while (this.#waiting.length > 0 && broker.up && !this.#full && this.#sent.size < MAX_SENT) {
      const entry = this.#waiting.shift()!;
      this.#write(entry);
    }
    if (this.pending > 0 && !this.#closed) this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  #write(entry: Entry): void {
    const { subject, id, payload } = entry.publication;
    const number = this.#next++;
    entry.number = number;
    entry.sentAt = performance.now();
    this.#sent.set(number, entry);
    this.#broker.publish(subject, payload, `${this.#inbox}.${number}`, this.#broker.headers({ 'Nats-Msg-Id': id }));
  }

  #answered(message: Msg): void {
    const number = Number(message.subject.slice(message.subject.lastIndexOf('.') + 1));
    const entry = this.#sent.get(number);
    if (entry === undefined) return;
    this.#sent.delete(number);
    const answer = answerOf(message);
    if (typeof answer === 'number') {
      this.#full = false;
      entry.publication.stored(answer);
    } else if (answer === 'full' || answer === 'busy') {
      this.#full = true;
      this.#waiting.unshift(entry);
    } else {
      entry.publication.refused(answer);
    }
    this.#send();
  }

  /** The connection is there again: what was not stored may have been lost. */
  #again(): void {
    const sent = [...this.#sent.values()];
    this.#sent.clear();
    this.#waiting.unshift(...sent);
    this.#send();
  }

  #look(): void {
    if (this.pending === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    if (!this.#broker.up) return;
    const due = performance.now() - ANSWER_TIMEOUT_MS;
    for (const [number, entry] of [...this.#sent]) {
      if (entry.sentAt > due) break;
      this.#sent.delete(number);
      this.#write(entry);
    }
    if (!this.#full) this.#send();
    else if (this.#sent.size === 0 && this.#waiting.length > 0) this.#write(this.#waiting.shift()!);
  }
}

/** The number of a message that is stored, or why it is not. */
function answerOf(message: Msg): number | BrokerRefusal | 'full' | 'busy' {
  const { data } = message;
  if (data.length === 0) {
    // 503: nobody listens to the subject, so no stream has it, or the broker is just starting.
    return { noStream: true, description: 'no stream has the subject' };
  }
  const text = message.string();
  if (!text.includes('"error"')) return sequenceIn(text);
  const { error } = JSON.parse(text) as { error?: { code?: number; err_code?: number; description?: string } };
  if (error === undefined) return sequenceIn(text);
  if (FULL.has(error.err_code ?? 0) || /maximum (messages|bytes)|resources? (limits )?exceeded/i.test(error.description ?? ''))
    return 'full';
  if (error.code === 503) return 'busy';
  return { noStream: false, description: error.description ?? 'for no reason that it gave' };
}

/** `{"stream":"…","seq":7}`, of which nothing else is needed. */
function sequenceIn(text: string): number {
  return Number(/"seq": ?(\d+)/.exec(text)?.[1] ?? 0);
}

/** Stores one message. @throws (rejects) what `refuse` makes of the broker's refusal. */
export function publishOnce(
  publisher: Publisher,
  subject: string,
  id: string,
  payload: Uint8Array,
  refuse: (reason: BrokerRefusal) => MultiprocessError,
): Promise<void> {
  return new Promise((resolve, reject) => {
    publisher.publish({ subject, id, payload, stored: () => resolve(), refused: (reason) => reject(refuse(reason)) });
  });
}
