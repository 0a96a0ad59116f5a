/**
 * The first child of a template: finds out whether forks of it can live, how far its caches of
 * random bytes are used up, and which pages of memory a child touches.
 *
 * It loads a module, as every child will: what keeps a fork from that is found out by the first
 * one, not by each.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import {
  closeDescriptor,
  createPipe,
  leaveProcess,
  pollDescriptor,
  Ready,
  reapProcess,
  setParentDeathSignal,
  signalChild,
  touchedPages,
} from '../../../native/index.js';
import { importModule } from '../../../util/import-module.js';
import { setImmediate } from '../../../util/timers.js';
import { afterForkInChild } from '../../fork/after-fork-child.js';
import { forkHere } from '../../fork/fork-here.js';
import { drawRandomCaches, emptyRandomCaches } from '../../fork/random.js';
import { RefusalCode } from '../../fork/refused.js';
import { hasHooksThread } from './hooks-thread.js';

/** Milliseconds after which it counts as hanging. */
const PROBE_WATCHDOG_MS = 20_000;

/** What it found out. */
export interface ProbeResult {
  /** Why this process cannot be forked; 0 when it can. */
  readonly refusal: number;
  /** What every child will touch: see `populatePages`. */
  readonly pages: Float64Array;
}

interface ProbeReport {
  readonly caches: string[][];
  readonly pages: number[];
}

/** Forks the probe child. Call it when nothing else goes on. */
export async function probe(): Promise<ProbeResult> {
  if (await hasHooksThread()) return refused(RefusalCode.HooksThread);
  const [reads, writes] = createPipe();
  const template = process.pid;
  // In a turn of its own, so that the copy has nothing of this one to go on with.
  const pid = await new Promise<number>((resolve) => {
    setImmediate(() => {
      const result = forkHere();
      if (result === 0) void runProbe(writes, template);
      else
        resolve(
          typeof result === 'number'
            ? result
            : result === 'threads-busy'
              ? -RefusalCode.ThreadsBusy
              : -RefusalCode.NoExitHook,
        );
    });
  });
  closeDescriptor(writes);
  try {
    if (pid < 0) return refused(-pid);
    const came = pollDescriptor(reads, Ready.readable, PROBE_WATCHDOG_MS) !== 0;
    const text = came ? readFileSync(reads, 'utf8') : '';
    if (!came) signalChild(pid, constants.signals.SIGKILL);
    while (reapProcess(pid) === null) pollDescriptor(reads, 0, 1); // it has ended, but for a moment
    if (text === '') return refused(came ? RefusalCode.ProbeDied : RefusalCode.ProbeHangs);
    const { caches, pages } = JSON.parse(text) as ProbeReport;
    return {
      refusal: emptyRandomCaches(drawRandomCaches(), caches) ? 0 : RefusalCode.SharedRandom,
      pages: Float64Array.from(pages),
    };
  } finally {
    closeDescriptor(reads);
  }
}

/** In the child. Never settles. It ends with the template, also where it hangs. */
async function runProbe(writes: number, template: number): Promise<void> {
  if (!setParentDeathSignal(constants.signals.SIGKILL, template)) leaveProcess(1);
  afterForkInChild();
  process.title = `${process.title} `;
  await importModule(`data:text/javascript,export default ${process.pid}`);
  await import('./warmup.js');
  const told: ProbeReport = { pages: [...touchedPages()], caches: drawRandomCaches() };
  writeFileSync(writes, JSON.stringify(told));
  leaveProcess(0);
}

function refused(refusal: number): ProbeResult {
  return { refusal, pages: new Float64Array() };
}
