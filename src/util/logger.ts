/**
 * The library's own log. Its level, and whether it goes to stderr, stand in the environment as
 * `MULTIPROCESS_LOG=20,stderr`, so that children inherit them however they are started.
 */
import { format } from 'node:util';
import { ArgumentError } from '../errors/index.js';
import { registerAfterFork } from './after-fork.js';
import { DEBUG, ERROR, INFO, LogRecord, levelOf, NOTSET, SUBDEBUG, SUBWARNING, WARNING } from './log-record.js';
import { describe } from './options.js';
import { processName } from './process-name.js';

const VARIABLE = 'MULTIPROCESS_LOG';
/** Effective level of a logger without one, as that of Python's root logger. */
const DEFAULT = WARNING;

/** A level: a number, or the name of one. */
export type LogLevel = number | 'NOTSET' | 'SUBDEBUG' | 'DEBUG' | 'INFO' | 'SUBWARNING' | 'WARNING' | 'ERROR';
/** What becomes of messages. */
export type LogHandler = (record: LogRecord) => void;

const toStderr: LogHandler = (record) => void process.stderr.write(`${record}\n`);

/**
 * Writes messages of a level or above to its handlers. There is one, see {@link getLogger}.
 *
 * Python: the `logging.Logger` named `multiprocess`. It has no parent: what it is told goes to its
 * own handlers only, and nowhere while it has none.
 */
export class Logger {
  #level = NOTSET;
  readonly #handlers = new Set<LogHandler>();

  /** Its level; `NOTSET` (0) at first. */
  get level(): number {
    return this.#level;
  }

  /**
   * Messages below `level` are dropped, here and in children that are started from now on.
   * @throws ArgumentError.
   */
  setLevel(level: LogLevel): void {
    this.#level = numberOf('Logger.setLevel', level);
    this.#publish();
  }

  /** Its level, or WARNING (30) where it has none. */
  getEffectiveLevel(): number {
    return this.#level === NOTSET ? DEFAULT : this.#level;
  }

  /** Whether a message of this level would be written. */
  isEnabledFor(level: LogLevel): boolean {
    return numberOf('Logger.isEnabledFor', level) >= this.getEffectiveLevel();
  }

  /**
   * Has messages given to `handler` too. It is not inherited by children; stderr is, see {@link
   * logToStderr}.
   */
  addHandler(handler: LogHandler): void {
    if (typeof handler !== 'function')
      throw new ArgumentError(`Logger.addHandler: \`handler\` must be a function, not ${describe(handler)}.`);
    this.#handlers.add(handler);
    this.#publish();
  }

  /** Takes {@link addHandler} back. */
  removeHandler(handler: LogHandler): void {
    this.#handlers.delete(handler);
    this.#publish();
  }

  /** The handlers, in the order they were added. */
  get handlers(): readonly LogHandler[] {
    return [...this.#handlers];
  }

  /** Writes a message; `args` fill its placeholders as in `util.format`. */
  log(level: LogLevel, message: string, ...args: unknown[]): void {
    this.write(numberOf('Logger.log', level), message, args, this.log);
  }

  /** A message of level DEBUG. */
  debug(message: string, ...args: unknown[]): void {
    this.write(DEBUG, message, args, this.debug);
  }

  /** A message of level INFO. */
  info(message: string, ...args: unknown[]): void {
    this.write(INFO, message, args, this.info);
  }

  /** A message of level WARNING. */
  warning(message: string, ...args: unknown[]): void {
    this.write(WARNING, message, args, this.warning);
  }

  /** A message of level ERROR. */
  error(message: string, ...args: unknown[]): void {
    this.write(ERROR, message, args, this.error);
  }

  /** @internal A message on behalf of the caller of `above`. */
  write(level: number, message: string, args: unknown[], above: Function): void {
    if (this.#handlers.size === 0 || level < this.getEffectiveLevel()) return;
    const record = new LogRecord(level, format(message, ...args), processName(), above);
    for (const handler of this.#handlers) handler(record);
  }

  /** Takes over what the parent said. @internal */
  inherit(): void {
    const [level, target] = (process.env[VARIABLE] ?? '').split(',');
    if (level !== undefined && /^\d+$/.test(level)) this.#level = Number(level);
    if (target === 'stderr') this.#handlers.add(toStderr);
  }

  #publish(): void {
    process.env[VARIABLE] = `${this.#level}${this.#handlers.has(toStderr) ? ',stderr' : ''}`;
  }
}

let logger: Logger | null = null;

/**
 * The logger of this library, in this thread. It inherits its level from the parent's. Python:
 * `get_logger`.
 * @example
 * import { getLogger, info } from 'multiprocess/util';
 *
 * const logger = getLogger();
 * logger.setLevel('INFO');
 * logger.addHandler((record) => console.log(record.message)); // ready 3
 * info('ready %d', 3);
 */
export function getLogger(): Logger {
  if (logger === null) {
    logger = new Logger();
    logger.inherit();
    registerAfterFork(logger, (inherited) => inherited.inherit());
  }
  return logger;
}

/**
 * Has messages of this library written to stderr as `[LEVEL/processName] message`, here and in
 * children started from now on.
 *
 * @param level Default: what it is; without one, WARNING.
 * @returns the logger. Python: `log_to_stderr`; called twice it writes once.
 * @example
 * import { info, logToStderr } from 'multiprocess/util';
 *
 * logToStderr('INFO');
 * info('reading %s', 'a.csv'); // stderr: [INFO/MainProcess] reading a.csv
 */
export function logToStderr(level?: LogLevel): Logger {
  const log = getLogger();
  log.addHandler(toStderr);
  if (level !== undefined) log.setLevel(level);
  return log;
}

/**
 * A message of level SUBDEBUG (5).
 * @example
 * import { getLogger, subDebug } from 'multiprocess/util';
 *
 * const logger = getLogger();
 * logger.setLevel('SUBDEBUG');
 * logger.addHandler(({ levelName, message }) => console.log(levelName, message)); // SUBDEBUG looked at 3 pages
 * subDebug('looked at %d pages', 3);
 */
export function subDebug(message: string, ...args: unknown[]): void {
  getLogger().write(SUBDEBUG, message, args, subDebug);
}

/**
 * A message of level DEBUG (10).
 * @example
 * import { debug, getLogger } from 'multiprocess/util';
 *
 * const logger = getLogger();
 * logger.setLevel('DEBUG');
 * logger.addHandler(({ levelName, message }) => console.log(levelName, message)); // DEBUG looked at 3 pages
 * debug('looked at %d pages', 3);
 */
export function debug(message: string, ...args: unknown[]): void {
  getLogger().write(DEBUG, message, args, debug);
}

/**
 * A message of level INFO (20).
 * @example
 * import { getLogger, info } from 'multiprocess/util';
 *
 * const logger = getLogger();
 * logger.setLevel('INFO');
 * logger.addHandler(({ levelName, message }) => console.log(levelName, message)); // INFO looked at 3 pages
 * info('looked at %d pages', 3);
 */
export function info(message: string, ...args: unknown[]): void {
  getLogger().write(INFO, message, args, info);
}

/**
 * A message of level SUBWARNING (25).
 * @example
 * import { getLogger, subWarning } from 'multiprocess/util';
 *
 * const logger = getLogger();
 * logger.setLevel('SUBWARNING');
 * logger.addHandler(({ levelName, message }) => console.log(levelName, message)); // SUBWARNING looked at 3 pages
 * subWarning('looked at %d pages', 3);
 */
export function subWarning(message: string, ...args: unknown[]): void {
  getLogger().write(SUBWARNING, message, args, subWarning);
}

function numberOf(actor: string, level: unknown): number {
  const number = typeof level === 'string' ? levelOf(level) : level;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0) return number;
  throw new ArgumentError(
    `${actor}: \`level\` must be a number from 0 on or a name such as 'INFO', not ${describe(level)}.`,
  );
}
