/**
 * An async context for each task: what it stores with `AsyncLocalStorage.enterWith()` is not there
 * in the next one.
 *
 * The loop of a worker runs in a scope of its own, and a task runs in the loop's, which costs it
 * nothing. A task that calls `enterWith` at once has spoilt that scope; the loop is told, leaves
 * it, and goes on in a new one. What a task stores later, after it has waited, is in the context of
 * its own promise.
 *
 * Node offers no other way to learn of the call than to listen at the method. A scope for each task
 * would take 75 ns (a new resource on Node 20 and 22, where `enterWith` writes into the resource),
 * a third of what an empty item of a chunk takes.
 */
import { AsyncLocalStorage, type AsyncResource } from 'node:async_hooks';
import { callerContext } from '../../util/caller-context.js';

/** Whether a store was entered since the loop began, or went on. */
let spoilt = false;

const { enterWith } = AsyncLocalStorage.prototype;
AsyncLocalStorage.prototype.enterWith = {
  enterWith(this: AsyncLocalStorage<unknown>, store: unknown): void {
    spoilt = true;
    enterWith.call(this, store);
  },
}.enterWith;

/** The contexts of one worker. */
export class TaskContexts {
  /** What every task begins with. Never entered itself, so that it stays as it is. */
  #origin = callerContext();
  #scope = callerContext();

  /**
   * From here on tasks begin with the stores of the caller: what an initializer has entered is
   * there for all of them.
   */
  adopt(): void {
    this.#origin = callerContext();
    spoilt = true;
  }

  /** A context of its own for one task, which begins with what all begin with. */
  fresh(): AsyncResource {
    return this.#origin.runInAsyncScope(callerContext);
  }

  /** Whether the loop must not run another task in this scope: it returns, and is called again. */
  get spoilt(): boolean {
    return spoilt;
  }

  /** Runs the loop. */
  run(proceed: () => void): void {
    do {
      if (spoilt) this.#scope = this.#origin.runInAsyncScope(callerContext);
      spoilt = false;
      this.#scope.runInAsyncScope(proceed);
    } while (spoilt);
  }
}
