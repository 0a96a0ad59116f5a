/**
 * What the other modules stand on and a program may use: finalizers, the log, diagnostics, and what
 * to do after a fork. Python: `multiprocessing.util`.
 *
 * @packageDocumentation
 */

// The log

export { DEBUG, ERROR, INFO, type LogRecord, NOTSET, SUBDEBUG, SUBWARNING, WARNING } from './log-record.js';
export {
  debug,
  getLogger,
  info,
  type Logger,
  type LogHandler,
  type LogLevel,
  logToStderr,
  subDebug,
  subWarning,
} from './logger.js';

// Diagnostics

export type {
  ProcessCrashMessage,
  ProcessExitMessage,
  ProcessStartMessage,
  TaskEndMessage,
  TaskSettleMessage,
  TaskStartMessage,
  TaskTraceMessage,
} from './diagnostics.js';

// Ending

export { isExiting } from './at-exit.js';
export { Finalize, type FinalizeOptions } from './finalize.js';

// Forking

export { registerAfterFork } from './after-fork.js';
export { ForkAwareLocal, ForkAwareThreadLock } from './fork-aware.js';

// Files and descriptors

export { closeAllFdsExcept } from './close-descriptors.js';
export { getTempDir } from './temp-dir.js';
