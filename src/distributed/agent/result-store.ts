/** Stores how items of durable runs ended, where whoever reads the run finds it. */
import { ConnectionError } from '../../errors/index.js';
import { debug } from '../../util/logger.js';
import { type Broker, type BrokerRefusal, Publisher, publishOnce } from '../broker/index.js';
import { type DriverRecord, type PoolNames, storeBlob, writeRecords } from '../wire/index.js';
import type { HeldTask } from './held-task.js';

type ResultRecord = Extract<DriverRecord, { type: 'result' }>;

/** Room for the other fields of a result beside its payload. */
const RESULT_ROOM_BYTES = 512;

export class ResultStore {
  readonly #broker: Broker;
  readonly #names: PoolNames;
  readonly #publisher: Publisher;

  constructor(broker: Broker, names: PoolNames) {
    this.#broker = broker;
    this.#names = names;
    this.#publisher = new Publisher(broker);
  }

  /** Resolves when the broker has it: with `false` when it does not take it. */
  async store({ task, sequence }: HeldTask, record: ResultRecord & { readonly payload: Uint8Array }): Promise<boolean> {
    const { run, chunk, offset, count, payload } = record;
    const id = `${task.driver}/${chunk}/${offset}/${count}/${sequence}`;
    try {
      let stored: Uint8Array | string = payload;
      if (payload.length > this.#broker.maxPayload - RESULT_ROOM_BYTES) {
        stored = `${task.driver}.result-${chunk}-${offset}-${count}`;
        await storeBlob(this.#broker, this.#publisher, this.#names, stored, payload, refused);
      }
      const bytes = writeRecords([{ ...record, payload: stored }]);
      await publishOnce(this.#publisher, this.#names.result(run, chunk, offset, count), id, bytes, refused);
      return true;
    } catch (error) {
      debug('agent: a result of run %s could not be stored: %s', run, error);
      return false;
    }
  }

  close(): void {
    this.#publisher.close();
  }
}

function refused({ description }: BrokerRefusal): ConnectionError {
  return new ConnectionError(`The broker did not take a result: ${description}.`);
}
