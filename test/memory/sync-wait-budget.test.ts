import { Semaphore } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import { mortal } from '../support/mortal.js';

describe('awaited waits', () => {
  it('let the event loop turn, also when each of them is answered at once', async () => {
    const [question, answer] = [new Semaphore(0), new Semaphore(0)];
    const other = await mortal('answer', { question, answer });
    const turned = [false, false];
    setTimeout(() => (turned[0] = true), 1);
    setImmediate(() => (turned[1] = true));
    while (turned.includes(false)) {
      question.release();
      expect(await answer.acquire()).toBe(true);
    }
    await other.kill();
  });
});
