/**
 * Sleeper bits: the bits of a word by which those who sleep on it are known. One is for all of
 * them; words that prefer who has waited long have another for the patient. What else a word holds
 * is its owner's.
 *
 * Protocol: a sleeper sets its bits, tries once more, and sleeps on the word as it set it. A waker
 * changes the word first and looks at the bits then. All of it is sequentially consistent, so one
 * of the two sees the other.
 *
 * A wake-up may take the bits although more sleep than it wakes. So who leaves the word sets the
 * common bit again: others may sleep still.
 */

/** Sets the bits of a sleeper. Returns the word with them: the value to sleep on. */
export function announceSleeper(words: Int32Array, at: number, bits: number): number {
  return Atomics.or(words, at, bits) | bits;
}

/**
 * A sleeper leaves without success: clears the bit of the `patient` and sets that of `all`. Returns
 * the word as it was.
 */
export function withdrawSleeper(words: Int32Array, at: number, all: number, patient: number): number {
  for (;;) {
    const word = Atomics.load(words, at);
    const next = (word & ~patient) | all;
    if (next === word || Atomics.compareExchange(words, at, word, next) === word) return word;
  }
}
