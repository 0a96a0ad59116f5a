/** Handles under way: what a message refers to stands for a time although nobody holds it. */
import v8 from 'node:v8';
import vm from 'node:vm';

/** Milliseconds, a little longer than that time. */
export const LATE = 33_000;

/** Ends what is kept for a time only. What is held for a message that can still be read stays. */
export function passTime(): void {
  for (const end of (globalThis as any)[Symbol.for('multiprocess.endTransits')] as (() => void)[]) end();
  v8.setFlagsFromString('--expose-gc');
  (vm.runInNewContext('gc') as () => void)();
}
