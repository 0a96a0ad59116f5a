/** Where agents reach a driver: their records, their questions, the parts of large payloads. */
import { debug } from '../../util/logger.js';
import { type Broker, type Msg, messageOf, type Unlisten } from '../broker/index.js';
import {
  type DriverRecord,
  driverSubject,
  MAX_PAYLOAD_BYTES,
  partSubject,
  readRecords,
  writeTexts,
} from '../wire/index.js';
import type { ResultRecord } from './outcome-decoder.js';
import { Transfers } from './transfers.js';

/** What an agent says that is neither a question nor a result. */
export type Notice = Exclude<DriverRecord, { type: 'wanted' | 'result' }>;

/** Who is told. */
export interface DriverInboxOwner {
  /** Some items have ended; perhaps once more. Without its payload: that came in parts, and is not whole. */
  result(record: ResultRecord, payload: Uint8Array | undefined): void;
  heard(record: Notice): void;
  /** Whether a run, or some items of it, are still wanted: see the record `wanted`. */
  isWanted(question: string): boolean;
}

export class DriverInbox {
  readonly #broker: Broker;
  readonly #owner: DriverInboxOwner;
  readonly #transfers: Transfers;
  readonly #unlisten: readonly Unlisten[];

  constructor(broker: Broker, driver: string, owner: DriverInboxOwner) {
    this.#broker = broker;
    this.#owner = owner;
    this.#transfers = new Transfers(MAX_PAYLOAD_BYTES);
    this.#unlisten = [
      broker.subscribe(driverSubject(driver), (message) => this.#heard(message)),
      broker.subscribe(partSubject(driver, '*', '*', '*'), (message) => this.#part(message)),
    ];
  }

  close(): void {
    for (const unlisten of this.#unlisten) unlisten();
  }

  #heard(message: Msg): void {
    let records: DriverRecord[];
    try {
      records = readRecords(message.data);
    } catch (error) {
      debug('distributed pool: %s', messageOf(error));
      return;
    }
    let unwanted: string[] | undefined;
    for (const record of records) {
      if (record.type === 'wanted') unwanted = record.runs.filter((name) => !this.#owner.isWanted(name));
      else if (record.type === 'result') {
        const { payload } = record;
        this.#owner.result(record, typeof payload === 'string' ? this.#transfers.take(payload) : payload);
      } else this.#owner.heard(record);
    }
    if (message.reply !== '')
      this.#broker.publish(message.reply ?? '', unwanted === undefined ? '' : writeTexts(unwanted));
  }

  #part(message: Msg): void {
    const [transfer = '', at, bytes] = message.subject.split('.').slice(-3);
    this.#transfers.add(transfer, Number(at), Number(bytes), message.data);
    this.#broker.publish(message.reply ?? '', '');
  }
}
