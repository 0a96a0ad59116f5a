/**
 * An agent's way to one driver: what it is to be told is sent until it has answered.
 *
 *   waiting -> under way -> answered        several messages under way, each with what had come by then
 *      ^           |
 *      +-----------+   no answer: again; nobody there: again, until the driver counts as gone
 *
 * A driver drops what it has had, so a message that is sent twice counts once.
 */
import { clearTimeout, performance, queueMicrotask, setTimeout } from '../../util/timers.js';
import type { Broker } from '../broker/index.js';
import { type DriverRecord, driverSubject, partSubject, readTexts, writeRecords } from '../wire/index.js';

/** Messages under way to one driver. */
const WINDOW = 4;
/** Parts of one payload under way. */
const PARTS_UNDER_WAY = 4;
/**
 * Most bytes of a part. The client joins what comes in pieces in buffers that double, so a large
 * message costs its receiver several times its bytes; many small ones cost an answer each.
 */
const PART_BYTES = 512 * 1024;
/** Bytes of payload after which a message is sent as it is. */
const BATCH_BYTES = 128 * 1024;
const BATCH_RECORDS = 256;
const ANSWER_TIMEOUT_MS = 3_000;
/** Milliseconds until one that is not there is asked again. */
const ABSENT_WAIT_MS = 200;

interface Waiting {
  readonly record: DriverRecord;
  /** Called once the driver has it; with `false` when there is no driver any more. */
  readonly delivered: (delivered: boolean) => void;
}

export class DriverLink {
  readonly #broker: Broker;
  readonly #driver: string;
  readonly #lease: number;
  readonly #gone: () => void;
  #waiting: Waiting[] = [];
  #underWay = 0;
  #transfers = 0;
  /** Since when nobody answered; -1 while somebody does. */
  #absentSince = -1;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param lease Milliseconds without an answer after which the driver is gone.
   * @param gone Called once, then.
   */
  constructor(broker: Broker, driver: string, lease: number, gone: () => void) {
    this.#broker = broker;
    this.#driver = driver;
    this.#lease = lease;
    this.#gone = gone;
  }

  /** Tells the driver; `delivered` is called when it has answered. */
  tell(record: DriverRecord, delivered: (delivered: boolean) => void = ignore): void {
    if (this.#ended) {
      delivered(false);
      return;
    }
    this.#waiting.push({ record, delivered });
    if (this.#underWay === 0) queueMicrotask(this.#send);
    else this.#send();
  }

  /** Says something that harms nobody when it is lost. */
  mention(record: DriverRecord): void {
    this.#broker.publish(driverSubject(this.#driver), writeRecords([record]));
  }

  /**
   * A payload as the driver is told of it: one that is larger than a message goes ahead in parts,
   * under a name.
   */
  async payload(host: string, bytes: Uint8Array): Promise<Uint8Array | string> {
    const { maxPayload } = this.#broker;
    if (bytes.length <= maxPayload) return bytes;
    // All of one size.
    const size = Math.ceil(bytes.length / Math.ceil(bytes.length / Math.min(PART_BYTES, maxPayload)));
    const transfer = `${host}-${++this.#transfers}`;
    let next = 0;
    const send = async (): Promise<void> => {
      for (let at = next; at < bytes.length && !this.#ended; at = next) {
        next += size;
        const subject = partSubject(this.#driver, transfer, at, bytes.length);
        await this.#insist(subject, bytes.subarray(at, at + size));
      }
    };
    await Promise.all(Array.from({ length: PARTS_UNDER_WAY }, send));
    return transfer;
  }

  /** Sends until it is answered, or the driver is gone. */
  async #insist(subject: string, message: Uint8Array): Promise<void> {
    while (!this.#ended) {
      const answer = await this.#broker.request(subject, message, ANSWER_TIMEOUT_MS);
      this.#heard(answer !== undefined);
      if (answer !== undefined) return;
      await new Promise<void>((resolve) => setTimeout(resolve, ABSENT_WAIT_MS));
    }
  }

  /**
   * Asks which of these runs the driver wants no more; `undefined` when it did not answer. It counts
   * as gone when it has not for the length of its lease.
   */
  async unwanted(runs: readonly string[]): Promise<readonly string[] | undefined> {
    const answer = await this.#broker.request(
      driverSubject(this.#driver),
      writeRecords([{ type: 'wanted', runs }]),
      ANSWER_TIMEOUT_MS,
    );
    this.#heard(answer !== undefined);
    return answer === undefined ? undefined : readTexts(answer);
  }

  /** Nothing is told any more. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { delivered } of waiting) delivered(false);
  }

  readonly #send = (): void => {
    while (!this.#ended && this.#waiting.length > 0 && this.#underWay < WINDOW && this.#timer === undefined) {
      let bytes = 0;
      let count = 0;
      const max = Math.min(BATCH_BYTES, this.#broker.maxPayload);
      for (const { record } of this.#waiting) {
        const size = sizeOf(record);
        if (count > 0 && (bytes + size > max || count >= BATCH_RECORDS)) break;
        bytes += size;
        count++;
      }
      const batch = this.#waiting.splice(0, count);
      this.#underWay++;
      void this.#deliver(batch);
    }
  };

  async #deliver(batch: Waiting[]): Promise<void> {
    const message = writeRecords(batch.map(({ record }) => record));
    const answer = await this.#broker.request(driverSubject(this.#driver), message, ANSWER_TIMEOUT_MS);
    this.#underWay--;
    this.#heard(answer !== undefined);
    if (answer !== undefined) {
      for (const { delivered } of batch) delivered(true);
    } else if (this.#ended) {
      for (const { delivered } of batch) delivered(false);
    } else {
      this.#waiting.unshift(...batch);
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#send();
      }, ABSENT_WAIT_MS);
    }
    this.#send();
  }

  /** While the broker is away, nobody can say whether the driver is there. */
  #heard(answered: boolean): void {
    if (answered || !this.#broker.up) {
      this.#absentSince = -1;
      return;
    }
    const now = performance.now();
    if (this.#absentSince < 0) this.#absentSince = now;
    if (now - this.#absentSince < this.#lease || this.#ended) return;
    this.end();
    this.#gone();
  }
}

function sizeOf(record: DriverRecord): number {
  const payload = record.type === 'result' || record.type === 'report' ? record.payload : '';
  return payload.length + 64;
}

function ignore(): void {}
