const word = new Int32Array(new SharedArrayBuffer(4));

/**
 * Blocks the thread for some milliseconds: for the one wait that has no event, another process's
 * turn of its event loop.
 */
export function pause(milliseconds: number): void {
  Atomics.wait(word, 0, 0, milliseconds);
}
