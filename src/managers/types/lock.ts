import { NotOwnerError } from '../../errors/index.js';
import type { CurrentCall } from '../server/current-call.js';
import { caller } from './caller.js';
import { OwnedLock } from './owned-lock.js';
import { nameOf } from './ownership.js';
import { lockWait, type OfTask, type ServerWait } from './server-wait.js';

/** What a condition asks of the lock that it is used under. */
export interface ConditionLock {
  acquire(options?: ServerWait & OfTask): boolean | Promise<boolean>;
  release(options?: OfTask): void;
  locked(): boolean;
  readonly ownerDied: boolean;
  recover(): void;
  /** Returns whether the caller holds it. */
  heldBy(call: CurrentCall, task: number): boolean;
  /** Releases all levels. Returns how many there were. */
  suspend(): number;
  /** Acquires again, as deep as it was. Rejects when the agent is gone. */
  resume(call: CurrentCall, task: number, depth: number): Promise<void>;
}

/**
 * The lock that a manager's `Lock()` makes, in the server.
 *
 * Semantics: as `Lock`: whoever holds it, any client may release it; who asked first gets it next.
 * When the agent that acquired it is gone, the next one gets it, and `ownerDied` is true until
 * `recover`.
 *
 * Python: `threading.Lock` in the server, which stays locked when its holder's process dies.
 */
export class ManagedLock extends OwnedLock implements ConditionLock {
  /** Acquires: `false` when the time ran out. */
  acquire(options?: ServerWait & OfTask): boolean | Promise<boolean> {
    return this.ownership.take(caller(), 0, lockWait('Lock.acquire', options).timeout);
  }

  /**
   * Releases it, whoever acquired it.
   * @throws NotOwnerError `MP_NOT_OWNER` when nobody holds it.
   */
  release(_options?: OfTask): void {
    if (this.ownership.holder === null) {
      throw new NotOwnerError('Lock.release: nobody holds it; release once for each acquire that answered true.');
    }
    this.ownership.give();
  }

  /** `<Lock(owner=None)>`, `<Lock(owner=SpawnProcess-1)>`. */
  override toString(): string {
    return `<Lock(owner=${nameOf(this.ownership.holder)}${this.ownerDied ? ', owner died' : ''})>`;
  }

  /** @internal */
  heldBy(call: CurrentCall, _task: number): boolean {
    return this.ownership.holder?.client === call.client;
  }

  /** @internal */
  suspend(): number {
    this.ownership.give();
    return 1;
  }

  /** @internal */
  async resume(call: CurrentCall, _task: number, _depth: number): Promise<void> {
    await this.ownership.take(call, 0, undefined);
  }
}
