/** Keeps this process's event loop busy: nothing that arrives meanwhile is seen before its timers are. */
export function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Lets the event loop turn once, so that what was queued for this turn (a worker's bell) is done. */
export const turn = (): Promise<void> => new Promise((done) => setImmediate(done));
