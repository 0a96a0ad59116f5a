/**
 * Becoming the reader of a durable run: its record is found once nobody reads it, and names this driver
 * from then on.
 */
import { runRecordOf, runsOf } from '../broker/index.js';
import { otherSerializer, type RunKeeper, runBusy, StaleRecord, type StoredRun, unknownRun } from '../durable/index.js';
import { driverSubject, nameOfRun, readRunRecord, writeRecords } from '../wire/index.js';
import type { DistributedEngine } from './engine.js';

/** Who becomes the reader. */
export interface RunHeir {
  /** It is to read the run by this record. Returns what keeps it. */
  inherit(record: StoredRun): RunKeeper;
  /** It is not, after all. */
  renounce(): void;
}

/** A run that is this driver's. */
export interface TakenRun {
  readonly record: StoredRun;
  readonly keeper: RunKeeper;
}

/**
 * Takes a run over. `undefined`: the pool has ended.
 * @throws (rejects) ArgumentError `MP_RUN_BUSY`, `MP_UNKNOWN_RUN`, and for another serializer.
 */
export async function takeOver(engine: DistributedEngine, id: string, heir: RunHeir): Promise<TakenRun | undefined> {
  for (;;) {
    const record = await recordOf(engine, id);
    if (record === undefined) return undefined;
    const keeper = heir.inherit(record);
    try {
      await keeper.begin(false);
      return { record, keeper };
    } catch (error) {
      await keeper.release(error);
      heir.renounce();
      // The last word of the driver before may come meanwhile.
      if (!(error instanceof StaleRecord)) throw error;
    }
  }
}

/** The record, once nobody else reads the run. */
async function recordOf(engine: DistributedEngine, id: string): Promise<StoredRun | undefined> {
  const { broker, names, settings } = engine;
  const over = (): boolean => engine.over;
  const name = nameOfRun(id);
  for (let before = -1; ; ) {
    const found = await broker.persist(async () => (await runRecordOf(broker, names, id)) ?? null, over);
    if (found === undefined) return undefined;
    if (found === null) {
      const known = (await broker.persist(() => runsOf(broker, names), over)) ?? [];
      throw unknownRun(name, names.pool, known.map(nameOfRun));
    }
    // While a question waited for the answer of one that is stopped, another may have become its reader.
    if (found.seq !== before) {
      before = found.seq;
      if (!(await isFree(engine, id))) return undefined;
      continue;
    }
    const record = { ...readRunRecord(found.data), sequence: found.seq };
    if (record.serializer !== settings.serializer) throw otherSerializer(name, record.serializer);
    return record;
  }
}

/**
 * Asks whoever reads the run. `false`: the pool has ended.
 * @throws (rejects) ArgumentError `MP_RUN_BUSY` when somebody answers.
 */
async function isFree(engine: DistributedEngine, id: string): Promise<boolean> {
  const { broker } = engine;
  const question = writeRecords([{ type: 'wanted', runs: [] }]);
  for (let asked = false; !asked; asked = broker.up) {
    await broker.available();
    if (engine.over) return false;
    // Without a connection nobody answers.
    if ((await broker.request(driverSubject(id), question)) !== undefined) throw runBusy(nameOfRun(id));
  }
  return true;
}
