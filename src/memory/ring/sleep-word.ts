/**
 * The sleep word: how one side of a ring tells the other that it needs a bell.
 *
 *   word   | meaning
 *   AWAKE  | the sleeper looks at the cursors by itself; nobody rings
 *   ASLEEP | the sleeper returned to its event loop; whoever moves a cursor next takes the word
 *          | back and rings once
 *
 * Protocol (Dekker's pattern: each side writes its own word, then reads the other's; all accesses
 * are sequentially consistent, so at least one of the two sees the other's write and no wake-up is
 * lost):
 *
 *   sleeper: store(word, ASLEEP); read the cursor; moved? -> store(word, AWAKE) and go on : sleep
 *   waker:   store(cursor); read the word; ASLEEP and CAS(ASLEEP -> AWAKE) won? -> ring
 *
 * Crash: a sleeper that dies leaves ASLEEP behind, and one ring goes to a descriptor nobody reads.
 * A waker that dies between its store and its ring leaves the sleeper asleep; its death is reported
 * by other means and wakes the sleeper.
 */
export const AWAKE = 0;
export const ASLEEP = 1;

/**
 * Declares the caller asleep. The caller must look at the cursor again afterwards, and {@link
 * cancelPark} if it moved.
 */
export function park(words: Int32Array, index: number): void {
  Atomics.store(words, index, ASLEEP);
}

/**
 * Takes {@link park} back. A ring that is already under way is harmless: it finds nothing to do.
 */
export function cancelPark(words: Int32Array, index: number): void {
  Atomics.store(words, index, AWAKE);
}

/**
 * Called after moving a cursor. Returns whether the other side slept and this caller is the one who
 * must ring.
 */
export function unpark(words: Int32Array, index: number): boolean {
  return Atomics.load(words, index) === ASLEEP && Atomics.compareExchange(words, index, ASLEEP, AWAKE) === ASLEEP;
}
