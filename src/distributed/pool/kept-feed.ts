/**
 * The results of a durable run on their way to its consumer: what that takes is delivered, and never
 * comes again.
 */
import {
  type Counts,
  ENDED,
  type Feed,
  type FeedListener,
  type FeedState,
  NOTHING,
  OPEN,
  type Projector,
  type StreamDefinition,
} from '../../streams/index.js';
import type { RunKeeper } from '../durable/index.js';

/** A result with the index of its item. */
class KeptResult {
  constructor(
    readonly index: number,
    readonly value: unknown,
  ) {}
}

const withIndex: Projector = (index, value) => new KeptResult(index, value);

export class KeptFeed implements Feed<unknown> {
  readonly #inner: Feed<unknown>;
  readonly #keeper: RunKeeper;
  readonly #shape: Projector | undefined;
  #left = false;
  #forgotten = false;

  /** @param execution Streams the results of the run, from its first item on. */
  constructor(
    keeper: RunKeeper,
    execution: StreamDefinition,
    { ready, closed }: FeedListener,
    shape: Projector | undefined,
  ) {
    this.#keeper = keeper;
    this.#shape = shape;
    const listener: FeedListener = {
      ready,
      closed: () => {
        void keeper.forget().finally(() => {
          this.#forgotten = true;
          ready();
          closed();
        });
      },
    };
    this.#inner = execution.open(listener, withIndex);
    // What lies ready here is delivered elsewhere.
    keeper.onMine = ready;
    keeper.onLost = (reason) => this.#inner.endWithError(reason);
  }

  /** It is over once its name is free again. */
  get state(): FeedState {
    const { state } = this.#inner;
    return state === ENDED && !this.#left && !this.#forgotten ? OPEN : state;
  }

  get failure(): unknown {
    return this.#inner.failure;
  }

  get onProgress(): (() => void) | null {
    return this.#inner.onProgress;
  }

  set onProgress(listener: (() => void) | null) {
    this.#inner.onProgress = listener;
  }

  start(): void {
    this.#inner.start();
  }

  take(): unknown {
    if (!this.#keeper.mine && this.#inner.state === OPEN) return NOTHING;
    const result = this.#inner.take();
    if (!(result instanceof KeptResult)) return NOTHING;
    const { index, value } = result;
    this.#keeper.deliver(index);
    return this.#shape === undefined ? value : this.#shape(index, value);
  }

  taken(count: number): void {
    this.#inner.taken(count);
  }

  stop(reason?: unknown): Promise<void> {
    this.#left = true;
    return this.#inner.stop(reason);
  }

  endWithError(error: unknown): void {
    this.#inner.endWithError(error);
  }

  snapshot(): Counts {
    return this.#inner.snapshot();
  }
}
