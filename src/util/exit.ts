/** What this thread does when it exits: its finalizers, in the order that Python gives them. */

/** Finalizers of this priority or a higher one run before children are ended, the others after. */
const EARLY = 0;

type Stage = (least?: number) => void;

let installed = false;
let exiting = false;
let run: Stage = () => {};
const between: (() => void)[] = [];

/** Whether this thread is exiting: its `exit` handlers run, and nothing asynchronous will finish any more. */
export function isExiting(): boolean {
  // Node sets the flag before it calls the first handler, which may be another's.
  return exiting || (process as { _exiting?: boolean })._exiting === true;
}

/** Called by the finalizers' registry: runs `stage(0)`, what {@link betweenFinalizers} was given, then `stage()`, once, at exit. */
export function atExit(stage: Stage): void {
  run = stage;
  install();
}

/** Has `step` called at exit after the finalizers of priority 0 and above, and before the others. Synchronous work only. */
export function betweenFinalizers(step: () => void): void {
  between.push(step);
  install();
}

function install(): void {
  if (installed) return;
  installed = true;
  process.on('exit', () => {
    exiting = true;
    run(EARLY);
    for (const step of between) step();
    run();
  });
}
