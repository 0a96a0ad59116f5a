import type { Link } from '../../memory/ring/link.js';
import { pinToCpu } from '../../native/process.js';
import { AuthenticationKey } from '../../process/authentication-key.js';
import { identity, type Parent } from '../../process/identity.js';
import { type CodeTable, type Decoder, PendingValue } from '../../reduction/receiving.js';
import { applyPreparations, type PreparedState } from '../../util/preparation.js';
import { ENDING, Ending, MessageKind, Preparing, type WorkerFacts } from '../wire/protocol.js';
import { workerSlot } from '../worker-state.js';
import type { FunctionTable, TaskFunction } from './function-table.js';
import type { ResultSender, Suspend } from './result-sender.js';
import { isThenable } from './run.js';

/** What the hooks need of the loop that calls them. */
export interface HookOwner {
  readonly suspend: Suspend;
  /** Says what the worker does before an item runs. */
  prepare(what: Preparing): void;
  /** From here on items begin with the stores of the caller. */
  adopt(): void;
  /** The worker is told of itself. */
  told(facts: WorkerFacts): void;
  /** Nothing runs in a worker that is not prepared: the parent ends it. */
  unfit(): void;
}

/** What a worker does before its first item and after its last: `initializer` and `workerExit`. */
export class WorkerHooks {
  readonly #link: Link;
  readonly #decoder: Decoder;
  readonly #codes: CodeTable;
  readonly #functions: FunctionTable;
  readonly #sender: ResultSender;
  readonly #owner: HookOwner;
  readonly #thread: boolean;
  /** Whether items may run: its initializer is done. */
  #fit = false;

  constructor(
    link: Link,
    decoder: Decoder,
    codes: CodeTable,
    functions: FunctionTable,
    sender: ResultSender,
    thread: boolean,
    owner: HookOwner,
  ) {
    this.#link = link;
    this.#decoder = decoder;
    this.#codes = codes;
    this.#functions = functions;
    this.#sender = sender;
    this.#thread = thread;
    this.#owner = owner;
  }

  /** Takes what it has of its parent. */
  inherit(): void {
    const [key, parent, prepared, facts] = this.#decode() as [string, Parent, PreparedState[], WorkerFacts];
    this.#link.release();
    identity().parent = parent;
    identity().authkey = AuthenticationKey.from(Buffer.from(key, 'hex')) as AuthenticationKey;
    this.#owner.told(facts);
    this.#pin(facts.cpu);
    if (prepared.length > 0)
      this.#owner.suspend(
        applyPreparations(prepared),
        () => {},
        () => {},
      );
  }

  /** Of a thread only itself is pinned: other threads of its process are not this pool's. */
  #pin(cpu: number | null): void {
    if (cpu === null) return;
    try {
      pinToCpu(cpu, !this.#thread);
    } catch (error) {
      this.#sender.send(MessageKind.InitializerFailed, 0, error);
      this.#owner.unfit();
    }
  }

  /** Runs the initializer. What it returns is `workerState()` from here on. */
  initialize(): void {
    const link = this.#link;
    const { id } = link;
    this.#owner.prepare(Preparing.Initializer);
    const failed = (error: unknown) => {
      this.#sender.send(MessageKind.InitializerFailed, 0, error);
      this.#owner.unfit();
    };
    const ready = (state: unknown) => {
      workerSlot.state = id === 0 ? 'none' : { value: state };
      this.#fit = true;
      this.#owner.adopt();
      this.#owner.prepare(Preparing.Nothing);
      this.#sender.send(MessageKind.Ready, 0, undefined);
    };
    workerSlot.state = 'initializing';
    try {
      const args = this.#decode();
      link.release();
      this.#run(args, id === 0 ? () => undefined : this.#functions.get(id), ready, failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Runs `workerExit`, of the number `id`, if there is one; then calls `leave`. */
  end(id: number, leave: () => void): void {
    const { control } = this.#link;
    control[ENDING] = id === 0 || !this.#fit ? Ending.Leaving : Ending.Hook;
    if (control[ENDING] === Ending.Leaving) {
      leave();
      return;
    }
    const over = (kind: MessageKind) => (value: unknown) => {
      this.#sender.send(kind, 0, value);
      control[ENDING] = Ending.Leaving;
      leave();
    };
    try {
      this.#run([], this.#functions.get(id), over(MessageKind.Exited), over(MessageKind.ExitFailed));
    } catch (error) {
      over(MessageKind.ExitFailed)(error);
    }
  }

  #run(
    args: unknown,
    fn: TaskFunction | Promise<TaskFunction>,
    then: (value: unknown) => void,
    fail: (error: unknown) => void,
  ): void {
    const { suspend } = this.#owner;
    if (args instanceof PendingValue) suspend(args.ready, (values) => this.#run(values, fn, then, fail), fail);
    else if (typeof fn !== 'function') suspend(fn, (loaded) => this.#run(args, loaded, then, fail), fail);
    else {
      let value: unknown;
      try {
        value = fn(...(args as unknown[]));
      } catch (error) {
        fail(error);
        return;
      }
      if (isThenable(value)) suspend(Promise.resolve(value), then, fail);
      else then(value);
    }
  }

  #decode(): unknown {
    const link = this.#link;
    return this.#decoder.decode(link.source, link.start, link.end, link.owned, this.#codes);
  }
}
