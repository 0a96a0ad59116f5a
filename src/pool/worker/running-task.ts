import type { CurrentTask } from '../current-task.js';
import { WorkerTask } from './worker-task.js';

const NOBODY = -1;

/**
 * The task of the one item that runs. Most items never ask for theirs, so it is made when somebody
 * does: the item, or the parent that wants it to stop.
 */
export class RunningTask {
  /** The attempt of the item that runs. */
  #attempt = NOBODY;
  #task: WorkerTask | null = null;
  /** What stands in its place: code that runs items of its own within one sets that. */
  #instead: CurrentTask | null = null;
  readonly #report: (progress: unknown) => void;

  /** @param report Sends what the item that runs reports. */
  constructor(report: (progress: unknown) => void) {
    this.#report = report;
  }

  /** Whether an item runs. */
  get runs(): boolean {
    return this.#attempt !== NOBODY;
  }

  /** An item begins. */
  begins(attempt: number): void {
    this.#attempt = attempt;
  }

  /** It has ended. */
  ends(): void {
    this.#attempt = NOBODY;
    if (this.#task !== null) this.#task = null;
    if (this.#instead !== null) this.#instead = null;
  }

  /** Fires the signal of the item that runs. */
  abort(reason: unknown): void {
    this.#own()?.abort(reason);
  }

  /** Fires the signal of the item that runs now, when it is called. */
  stopper(): (reason: unknown) => void {
    const task = this.#own();
    return (reason) => task?.abort(reason);
  }

  /** Has `slot.task` name the task from here on. */
  shownIn(slot: { task: CurrentTask | null }): void {
    Object.defineProperty(slot, 'task', {
      configurable: true,
      enumerable: true,
      get: () => this.#instead ?? this.#own(),
      set: (task: CurrentTask | null) => {
        this.#instead = task;
      },
    });
  }

  #own(): WorkerTask | null {
    if (this.#attempt === NOBODY) return null;
    this.#task ??= new WorkerTask(this.#attempt, (task, progress) => {
      if (task === this.#task) this.#report(progress);
    });
    return this.#task;
  }
}
