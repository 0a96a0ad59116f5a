/** How a child runs what it was started for, and ends. */
import { writeSync } from 'node:fs';
import { nextTick } from '../../util/timers.js';
import type { StartMethod } from '../start-method.js';

/**
 * Exit code of a child whose event loop ran empty before `run()` was settled: Node's own for a
 * top-level await.
 */
const UNSETTLED_EXIT_CODE = 13;

/**
 * Runs `work`. What it throws is printed by Node, with the name of the process above it, and ends
 * the child with exit code 1.
 */
export function runMain(name: string, method: StartMethod, work: () => Promise<unknown>): void {
  // Node prints the error itself; for a thread the parent does.
  if (method !== 'thread') process.on('uncaughtExceptionMonitor', () => print(`Process ${name}:\n`));

  let settled = false;
  let natural = false;
  process.on('beforeExit', () => {
    natural = true;
  });
  process.on('exit', () => {
    if (settled || !natural || process.exitCode !== undefined) return;
    print(
      `Process ${name}: its event loop ran empty before what it runs had settled; something is awaited that never comes.\n`,
    );
    process.exitCode = UNSETTLED_EXIT_CODE;
  });

  work().then(
    () => {
      settled = true;
    },
    (error) => {
      settled = true;
      // Not as a rejection: those may be told to pass unseen.
      nextTick(() => {
        throw error;
      });
    },
  );
}

function print(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // There is no stderr; an error here would take the place of the one that is told of.
  }
}
