import { NotOwnerError } from '../../errors/index.js';
import { checkNumber } from '../../util/options.js';
import { checkWaitOptions } from '../../util/wait-options.js';
import type { ClientAgent, CurrentCall } from '../server/current-call.js';
import { caller } from './caller.js';
import { type ServerWait, timeoutIn } from './server-wait.js';
import { WaiterQueue } from './waiter-queue.js';

/** From within what a client reads. */
export interface Within {
  /** Number of a hold for reading that the caller has: it is let in at once. */
  readonly within?: number | undefined;
}

/** What a client has acquired. */
interface Hold {
  readonly client: ClientAgent;
  readonly writes: boolean;
  /** Listens to the client's end no more. */
  readonly forget: () => void;
}

/**
 * The lock that a manager's `RwLock()` makes, in the server: many readers, or one writer.
 *
 *   writer | readers | waiting                    | who comes
 *    null  |    0    | nobody                     | is in
 *    null  |   n     | writers: none              | a reader is in, a writer waits
 *    null  |   n     | writers                    | waits
 *     w    |    0    | anybody                    | waits
 *
 * Fairness: as `RwLock`: readers that come while a writer waits are kept back, and let in together
 * when a writer has left, before the next one.
 *
 * Owner death: what an agent held is given back when it is gone; that of a writer leaves
 * `ownerDied` until `recover`.
 *
 * Python has none.
 */
export class ManagedRwLock {
  /** By the number that its client knows it by. */
  readonly #holds = new Map<number, Hold>();
  readonly #readers = new WaiterQueue<number>();
  readonly #writers: WaiterQueue<number> = new WaiterQueue<number>(() => this.#writerGaveUp());
  #last = 0;
  #reading = 0;
  #writer: Hold | null = null;
  #ownerDied = false;

  /** Acquires it for reading: the number of the hold, or `null` when the time ran out. */
  read(options?: ServerWait & Within): number | null | Promise<number | null> {
    checkWaitOptions('RwLock.read', options, ['within']);
    const call = caller();
    const outer = this.#holds.get(checkNumber('RwLock.read', 'within', options?.within, { integer: true }) ?? 0);
    const nested = outer !== undefined && !outer.writes && outer.client === call.client;
    if (nested || (this.#writer === null && this.#writers.length === 0)) return this.#begin(call, false);
    return this.#readers.wait(call, options?.timeout).then((hold) => hold ?? null);
  }

  /** Acquires it for writing: the number of the hold, or `null` when the time ran out. */
  write(options?: ServerWait): number | null | Promise<number | null> {
    const timeout = timeoutIn('RwLock.write', options);
    const call = caller();
    if (this.#writer === null && this.#reading === 0) return this.#begin(call, true);
    return this.#writers.wait(call, timeout).then((hold) => hold ?? null);
  }

  /** Releases a hold of the caller. @throws NotOwnerError when it has none of that number. */
  release(number: number): void {
    const hold = this.#holds.get(number);
    if (hold?.client !== caller().client)
      throw new NotOwnerError(
        'RwLock.release: the caller does not hold it; release what read() and write() gave, once.',
      );
    hold.forget();
    this.#end(number, hold);
  }

  /** Process id of the agent that writes; `null` when nobody does. */
  get owner(): number | null {
    return this.#writer?.client.pid ?? null;
  }

  /** Whether a writer's agent was gone while it wrote, and nobody has called {@link recover} since. */
  get ownerDied(): boolean {
    return this.#ownerDied;
  }

  /** Says that what the lock guards is whole again. */
  recover(): void {
    this.#ownerDied = false;
  }

  /** `<RwLock(writer=None, readers=2)>`. */
  toString(): string {
    const died = this.#ownerDied ? ', owner died' : '';
    return `<RwLock(writer=${this.#writer?.client.name ?? 'None'}, readers=${this.#reading}${died})>`;
  }

  #begin({ client }: CurrentCall, writes: boolean): number {
    const number = ++this.#last;
    const hold: Hold = {
      client,
      writes,
      forget: client.onEnd(() => {
        this.#ownerDied ||= writes;
        this.#end(number, hold);
      }),
    };
    this.#holds.set(number, hold);
    if (writes) this.#writer = hold;
    else this.#reading++;
    return number;
  }

  #end(number: number, { writes }: Hold): void {
    if (!this.#holds.delete(number)) return;
    if (writes) {
      this.#writer = null;
      if (!this.#admitReaders()) this.#admitWriter();
    } else if (--this.#reading === 0) this.#admitWriter();
  }

  /** Lets in all readers that wait. Returns whether there were any. */
  #admitReaders(): boolean {
    const { length } = this.#readers;
    for (let left = length; left > 0; left--) this.#readers.serveFirst(this.#begin(this.#readers.next!, false));
    return length > 0;
  }

  #admitWriter(): void {
    const next = this.#writers.next;
    if (next !== undefined) this.#writers.serveFirst(this.#begin(next, true));
  }

  /** Nobody keeps the readers back any more, if it was the last. */
  #writerGaveUp(): void {
    if (this.#writer === null && this.#writers.length === 0) this.#admitReaders();
  }
}
