/** What the server has: jobs, who works on which, and what came out of them. */
import { Queue } from 'multiprocess';
import { type ClientAgent, currentCall } from 'multiprocess/managers';

export interface Job {
  readonly name: string;
  readonly text: string;
}

/** What came out of all jobs. */
export interface Summary {
  readonly jobs: number;
  /** Jobs that came back, since their consumer went away before they were done. */
  readonly back: number;
  readonly counts: ReadonlyMap<string, number>;
}

/** Jobs that wait, at most: a producer that is faster than all consumers waits in `put`. */
const ROOM = 16;

/** Lives in the server; clients call its methods over TCP. What begins with `_` they cannot reach. */
export class Desk {
  readonly #waiting = new Queue<Job>({ maxSize: ROOM });
  /** What each consumer works on. */
  readonly #held = new Map<ClientAgent, Set<Job>>();
  readonly #over = new AbortController();
  readonly #counts = new Map<string, number>();
  readonly _finished: Promise<Summary>;
  #finish!: (summary: Summary) => void;
  #producers: number;
  #open = 0;
  #jobs = 0;
  #back = 0;

  /** @param producers How many will come: jobs are complete when so many have come and gone. */
  constructor(producers: number) {
    this.#producers = producers;
    this._finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Says that this client is a producer, until its connection ends, however it ends. */
  produce(): void {
    currentCall()!.client.onEnd(() => {
      this.#producers--;
      this.#look();
    });
  }

  /** Puts a job, and waits for room. */
  async put(job: Job): Promise<void> {
    await this.#waiting.put(job, { signal: currentCall()!.signal });
    this.#open++;
  }

  /** Takes a job, and waits for one; `null` when all are done. It comes back if its client ends before `done`. */
  async take(): Promise<Job | null> {
    const { client, signal } = currentCall()!;
    const held = this.#heldBy(client);
    try {
      const job = await this.#waiting.get({ signal: AbortSignal.any([signal, this.#over.signal]) });
      held.add(job);
      if (client.ended) this.#giveBack(client, held);
      return job;
    } catch (error) {
      if (this.#over.signal.aborted) return null;
      throw error;
    }
  }

  /** Hands in what came out of a job. */
  done(name: string, counts: ReadonlyMap<string, number>): void {
    const held = this.#heldBy(currentCall()!.client);
    const job = [...held].find((one) => one.name === name);
    if (job === undefined) return; // the connection broke meanwhile: somebody else has it
    held.delete(job);
    for (const [word, count] of counts) this.#counts.set(word, (this.#counts.get(word) ?? 0) + count);
    this.#jobs++;
    this.#open--;
    this.#look();
  }

  #heldBy(client: ClientAgent): Set<Job> {
    const known = this.#held.get(client);
    if (known !== undefined) return known;
    const held = new Set<Job>();
    this.#held.set(client, held);
    client.onEnd(() => this.#giveBack(client, held));
    return held;
  }

  #giveBack(client: ClientAgent, held: Set<Job>): void {
    this.#held.delete(client);
    for (const job of held) {
      this.#back++;
      void this.#waiting.put(job);
    }
    held.clear();
    this.#look();
  }

  /** Whether all is done; and, when the consumers have heard that and gone, whether the server may end. */
  #look(): void {
    if (this.#producers > 0 || this.#open > 0) return;
    this.#over.abort();
    if (this.#held.size === 0) this.#finish({ jobs: this.#jobs, back: this.#back, counts: this.#counts });
  }
}
