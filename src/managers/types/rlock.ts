import { NotOwnerError } from '../../errors/index.js';
import type { CurrentCall } from '../server/current-call.js';
import { caller } from './caller.js';
import type { ConditionLock } from './lock.js';
import { OwnedLock } from './owned-lock.js';
import { nameOf } from './ownership.js';
import { lockWait, type OfTask, type ServerWait, taskOf } from './server-wait.js';

/**
 * The lock that a manager's `RLock()` makes, in the server: its owner may enter it again.
 *
 * Owner: the agent and, through a proxy, its async context, as with `RLock`: the proxy numbers its
 * acquisitions, and names the number of the one that its caller's context stems from. Fairness and
 * owner death as with {@link ManagedLock}.
 *
 * Python: `threading.RLock` in the server, where the owner is the client's thread.
 */
export class ManagedRLock extends OwnedLock implements ConditionLock {
  /** Acquires, once more where the caller owns it: `false` when the time ran out. */
  acquire(options?: ServerWait & OfTask): boolean | Promise<boolean> {
    const { timeout, task } = lockWait('RLock.acquire', options);
    const call = caller();
    if (this.heldBy(call, task)) {
      this.ownership.depth++;
      return true;
    }
    return this.ownership.take(call, task, timeout);
  }

  /** Releases it once. @throws NotOwnerError `MP_NOT_OWNER` when the caller does not hold it. */
  release(options?: OfTask): void {
    const call = caller();
    const { holder } = this.ownership;
    if (!this.heldBy(call, taskOf('RLock.release', options))) {
      const other = holder?.client === call.client ? 'another task of the caller' : nameOf(holder);
      const who = holder === null ? 'nobody holds it' : `${other} holds it`;
      throw new NotOwnerError(
        `RLock.release: ${who}; only the owner may, once for each acquire. See hold() and runExclusive() to release elsewhere.`,
      );
    }
    if (this.ownership.depth > 1) this.ownership.depth--;
    else this.ownership.give();
  }

  /** `<RLock(None, 0)>`, `<RLock(SpawnProcess-1, 2)>`: owner and depth. */
  override toString(): string {
    const { holder, depth } = this.ownership;
    return `<RLock(${nameOf(holder)}, ${depth}${this.ownerDied ? ', owner died' : ''})>`;
  }

  /** @internal */
  heldBy(call: CurrentCall, task: number): boolean {
    return this.ownership.heldBy(call.client, task);
  }

  /** @internal */
  suspend(): number {
    const { depth } = this.ownership;
    this.ownership.give();
    return depth;
  }

  /** @internal */
  async resume(call: CurrentCall, task: number, depth: number): Promise<void> {
    await this.ownership.take(call, task, undefined);
    this.ownership.depth = depth;
  }
}
