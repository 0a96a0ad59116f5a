import type { CurrentTask } from '../current-task.js';
import { workerSlot } from '../worker-state.js';

/** The running item as it sees itself. The signal is made when somebody asks for it. */
export class WorkerTask implements CurrentTask {
  readonly attempt: number;
  /** Works by itself too: tasks take it out of its object. */
  readonly report: (progress: unknown) => void;
  #controller: AbortController | null = null;
  #aborted = false;
  #reason: unknown;

  constructor(attempt: number, send: (task: WorkerTask, progress: unknown) => void) {
    this.attempt = attempt;
    this.report = (progress) => send(this, progress);
  }

  get worker(): number {
    return workerSlot.number ?? 0;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Fires the signal, once. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
