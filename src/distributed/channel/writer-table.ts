/**
 * The writers of a queue or topic, as a reader sees them: what they said last, and who has not been
 * heard of.
 *
 * A writer counts as lost when nothing was heard of it for the lease, by this process's clock, in
 * which the time without a broker does not count.
 */
import { debug } from '../../util/logger.js';
import { clearInterval, performance, setInterval } from '../../util/timers.js';
import { type Broker, lastMessageOf, type Msg, messageOf, type Unlisten } from '../broker/index.js';
import { type ChannelNames, readWriter, type WriterState, writeWriter } from '../wire/index.js';
import { producerLost } from './messages.js';
import type { OnWriterLost } from './options.js';
import { readWriters } from './writer-records.js';

/** How streams end now. */
export interface End {
  /** `undefined`: it completed. */
  readonly error: unknown;
  /** Whether writers have said so, and none of them is missed. */
  readonly said: boolean;
}

interface Entry {
  state: WriterState;
  heard: number;
}

export interface WriterTableSettings {
  /** Milliseconds. */
  readonly lease: number;
  /** Writers that must have completed at least. */
  readonly writers: number;
  readonly onWriterLost: OnWriterLost;
  /** What ended it, from its bytes. */
  decodeEnd(bytes: Uint8Array): unknown;
  /** Something may have ended. */
  changed(): void;
}

export class WriterTable {
  readonly #broker: Broker;
  readonly #names: ChannelNames;
  readonly #settings: WriterTableSettings;
  readonly #entries = new Map<string, Entry>();
  readonly #unlisten: Unlisten[] = [];
  #failure: End | null = null;
  #timer: NodeJS.Timeout | undefined;
  #lease: number;
  #started = false;
  #loaded = false;
  #closed = false;

  constructor(broker: Broker, names: ChannelNames, settings: WriterTableSettings) {
    this.#broker = broker;
    this.#names = names;
    this.#settings = settings;
    this.#lease = settings.lease;
  }

  /** Begins to watch them, once. */
  start(): void {
    if (this.#started || this.#closed) return;
    this.#started = true;
    this.#unlisten.push(
      this.#broker.subscribe(this.#names.saidByWriters, (message) => this.#heard(message)),
      this.#broker.subscribe(this.#names.saidError, ({ data }) => this.#failed(data)),
      this.#broker.onUp(() => void this.#load()),
      this.#broker.onDown(() => (this.#loaded = false)),
    );
    this.lease = this.#lease;
    void this.#load();
  }

  set lease(milliseconds: number) {
    this.#lease = milliseconds;
    if (!this.#started || this.#closed) return;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(), milliseconds / 2);
  }

  /** What comes after the last item; `null`: more may come, or it is not known yet. */
  end(): End | null {
    if (this.#failure !== null) return this.#failure;
    if (!this.#loaded) return null;
    const { writers, onWriterLost } = this.#settings;
    let completed = 0;
    let lost = 0;
    for (const { state } of this.#entries.values()) {
      if (state === 'open') return null;
      if (state === 'completed') completed++;
      else if (state === 'lost') lost++;
    }
    if (onWriterLost === 'wait') lost = 0;
    if (completed + lost < writers) return null;
    const error = lost > 0 && onWriterLost === 'error' ? producerLost(this.#names) : undefined;
    return { error, said: lost === 0 };
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const unlisten of this.#unlisten.splice(0)) unlisten();
  }

  async #load(): Promise<void> {
    try {
      await this.#broker.persist(
        async () => {
          const begun = performance.now();
          const states = await readWriters(this.#broker, this.#names);
          for (const [writer, { heard }] of [...this.#entries])
            if (heard < begun && !states.has(writer)) this.#entries.delete(writer);
          // What was heard meanwhile is as new. A writer that is read late begins no round: it would
          // have those forgotten that were heard to complete, and their records say that they are open.
          const heard = performance.now();
          for (const [writer, state] of states)
            if ((this.#entries.get(writer)?.heard ?? Number.NEGATIVE_INFINITY) < begun)
              this.#entries.set(writer, { state, heard });
          const failure = await lastMessageOf(this.#broker, this.#names.state, this.#names.error);
          if (failure !== undefined) this.#failed(failure.data);
          this.#loaded = true;
        },
        () => this.#closed,
      );
    } catch (error) {
      debug('the writers of %s are not known: %s', this.#names.stream, messageOf(error));
    }
    if (!this.#closed) this.#settings.changed();
  }

  #heard({ subject, data }: Msg): void {
    const state = readWriter(data);
    if (state === undefined) return;
    this.#note(this.#names.writerOf(subject), state);
    if (state !== 'open') this.#settings.changed();
  }

  #note(writer: string, state: WriterState): void {
    if (state === 'open' && !this.#entries.has(writer)) this.#newRound();
    this.#entries.set(writer, { state, heard: performance.now() });
  }

  /** A writer that comes when all had ended begins anew, see {@link removeFinished}. */
  #newRound(): void {
    const states = [...this.#entries.values()].map(({ state }) => state);
    if (states.includes('completed') && !states.includes('open')) this.#entries.clear();
  }

  #failed(bytes: Uint8Array): void {
    this.#failure ??= { error: this.#settings.decodeEnd(bytes), said: true };
    this.#settings.changed();
  }

  #look(): void {
    if (!this.#broker.up || !this.#loaded) return;
    const due = performance.now() - this.#lease;
    for (const [writer, entry] of this.#entries) {
      if (entry.state !== 'open' || entry.heard > due) continue;
      entry.state = 'lost';
      // Readers that come later need not wait for it. One that lives says so.
      this.#broker.publish(this.#names.writer(writer), writeWriter('lost'));
      this.#settings.changed();
    }
  }
}
