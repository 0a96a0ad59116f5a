import { NotOwnerError } from '../../errors/index.js';
import type { WaitOptions } from '../../util/wait-options.js';
import { HeldContexts } from './held-contexts.js';

/** What a call has acquired of an RwLock. */
interface RwHold {
  /** For writing; otherwise for reading. */
  readonly writes: boolean;
}

/**
 * Who calls an RwLock from within its `runRead` or `runWrite`: whoever reads within reading is let in
 * at once, what would wait for itself is refused.
 */
export class RwCallers<H extends RwHold> {
  readonly #contexts = new HeldContexts<H>();

  /** Runs `fn` within a hold, which is released then. */
  async run<R>(hold: H, fn: () => R | PromiseLike<R>, release: () => void | Promise<void>): Promise<R> {
    const entered = this.#contexts.enter(hold);
    try {
      return await entered.run(fn);
    } finally {
      entered.leave();
      await release();
    }
  }

  /**
   * The hold for reading that the caller runs within, if it does.
   * @throws NotOwnerError `MP_DEADLOCK` when it runs within writing and the wait has no bounds.
   */
  reader(actor: string, bounds: WaitOptions | undefined): H | undefined {
    const within = this.#contexts.callers();
    const reading = within.find(({ writes }) => !writes);
    if (reading === undefined && within.length > 0 && isUnbounded(bounds))
      throw deadlock(actor, 'the caller runs within runWrite()', 'read without it, or after it');
    return reading;
  }

  /** @throws NotOwnerError `MP_DEADLOCK` when the caller runs within either and the wait has no bounds. */
  checkWriter(actor: string, bounds: WaitOptions | undefined): void {
    const within = this.#contexts.callers();
    if (within.length === 0 || !isUnbounded(bounds)) return;
    throw within.some(({ writes }) => writes)
      ? deadlock(actor, 'the caller runs within runWrite()', 'write without it, or after it')
      : deadlock(
          actor,
          'the caller runs within runRead()',
          'write after it, and read again there: another writer may come in between',
        );
  }
}

function isUnbounded(bounds: WaitOptions | undefined): boolean {
  return bounds?.timeout === undefined && bounds?.signal === undefined;
}

/** What would wait for itself. */
export function deadlock(actor: string, why: string, repair: string): NotOwnerError {
  return new NotOwnerError(`${actor}: ${why}, and it would wait for ever; ${repair}.`, { code: 'MP_DEADLOCK' });
}
