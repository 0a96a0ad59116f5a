import { WorkerCrashError } from '../../errors/index.js';

/** A worker that ended, as far as its crash is told. */
interface EndedWorker {
  readonly name: string;
  /** `null` when it could not be started. */
  readonly pid: number | null;
  /** Why the pool killed it; `null`: it did not. */
  readonly condemned: string | null;
  /** Its state when it ended. */
  readonly left: 'starting' | 'ready' | 'retiring';
}

/** How a worker ended. */
interface End {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote to stderr; `null` when it died before it noted that. */
  readonly stderr: string | null;
  /** What it died of, as messages call it; `null` for nothing that is known. */
  readonly subject: string | null;
  /** Why it could not be started, or what it did not catch. */
  readonly cause: unknown;
}

/** What is said of a worker that ended before its work was done. */
export function crash(worker: EndedWorker, { exitCode, signal, stderr, subject, cause }: End): WorkerCrashError {
  const pid = worker.pid;
  if (pid === null) {
    // One that is killed before its process is there has no id, and was not hindered by anything.
    const { condemned } = worker;
    const why = cause instanceof Error ? `: ${cause.message}` : condemned === null ? '.' : `: ${condemned}.`;
    return new WorkerCrashError(`${worker.name} could not be started${why}`, {
      pid,
      exitCode,
      signal,
      cause,
      stderr: stderr ?? '',
    });
  }
  const message = `${worker.name} (pid ${pid}) ${manner(worker, exitCode, signal)}${moment(worker, subject)}`;
  // Node itself says why it does not get as far as the worker's first line.
  const wrote = stderr === null ? exitCode !== null && exitCode !== 0 : stderr !== '';
  return new WorkerCrashError(`${message}${wrote ? '; what it wrote to stderr says why' : ''}.`, {
    pid,
    exitCode,
    signal,
    cause,
    stderr: stderr ?? '',
  });
}

function manner({ condemned }: EndedWorker, exitCode: number | null, signal: NodeJS.Signals | null): string {
  if (condemned !== null) return `was killed by the pool, for ${condemned}`;
  if (signal === null) return `exited with code ${exitCode}`;
  return `was ended by ${signal}${signal === 'SIGKILL' ? ' (by hand, or by the kernel when memory ran out)' : ''}`;
}

function moment({ condemned, left }: EndedWorker, subject: string | null): string {
  const comma = condemned === null ? '' : ',';
  if (left === 'starting') return `${comma} while it was starting`;
  if (subject !== null) return `${comma} before ${subject} had a result`;
  // Why it was killed says what it did: it was ending.
  return condemned !== null && left === 'retiring' ? '' : `${comma} while it ran nothing`;
}

/** What a pool fails with when one worker after the other ended and nothing got done. */
export function hopeless(deaths: number, ready: boolean, last: WorkerCrashError): WorkerCrashError {
  const { pid, exitCode, signal, cause, stderr } = last;
  const when = ready ? 'without having run anything' : 'before they were ready';
  const message = `The pool gives up: ${deaths} workers in a row ended ${when}. The last one: ${last.message}`;
  return new WorkerCrashError(message, { pid, exitCode, signal, cause, stderr });
}
