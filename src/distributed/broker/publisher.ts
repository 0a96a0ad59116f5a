/**
 * Publishing into streams, and acknowledging what came from them: each message is sent until the
 * broker says that it has it.
 *
 *   waiting -> sent -> stored            the broker's answer comes to an inbox, by number
 *      ^        |
 *      +--------+  the connection went, no answer came, or the stream is full
 *
 * Invariants
 * - What is published twice has one id, which the broker drops within two minutes.
 * - Messages are sent in their order, except those that a full stream refused. After that they are
 *   sent one by one, then two by two, …
 * - Every message settles: stored, refused, given up, or dropped when the publisher closes. One that a
 *   stream could not take if it were empty is refused, not waited for.
 */
import type { MultiprocessError } from '../../errors/index.js';
import { clearInterval, performance, setInterval } from '../../util/timers.js';
import type { Broker, Msg, Unlisten } from './broker.js';
import { configOf } from './streams.js';

/** Most messages that are sent and not stored yet. */
const MAX_SENT = 512;
/** Milliseconds without an answer after which a message is sent again. */
const ANSWER_TIMEOUT_MS = 3_000;
/** Milliseconds between two looks at what waits for a full stream or an answer. */
const LOOK_MS = 100;
/** Bytes of the header `Nats-Msg-Id` without its value, and of a record in the broker's file store. */
const HEADER_BYTES = 29;
const RECORD_BYTES = 34;
/** Error numbers of the broker for a stream that has no room. */
const FULL = new Set([10076, 10047, 10023, 10054]);
/** How the broker describes that, under a number that it has for all that its store refuses. */
const FULL_TEXT = /maximum (messages|bytes)|resources? (limits )?exceeded|no space left/i;

/** Who is told of one message. */
export interface Publication {
  readonly subject: string;
  /** What tells it from others: what has the same one is stored once. Empty: nothing does. */
  readonly id: string;
  readonly payload: Uint8Array | string;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The broker has it, under this number in its stream. */
  stored(sequence: number): void;
  /** The broker does not take it: there is no such stream, or it is larger than that allows. */
  refused(reason: BrokerRefusal): void;
  /** The stream has no room for it now. Returns whether it is given up; absent: it waits. */
  full?(): boolean;
  /** It was given up after it had been sent, and no answer came: the broker may have it. */
  unknown?(): void;
}

/** Why the broker did not take a message. */
export interface BrokerRefusal {
  /** `true`: no stream has the subject. */
  readonly noStream: boolean;
  readonly description: string;
  /** The broker's number of the error, if it gave one. */
  readonly code?: number;
  /** Most bytes that the stream may have, where the message alone has more. */
  readonly limit?: number;
}

/** What an answer says: the number of what is stored, or why it is not. */
export type PublishAnswer = number | BrokerRefusal | 'full' | 'busy';

interface Entry {
  readonly publication: Publication;
  /** Its place among all that were published. */
  readonly order: number;
  /** Of its last sending; 0: the broker does not have it for certain. */
  number: number;
  sentAt: number;
  /** It is not sent again. */
  last: boolean;
}

export class Publisher {
  readonly #broker: Broker;
  readonly #inbox: string;
  readonly #read: (message: Msg) => PublishAnswer;
  /** By order. */
  readonly #waiting: Entry[] = [];
  readonly #sent = new Map<number, Entry>();
  readonly #unlisten: Unlisten[] = [];
  #next = 1;
  #published = 0;
  #full = false;
  /** Most bytes of streams that were full; 0: no limit is known. */
  readonly #limits = new Map<string, number>();
  #window = MAX_SENT;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param read Says what an answer means. Default: as streams answer. */
  constructor(broker: Broker, read: (message: Msg) => PublishAnswer = answerOf) {
    this.#broker = broker;
    this.#read = read;
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
    // Who gives up at once need not ask behind others who wait.
    if (this.#full && this.#waiting.length > 0 && publication.full?.() === true) return;
    this.#waiting.push({ publication, order: this.#published++, number: 0, sentAt: 0, last: false });
    this.#send();
  }

  /** Takes back what was not sent yet. Returns whether it was. */
  withdraw(publication: Publication): boolean {
    const index = this.#waiting.findIndex((entry) => entry.publication === publication && entry.number === 0);
    if (index < 0) return false;
    this.#waiting.splice(index, 1);
    return true;
  }

  /**
   * Gives up what is not stored. Returns whether it never will be. Otherwise it is not sent again,
   * and its answer decides, or `unknown` says that none came.
   */
  giveUp(publication: Publication): boolean {
    if (this.withdraw(publication)) return true;
    const waiting = this.#waiting.findIndex((entry) => entry.publication === publication);
    if (waiting >= 0) {
      this.#waiting.splice(waiting, 1);
      publication.unknown?.();
      return false;
    }
    for (const entry of this.#sent.values()) {
      if (entry.publication !== publication) continue;
      entry.last = true;
      if (this.#broker.up) break;
      this.#sent.delete(entry.number);
      publication.unknown?.();
      break;
    }
    return false;
  }

  /** Ends it: what is not stored is refused. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    for (const unlisten of this.#unlisten) unlisten();
    const rest = [...this.#sent.values(), ...this.#waiting.splice(0)];
    this.#sent.clear();
    for (const { publication } of rest)
      publication.refused({ noStream: false, description: 'the connection was closed' });
  }

  #send(): void {
    const broker = this.#broker;
    while (this.#waiting.length > 0 && broker.up && !this.#full && this.#sent.size < this.#window) {
      const entry = this.#waiting.shift()!;
      this.#write(entry);
    }
    if (this.pending > 0 && !this.#closed) this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  #write(entry: Entry): void {
    const { subject, id, payload, headers } = entry.publication;
    const number = this.#next++;
    entry.number = number;
    entry.sentAt = performance.now();
    this.#sent.set(number, entry);
    const named = id === '' ? headers : { ...headers, 'Nats-Msg-Id': id };
    this.#broker.publish(
      subject,
      payload,
      `${this.#inbox}.${number}`,
      named === undefined ? undefined : this.#broker.headers(named),
    );
  }

  #answered(message: Msg): void {
    const number = Number(message.subject.slice(message.subject.lastIndexOf('.') + 1));
    const entry = this.#sent.get(number);
    if (entry === undefined) return;
    this.#sent.delete(number);
    const { publication } = entry;
    const answer = this.#read(message);
    if (typeof answer === 'number') {
      this.#full = false;
      this.#window = Math.min(MAX_SENT, 2 * this.#window);
      publication.stored(answer);
    } else if (answer === 'full' || answer === 'busy') {
      this.#full = true;
      this.#window = 1;
      entry.number = 0;
      if (publication.full?.() !== true) {
        this.#wait(entry);
        if (answer === 'full') void this.#checkSize(entry, streamIn(message.string()));
      }
    } else {
      publication.refused(answer);
    }
    this.#send();
  }

  /** Refuses a message that is larger than the stream may ever be. */
  async #checkSize(entry: Entry, stream: string | undefined): Promise<void> {
    if (stream === undefined) return;
    let limit = this.#limits.get(stream);
    if (limit === undefined) {
      // Asked once, also by messages that are refused meanwhile.
      this.#limits.set(stream, 0);
      const config = await configOf(this.#broker, stream).catch(() => undefined);
      if (config === undefined) {
        this.#limits.delete(stream);
        return;
      }
      limit = Math.max(0, config.max_bytes);
      this.#limits.set(stream, limit);
    }
    const bytes = storedBytes(entry.publication);
    if (limit === 0 || bytes <= limit || this.#closed) return;
    const at = this.#waiting.indexOf(entry);
    if (at >= 0) this.#waiting.splice(at, 1);
    else if (!this.#sent.delete(entry.number)) return;
    this.#full = false;
    const description = `it takes ${bytes} bytes there, and the stream ${stream} may have ${limit} in all`;
    entry.publication.refused({ noStream: false, description, limit });
    this.#send();
  }

  /** It is sent again, in its order. */
  #wait(entry: Entry): void {
    const at = this.#waiting.findIndex(({ order }) => order > entry.order);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, entry);
  }

  /** The connection is there again: what was not stored may have been lost. */
  #again(): void {
    const sent = [...this.#sent.values()];
    this.#sent.clear();
    for (const entry of sent) {
      if (entry.last) entry.publication.unknown?.();
      else this.#wait(entry);
    }
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
      if (entry.last) entry.publication.unknown?.();
      else this.#write(entry);
    }
    if (!this.#full) this.#send();
    else if (this.#sent.size === 0 && this.#waiting.length > 0) this.#write(this.#waiting.shift()!);
  }
}

/** The number of a message that is stored, or why it is not. */
function answerOf(message: Msg): PublishAnswer {
  const { data } = message;
  if (data.length === 0) {
    // 503: nobody listens to the subject, so no stream has it, or the broker is just starting.
    return { noStream: true, description: 'no stream has the subject' };
  }
  const text = message.string();
  if (!text.includes('"error"')) return sequenceIn(text);
  const { error } = JSON.parse(text) as { error?: { code?: number; err_code?: number; description?: string } };
  if (error === undefined) return sequenceIn(text);
  if (FULL.has(error.err_code ?? 0) || FULL_TEXT.test(error.description ?? '')) return 'full';
  if (error.code === 503) return 'busy';
  return {
    noStream: false,
    description: error.description ?? 'for no reason that it gave',
    ...(error.err_code === undefined ? {} : { code: error.err_code }),
  };
}

/** The stream that a refusal for want of bytes names. */
function streamIn(answer: string): string | undefined {
  if (!/maximum bytes/i.test(answer)) return undefined;
  return /"stream": ?"([^"]+)"/.exec(answer)?.[1];
}

/** What a message takes of its stream: its parts, and what the broker's file store adds. */
function storedBytes({ subject, id, payload }: Publication): number {
  return subject.length + HEADER_BYTES + id.length + payload.length + RECORD_BYTES;
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
