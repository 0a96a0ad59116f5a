/**
 * This process as a writer: its record at the broker, which it renews while it puts.
 *
 *   none -> open -> completed | left
 *
 * The record is stored before the first item, so that no reader takes the queue for one whose writers
 * have all ended.
 */
import { clearInterval, setInterval } from '../../util/timers.js';
import { type Broker, type Publisher, publishOnce, type Unlisten } from '../broker/index.js';
import { type ChannelNames, readWriter, type WriterState, writeWriter } from '../wire/index.js';
import { refusal, repairing } from './repairing.js';
import { readWriters, removeFinished } from './writer-records.js';

export class OwnWriter {
  readonly #broker: Broker;
  readonly #names: ChannelNames;
  readonly #side: Publisher;
  readonly #subject: string;
  readonly #said: string;
  readonly #repair: () => Promise<void>;
  #lease: number;
  #opening: Promise<void> | undefined;
  #opened = false;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #unlisten: Unlisten[] = [];

  /** @param repair Makes the streams again. */
  constructor(
    broker: Broker,
    names: ChannelNames,
    side: Publisher,
    { id, lease, repair }: { readonly id: string; readonly lease: number; readonly repair: () => Promise<void> },
  ) {
    this.#broker = broker;
    this.#names = names;
    this.#side = side;
    this.#subject = names.writer(id);
    this.#said = names.saidBy(id);
    this.#lease = lease;
    this.#repair = repair;
  }

  /** Whether it has a record. */
  get opened(): boolean {
    return this.#opened;
  }

  /** Stores the record, unless it is there. */
  open(actor: string): Promise<void> {
    this.#opening ??= this.#open(actor);
    this.#opening.catch(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #open(actor: string): Promise<void> {
    await this.#broker.persist(
      async () => removeFinished(this.#broker, this.#names, await readWriters(this.#broker, this.#names)),
      () => this.#ended,
    );
    await this.#say(actor, 'open');
    this.#opened = true;
    if (this.#ended) return;
    this.#unlisten.push(
      this.#broker.subscribe(this.#said, ({ data }) => {
        // A reader had missed it.
        if (readWriter(data) === 'lost') this.#renew();
      }),
      this.#broker.onUp(() => this.#renew()),
    );
    this.lease = this.#lease;
  }

  /** Milliseconds; it is renewed three times as often. */
  set lease(milliseconds: number) {
    this.#lease = milliseconds;
    if (!this.#opened || this.#ended) return;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#renew(), milliseconds / 3);
  }

  /** Says that it puts no more; `left` only where it had said that it does. */
  async end(actor: string, state: 'completed' | 'left'): Promise<void> {
    if (this.#ended) return;
    if (state === 'completed') await this.open(actor);
    this.stop();
    if (this.#opened) await this.#say(actor, state);
  }

  /** Renews no more. */
  stop(): void {
    this.#ended = true;
    clearInterval(this.#timer);
    for (const unlisten of this.#unlisten.splice(0)) unlisten();
  }

  #renew(): void {
    if (!this.#ended) this.#broker.publish(this.#subject, writeWriter('open'));
  }

  #say(actor: string, state: WriterState): Promise<void> {
    return repairing(this.#repair, () =>
      publishOnce(this.#side, this.#subject, '', writeWriter(state), (reason) => refusal(this.#names, actor, reason)),
    );
  }
}
