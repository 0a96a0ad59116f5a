/** The durable runs that this driver reads, and those that the broker has. */
import { type Broker, Publisher, runRecordOf, runsOf } from '../broker/index.js';
import { IndexSet, RunKeeper, type RunKeeperOwner, type RunShape, type StoredRun } from '../durable/index.js';
import { nameOfRun, type PoolNames, readRunRecord } from '../wire/index.js';
import { DriverInbox, type DriverInboxOwner } from './driver-inbox.js';
import type { Outcomes } from './outcomes.js';
import type { RunName } from './run.js';
import type { RunInfo } from './run-info.js';

/** Who is told. */
export interface KeptRunsOwner {
  /** Takes the results of runs that begin here, and answers what agents ask about them. */
  readonly outcomes: Outcomes;
  /** Another driver reads a run from here on. */
  taken(run: string): void;
  /** One is not kept here any more. */
  released(): void;
  isOver(): boolean;
}

export class KeptRuns {
  readonly #broker: Broker;
  readonly #names: PoolNames;
  readonly #driver: string;
  readonly #owner: KeptRunsOwner;
  /** Those whose results are not all delivered. */
  readonly #keepers = new Set<RunKeeper>();
  /** Of records: a full queue of tasks does not hold them up. */
  readonly #records: Publisher;

  constructor(broker: Broker, names: PoolNames, driver: string, owner: KeptRunsOwner) {
    this.#broker = broker;
    this.#names = names;
    this.#driver = driver;
    this.#owner = owner;
    this.#records = new Publisher(broker);
  }

  get size(): number {
    return this.#keepers.size;
  }

  /** What keeps a run that begins here. */
  begin({ id }: RunName, shape: RunShape): RunKeeper {
    const { outcomes } = this.#owner;
    const keeper = this.keep(id, shape, {
      result: (record, payload) => outcomes.result(record, payload),
      taken: () => this.#owner.taken(id),
    });
    this.listen(keeper, outcomes);
    return keeper;
  }

  /** What keeps a run, whose results go to `owner`. */
  keep(run: string, shape: RunShape, owner: RunKeeperOwner, record?: StoredRun): RunKeeper {
    const keeper = new RunKeeper(this.#broker, this.#names, this.#records, this.#driver, run, shape, owner, record);
    this.#keepers.add(keeper);
    keeper.own(() => {
      this.#keepers.delete(keeper);
      this.#owner.released();
    });
    return keeper;
  }

  /** Has agents find a run here, for as long as it is kept. */
  listen(keeper: RunKeeper, owner: DriverInboxOwner): void {
    keeper.answer(() => {
      const inbox = new DriverInbox(this.#broker, keeper.run, owner);
      return () => inbox.close();
    });
  }

  /** All that the broker has of the pool. */
  async list(): Promise<RunInfo[]> {
    const found = await this.#broker.persist(
      async () => {
        const ids = await runsOf(this.#broker, this.#names);
        return Promise.all(ids.map(async (id) => ({ id, record: await runRecordOf(this.#broker, this.#names, id) })));
      },
      () => this.#owner.isOver(),
    );
    const infos: RunInfo[] = [];
    for (const { id, record } of found ?? []) {
      // It was forgotten meanwhile.
      if (record === undefined) continue;
      const { admitted, total, delivered, since } = readRunRecord(record.data);
      infos.push({
        run: nameOfRun(id),
        items: admitted,
        ...(total < 0 ? {} : { total }),
        delivered: new IndexSet(delivered).size,
        since: new Date(since),
      });
    }
    return infos;
  }

  /** Lets go of all: they go on without this driver. Each resolves when the broker knows. */
  release(reason: unknown): Promise<void>[] {
    return [...this.#keepers].map((keeper) => keeper.release(reason));
  }

  close(): void {
    this.#records.close();
  }
}
