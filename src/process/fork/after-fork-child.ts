/**
 * What a process must put right in itself when it has just been forked: the copy says that it is
 * its parent.
 */
import { leaveProcess, noteExitCode, sendSignal, threadId, watchEnd } from '../../native/index.js';
import { runAfterFork } from '../../util/after-fork.js';
import { writeCoverage } from '../child/coverage.js';
import { freshRandom } from './random.js';

/**
 * Set where this process was forked, or could fork: Node's options then are those of the template.
 */
export const FORKED = Symbol.for('multiprocess.forked');

/**
 * Gives a forked child its own pid, exit, random numbers and hooks. Call it first in the child,
 * before anything of the application runs. Its clocks go on: those of a template's child begin anew
 * when it becomes what was asked for (clock.ts), a copy of a program goes on with times that it
 * took.
 */
export function afterForkInChild(): void {
  (globalThis as { [FORKED]?: boolean })[FORKED] = true;
  Object.defineProperty(process, 'pid', { value: threadId(), writable: false, enumerable: true, configurable: true });
  leaveWithoutTeardown();
  // Node's own takes a signal to this very process for its end, and calls what ends a fork: it
  // would exit with a code, not by the signal.
  Object.defineProperty(process, '_kill', { value: sendSignal, writable: true, configurable: true, enumerable: false });
  freshRandom();
  runAfterFork();
}

/** What Node does at the end joins threads that a fork does not have. */
function leaveWithoutTeardown(): void {
  Object.defineProperty(process, 'reallyExit', {
    value: (code?: number) => leaveProcess(Number(code ?? 0)),
    writable: true,
    configurable: true,
    enumerable: false,
  });
  // As Node does it when its event loop has run empty.
  watchEnd((last) => {
    if (last) process.exit();
    else process.emit('beforeExit', Number(process.exitCode ?? 0));
  });
  // Whatever else may lead to Node's teardown asks nobody after the last `exit` handler; so we note
  // what they agreed on.
  const { emit } = process;
  Object.defineProperty(process, 'emit', {
    value(this: NodeJS.Process, event: string | symbol, ...args: unknown[]): boolean {
      const heard = (emit as (...all: unknown[]) => boolean).call(this, event, ...args);
      if (event === 'exit') {
        noteExitCode(Number(process.exitCode ?? args[0] ?? 0));
        writeCoverage();
      }
      return heard;
    },
    writable: true,
    configurable: true,
    enumerable: false,
  });
}
