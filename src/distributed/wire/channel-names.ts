/**
 * Names of queues and topics at the broker. `<kind>` is `queue` or `topic`; docs/distributed.md has
 * them for other languages.
 *
 *   mp.v1.<kind>.<name>.items                     an item, in the stream MP_QUEUE_<name>, MP_TOPIC_<name>
 *   mp.v1.<kind>.<name>.items.<writer>.<number>   an item whose bytes lie in parts
 *   mp.v1.<kind>.<name>.parts.<writer>.<number>.<part>   these, in MP_QUEUESTATE_<name>, MP_TOPICSTATE_<name>
 *   mp.v1.<kind>.<name>.state.writers.<writer>    what a writer said last, there too
 *   mp.v1.<kind>.<name>.state.error               what ended it, there too
 *   mp.v1.<kind>.<name>.said.>                    what is stored below `state`, to all that listen
 *   mp.v1.<kind>.<name>.lease                     to all that use it: its lease is so many milliseconds from now on
 */
import type { BlobNames } from './blobs.js';
import { PROTOCOL } from './subjects.js';

/** What lies at the broker under one name. */
export type ChannelKind = 'queue' | 'topic';

/** The header that says how an item became bytes. Without it: `msgpackr`. */
export const SERIALIZER_HEADER = 'Mp-Serializer';

export class ChannelNames implements BlobNames {
  /** The stream of items. */
  readonly stream: string;
  /** The stream of parts, writers and the error. */
  readonly state: string;
  /** Subjects. */
  readonly items: string;
  readonly writers: string;
  readonly error: string;
  /** Where the broker says again what it stores below `state`. */
  readonly saidByWriters: string;
  readonly saidError: string;
  readonly lease: string;
  readonly #root: string;

  constructor(
    readonly kind: ChannelKind,
    readonly name: string,
    version = PROTOCOL,
  ) {
    const stream = `MP_${kind.toUpperCase()}`;
    this.#root = `mp.v${version}.${kind}.${name}`;
    this.stream = `${stream}_${name}`;
    this.state = `${stream}STATE_${name}`;
    this.items = `${this.#root}.items`;
    this.writers = `${this.#root}.state.writers.*`;
    this.error = `${this.#root}.state.error`;
    this.saidByWriters = `${this.#root}.said.writers.*`;
    this.saidError = `${this.#root}.said.error`;
    this.lease = `${this.#root}.lease`;
  }

  /** The stream of blobs. */
  get blobs(): string {
    return this.state;
  }

  get itemSubjects(): string[] {
    return [this.items, `${this.items}.>`];
  }

  get stateSubjects(): string[] {
    return [`${this.#root}.parts.>`, `${this.#root}.state.>`];
  }

  /**
   * Listeners have subjects of their own: somebody who listens to the subject of a stream hides that
   * there is no stream.
   */
  get republish(): { readonly src: string; readonly dest: string } {
    return { src: `${this.#root}.state.>`, dest: `${this.#root}.said.>` };
  }

  /** The subject of an item whose bytes are a blob. */
  largeItem(blob: string): string {
    return `${this.items}.${blob}`;
  }

  /** The blob that has an item's bytes; `undefined`: they are the message's own. */
  blobOf(subject: string): string | undefined {
    return subject.length > this.items.length ? subject.slice(this.items.length + 1) : undefined;
  }

  blobPart(blob: string, part: number | '*'): string {
    return `${this.#root}.parts.${blob}.${part}`;
  }

  /** First parts of all blobs. */
  get firstParts(): string {
    return `${this.#root}.parts.*.*.0`;
  }

  /** The blob of a part's subject. */
  blobOfPart(subject: string): string {
    return subject.slice(`${this.#root}.parts.`.length, subject.lastIndexOf('.'));
  }

  writer(writer: string): string {
    return `${this.#root}.state.writers.${writer}`;
  }

  saidBy(writer: string): string {
    return `${this.#root}.said.writers.${writer}`;
  }

  writerOf(subject: string): string {
    return subject.slice(subject.lastIndexOf('.') + 1);
  }
}
