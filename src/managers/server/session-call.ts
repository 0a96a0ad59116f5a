import type { ClientAgent, CurrentCall } from './current-call.js';

/** A call of a client that is under way. */
export class SessionCall implements CurrentCall {
  readonly client: ClientAgent;
  readonly id: number;
  #controller: AbortController | undefined;
  #reason: unknown;
  /** It was answered, or will not be. */
  settled = false;

  constructor(client: ClientAgent, id: number) {
    this.client = client;
    this.id = id;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
