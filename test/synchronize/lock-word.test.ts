/** The word of a lock, one step after the other; every order of steps: protocols.interleavings.test.ts. */
import { describe, expect, it } from 'vitest';
import { announce, release, take, takeFree } from '../../src/synchronize/words/lock-word.js';

const [HOLDER, STRANGER, PATIENT] = [1, 2, 3];
const held = (): Int32Array => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  expect(takeFree(words, HOLDER)).toBe(true);
  return words;
};

describe('a lock that is released', () => {
  it('is for whoever comes first while nobody has waited long', () => {
    const words = held();
    announce(words, false);
    release(words);
    expect(take(words, STRANGER, false, 0)).toBe(true);
  });

  it('is set aside for those who have waited long', () => {
    const words = held();
    announce(words, true);
    release(words);
    expect(takeFree(words, STRANGER)).toBe(false);
    expect(take(words, STRANGER, false, 0)).toBe(false);
    expect(take(words, PATIENT, true, 0)).toBe(true);
    // It is an ordinary lock again.
    release(words);
    expect(take(words, STRANGER, false, 0)).toBe(true);
  });
});
