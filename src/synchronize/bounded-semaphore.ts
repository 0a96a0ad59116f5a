import { registerShareable } from '../memory/index.js';
import { entry } from '../util/package.js';
import { Semaphore } from './semaphore.js';
import { SharedObject } from './state/shared-object.js';

/**
 * A {@link Semaphore} that never has more permits than at first: one release too many throws, where
 * it happens.
 *
 * Python: `multiprocessing.BoundedSemaphore`.
 * @example
 * import { BoundedSemaphore } from 'multiprocess';
 *
 * const one = new BoundedSemaphore(1);
 * try {
 *   one.release(); // nobody has acquired it
 * } catch (error) {
 *   console.log((error as { code: string }).code); // MP_OVER_RELEASE
 * }
 */
export class BoundedSemaphore extends Semaphore {
  protected override get most(): number {
    return this.initial;
  }

  /** `<BoundedSemaphore(value=2, maxvalue=2)>`. */
  protected override shown(): string {
    return `<BoundedSemaphore(value=${this.getValue()}, maxvalue=${this.initial})>`;
  }
}

registerShareable('BoundedSemaphore', {
  module: entry('synchronize/index'),
  class: BoundedSemaphore,
  toHandle: SharedObject.toHandle,
  closed: SharedObject.isClosed,
});
