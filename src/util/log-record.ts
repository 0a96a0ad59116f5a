import { FILE_PLACE, pathOf } from './file-names.js';

/** No level of its own. */
export const NOTSET = 0;
/** Of interest to those who work on this library. */
export const SUBDEBUG = 5;
/** Details for finding errors. */
export const DEBUG = 10;
/** What happens. */
export const INFO = 20;
/** Odd, and of interest to those who work on this library. */
export const SUBWARNING = 25;
/** Odd. */
export const WARNING = 30;
/** Failed. */
export const ERROR = 40;

/** Level names in messages. */
const LEVEL_NAMES = new Map([
  [NOTSET, 'NOTSET'],
  [SUBDEBUG, 'SUBDEBUG'],
  [DEBUG, 'DEBUG'],
  [INFO, 'INFO'],
  [SUBWARNING, 'SUBWARNING'],
  [WARNING, 'WARNING'],
  [ERROR, 'ERROR'],
]);

/** The name of a level: `INFO`, or `Level 7` for one without a name, as in Python. */
function levelName(level: number): string {
  return LEVEL_NAMES.get(level) ?? `Level ${level}`;
}

/** The level of a name, or `undefined`. */
export function levelOf(name: string): number | undefined {
  for (const [level, known] of LEVEL_NAMES) if (known === name) return level;
  return undefined;
}

/** One message for the handlers of a {@link Logger}. */
export class LogRecord {
  /** Its level as a name. */
  readonly levelName: string;
  /** Process id of the process that made it. */
  readonly pid: number = process.pid;
  /** When it was made, as `Date.now()` says it. */
  readonly time: number = Date.now();
  readonly #trace: { stack?: string } = {};

  /** @param above The function whose caller made the message. */
  constructor(
    /** Its level. */
    readonly level: number,
    /** Its text. */
    readonly message: string,
    /** Name of the process that made it. */
    readonly processName: string,
    above: Function,
  ) {
    this.levelName = levelName(level);
    // Frames are gathered now and made into text only when somebody asks.
    Error.captureStackTrace(this.#trace, above);
  }

  /** The file that made it: a path, or `''` when unknown. */
  get file(): string {
    const url = this.#place()?.[1] ?? '';
    return pathOf(url) ?? url;
  }

  /** The line in that file, or 0. */
  get line(): number {
    return Number(this.#place()?.[2] ?? 0);
  }

  /** As it is written: `[INFO/MainProcess] text`. */
  toString(): string {
    return `[${this.levelName}/${this.processName}] ${this.message}`;
  }

  #place(): RegExpMatchArray | null {
    const frame = this.#trace.stack?.split('\n').find((line) => line.startsWith('    at '));
    return frame?.match(FILE_PLACE) ?? frame?.match(/([^()\s]*):(\d+):\d+\)?$/) ?? null;
  }
}
