/**
 * A word by which threads wake the event loop of another one.
 *
 *   ringer    change what the bell is for; add 1 to the word; notify
 *   listener  read the word; if it was rung since then, call back; sleep on the value that was read
 *
 * Invariant: the listener sleeps on the value that it read before it called back. So a ring that
 * came since then has changed the word, and the sleep ends at once: none is lost. Rings that come
 * before the word is read are one callback.
 *
 * Crash: a ringer that dies before it adds has told nothing, as if it had died before its change.
 * One that dies before it notifies leaves the listener asleep until the next ring; who waits for
 * what the dead one changed looks after its peers as well (memory/waiting/liveness.ts), or is told
 * of its end.
 */

/** Rings. */
export function ring(words: Int32Array, index: number): void {
  Atomics.add(words, index, 1);
  Atomics.notify(words, index);
}

/**
 * A listener that slept on `seen` looks: calls back if it was rung.
 * @returns what it sleeps on next.
 */
export function answer(words: Int32Array, index: number, seen: number, onRing: () => void): number {
  const word = Atomics.load(words, index);
  if (word !== seen) onRing();
  return word;
}
