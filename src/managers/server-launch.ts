/**
 * The process (or thread) of a manager's server: its start, what it says first, and its end.
 *
 *   start -> process runs server/server-process.ts -> news: the address, or why it does not serve
 *
 * The pipe by which the news comes is the manager's own connection afterwards, which needs no
 * handshake.
 */
import { type Connection, pipe } from '../connection/index.js';
import { ProcessError } from '../errors/index.js';
import { addTemplateModule, Process, startMethodOf } from '../process/index.js';
import { DupFd } from '../reduction/index.js';
import { onAbort } from '../util/abort.js';
import { entry } from '../util/package.js';
import type { Address } from './address.js';
import type { ManagerOptions } from './manager-options.js';
import type { Greeting, ServerNews, ServerWork } from './wire/server-work.js';

const ENTRY = entry('managers/server/server-process');
/** Milliseconds that a server has to end by itself, then by SIGTERM. */
const SHUTDOWN_GRACE_MS = 1_000;
/** Why there is no news: the server has ended. */
const SERVER_ENDED = Symbol('the server ended');

/** A server that serves. */
export interface LaunchedServer {
  readonly address: Address;
  /** The manager's own connection, by which the news came. */
  readonly connection: Connection;
  /** What the server greets that connection with; `null` where it closes it. */
  readonly greeting: Greeting | null;
}

export class ServerLaunch {
  readonly #actor: string;
  #process: Process | null = null;

  /** @param actor who starts it, for messages. */
  constructor(actor: string) {
    this.#actor = actor;
  }

  /** Its process, once it was made. */
  get process(): Process | null {
    return this.#process;
  }

  /** Whether it runs. */
  get isAlive(): boolean {
    return this.#process?.isAlive() === true;
  }

  /**
   * Starts it. Resolves when it serves.
   * @param name of the process. @param work makes what it is told. @param gone: nobody wants it any
   * more.
   * @throws what the start of a process, the initializer and listening throw, `gone.reason`; see
   * {@link failed}.
   */
  async start(
    name: string,
    context: ManagerOptions['context'],
    work: () => ServerWork,
    gone: AbortSignal,
  ): Promise<LaunchedServer> {
    const [mine, theirs] = pipe<ServerNews>();
    // A thread's descriptors are this process's: what was sent to it would keep its connection when
    // it has ended.
    const own = startMethodOf(this.#actor, context) === 'thread' ? null : new DupFd(theirs.fileno());
    try {
      const args: [ServerWork, Connection<ServerNews> | DupFd] = [work(), own ?? (theirs as Connection<ServerNews>)];
      const process = new Process(ENTRY, { args, name, context }) as unknown as Process;
      this.#process = process;
      await process.start();
      theirs.close();
      own?.close();
      const [address, error, greeting] = await newsOf(process, mine as Connection<ServerNews>, gone);
      if (address === null) throw error;
      return { address, connection: mine as Connection, greeting };
    } catch (cause) {
      theirs.close();
      own?.close();
      mine.close();
      throw cause;
    }
  }

  /**
   * Ends what is left of a start that failed. Returns the error for it: the cause, or that the
   * server ended before it served.
   */
  async failed(cause: unknown, gone: AbortSignal): Promise<unknown> {
    const process = this.#process;
    if (process === null || process.pid === null) return cause;
    // One that nobody wants has not failed, and does not end by itself.
    if (gone.aborted) process.terminate();
    await this.end();
    if (gone.aborted) return gone.reason;
    if (cause !== SERVER_ENDED && (cause as { code?: unknown } | null)?.code !== 'MP_CONNECTION_EOF') return cause;
    return new ProcessError(
      `${this.#actor}: the server ended before it served, with exit code ${process.exitCode}; its stderr says why.`,
      {
        code: 'MP_SERVER_START',
      },
    );
  }

  /** Gives it a second to end by itself, then SIGTERM and another one, then SIGKILL. */
  async end(): Promise<void> {
    const process = this.#process!;
    if (await process.join({ timeout: SHUTDOWN_GRACE_MS })) return;
    process.terminate();
    if (await process.join({ timeout: SHUTDOWN_GRACE_MS })) return;
    process.kill();
    await process.join();
  }

  /**
   * Ends it, as {@link end}, once it was asked.
   * @param asked settles when it has answered.
   */
  async endAfter(asked: Promise<unknown>): Promise<void> {
    await Promise.race([asked, this.#process!.join({ timeout: SHUTDOWN_GRACE_MS })]);
    await this.end();
  }
}

/**
 * Has the template of the forkserver load what servers of these types are made of: their start is
 * then little more than a fork.
 * @param modules of the types.
 */
export function prepareTemplate(modules: Iterable<string>): void {
  addTemplateModule(ENTRY);
  for (const module of modules) addTemplateModule(new URL(module));
}

/**
 * Waits for what the server says first. A thread that ends before it has taken its connection over
 * leaves that open in this process, so no end of the connection tells of it: its own end does.
 */
async function newsOf(server: Process, connection: Connection<ServerNews>, gone: AbortSignal): Promise<ServerNews> {
  gone.throwIfAborted();
  const told = new AbortController();
  const lost = new AbortController();
  const ended = async (): Promise<void> => {
    await server.join({ signal: told.signal });
    // What it said before it ended counts.
    if (!(await connection.poll({ timeout: 0 }))) lost.abort(SERVER_ENDED);
  };
  ended().catch(() => {}); // The news was there first.
  const unlisten = onAbort(gone, () => lost.abort(gone.reason));
  try {
    return await connection.recv({ signal: lost.signal });
  } finally {
    unlisten();
    told.abort();
  }
}
