/**
 * What asynchronous waits promise, with futex_waitv and without it: run by futex-async.test.ts and
 * futex-async-without-waitv.test.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors/index.js';
import { type AsyncWaitOutcome, futexWaitAsync, futexWake, unmapMemory } from '../../src/native/index.js';
import { startFixture } from '../support/fixture-process.js';
import { mappedWords, sharedWords } from '../support/native-resources.js';

const EVER = Number.POSITIVE_INFINITY;

const turn = () => new Promise((done) => setImmediate(done));

/** Settles when all waiter threads of a process sleep. */
async function asleep(pid: number): Promise<void> {
  const awake = () =>
    readdirSync(`/proc/${pid}/task`).some((task) => {
      try {
        const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8');
        return stat.includes('(mp-futex)') && !stat.includes(') S ');
      } catch {
        return false; // It has ended.
      }
    });
  while (awake()) await turn();
}

/** Settles when the waiter threads have seen everything that was started before. */
const settled = (words: Int32Array) => futexWaitAsync(words, 1023, 0, 1).promise;

function tally(outcomes: readonly AsyncWaitOutcome[]): Partial<Record<AsyncWaitOutcome, number>> {
  const counts: Partial<Record<AsyncWaitOutcome, number>> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

export function asyncWaitSuite(many: number, env: Readonly<Record<string, string>>): void {
  describe('asynchronous waits', () => {
    test('a wake ends a wait as woken', async () => {
      const { words } = sharedWords();
      const wait = futexWaitAsync(words, 0, 0, EVER);
      while (futexWake(words, 0, 1) === 0) await turn();
      expect(await wait.promise).toBe('woken');
    });

    test('a word that differs already ends it as changed', async () => {
      const { words } = sharedWords();
      words[0] = 1;
      expect(await futexWaitAsync(words, 0, 0, EVER).promise).toBe('changed');
    });

    test('a change and a wake right after the call are not lost', async () => {
      const { words } = sharedWords();
      for (let i = 0; i < 200; i++) {
        const wait = futexWaitAsync(words, 0, i, EVER);
        Atomics.store(words, 0, i + 1);
        futexWake(words, 0, 1);
        expect(await wait.promise).toMatch(/woken|changed/);
      }
    });

    test.each([0, 1, 80])('a timeout of %i ms does not end earlier', async (timeout) => {
      const { words } = sharedWords();
      const start = performance.now();
      expect(await futexWaitAsync(words, 0, 0, timeout).promise).toBe('timed-out');
      expect(performance.now() - start).toBeGreaterThanOrEqual(timeout);
    });

    test(`${many} waits at once all end, each by its own word`, async () => {
      const { words } = sharedWords();
      const waits = Array.from({ length: many }, (_, i) => futexWaitAsync(words, i, 0, EVER));
      await settled(words);
      for (let i = 0; i < many; i++) {
        Atomics.store(words, i, 1);
        futexWake(words, i, 1);
      }
      const counts = tally(await Promise.all(waits.map((wait) => wait.promise)));
      expect((counts.woken ?? 0) + (counts.changed ?? 0)).toBe(many);
    });

    test('a wake of one among many waits on one word ends exactly one as woken', async () => {
      const { words } = sharedWords();
      const outcomes: AsyncWaitOutcome[] = [];
      const waits = Array.from({ length: 20 }, () => futexWaitAsync(words, 0, 0, EVER));
      for (const wait of waits) void wait.promise.then((outcome) => outcomes.push(outcome));
      for (let woken = 1; woken <= 20; woken++) {
        await settled(words);
        // The word is left as it was, so that only the wake itself can end a wait.
        while (futexWake(words, 0, 1) === 0) await turn();
        while (outcomes.length < woken) await turn();
        await settled(words);
        expect(tally(outcomes)).toEqual({ woken });
      }
    });

    test('a wake of one with the word changed ends one as woken and never two', async () => {
      const { words } = sharedWords();
      for (let round = 0; round < 50; round++) {
        const waits = Array.from({ length: 5 }, () => futexWaitAsync(words, 0, round, EVER));
        await settled(words);
        Atomics.store(words, 0, round + 1);
        const woken = futexWake(words, 0, 1);
        futexWake(words, 0, EVER);
        const counts = tally(await Promise.all(waits.map((wait) => wait.promise)));
        expect(woken).toBeLessThanOrEqual(1);
        expect((counts.woken ?? 0) + (counts.changed ?? 0)).toBe(5);
      }
    });

    test('cancel settles at once, once, and leaves other waits alone', async () => {
      const { words } = sharedWords();
      const waits = Array.from({ length: 10 }, () => futexWaitAsync(words, 0, 0, EVER));
      for (const wait of waits.slice(0, 9)) {
        wait.cancel();
        wait.cancel();
      }
      expect(tally(await Promise.all(waits.slice(0, 9).map((wait) => wait.promise)))).toEqual({ cancelled: 9 });
      let left = true;
      void waits[9]!.promise.then(() => (left = false));
      // Again and again: with the word unchanged, a wake that is being passed on may find nobody
      // asleep.
      for (; left; await turn()) futexWake(words, 0, 1);
      expect(await waits[9]!.promise).toBe('woken');
      waits[9]!.cancel();
    });

    test('a wake that a cancelled wait has taken goes on to another process', async () => {
      const { fd, words } = sharedWords();
      const rounds = 50;
      const child = startFixture('native/futex-rounds-async.mjs', { args: [rounds], fds: [fd], env });
      for (let round = 0; round < rounds; round++) {
        // Ours sleeps first and the child's second, so the kernel gives the wake to ours.
        const ours = futexWaitAsync(words, 0, round, EVER);
        await asleep(process.pid);
        Atomics.store(words, 2, round + 1);
        while (Atomics.load(words, 3) <= round) await turn();
        await asleep(child.child.pid!);
        Atomics.store(words, 0, round + 1);
        futexWake(words, 0, 1);
        ours.cancel();
        // A wake passed on in the round before may have come late and ended it already; then there
        // is one waiter less to serve.
        expect(await ours.promise).toMatch(/cancelled|woken/);
        while (Atomics.load(words, 1) <= round) await turn();
      }
      expect(await child.ended).toBe(0);
    });

    test('no wake is lost while waiters of two processes time out and cancel', async () => {
      const { fd, words } = sharedWords();
      const wanted = 3_000;
      const takers = [0, 1].map(() => startFixture('native/tokens.mjs', { args: [wanted], fds: [fd], env }));
      for (const taker of takers) await taker.line();
      for (let given = 1; given <= wanted; given++) {
        Atomics.add(words, 0, 1);
        futexWake(words, 0, 1);
        // No more tokens before all were taken: a lost wake would stop here.
        while (given % 10 === 0 && given < wanted && Atomics.load(words, 0) > 0) await turn();
      }
      expect(await Promise.all(takers.map((taker) => taker.ended))).toEqual([0, 0]);
    });

    test('unmapping with waits in flight leaves them waiting, and gives the memory back when they end', async () => {
      const { fd, buffer, words } = sharedWords();
      const other = mappedWords(fd).words;
      const mappings = () => readFileSync('/proc/self/maps', 'utf8').split('memfd:multiprocess-test').length - 1;
      const before = mappings();
      const waits = Array.from({ length: 10 }, (_, i) => futexWaitAsync(words, i, 0, EVER));
      await settled(other);
      unmapMemory(buffer);
      expect(words.length).toBe(0);
      expect(mappings()).toBe(before);
      while (futexWake(other, 4, 1) === 0) await turn();
      expect(await waits[4]!.promise).toBe('woken');
      for (const wait of waits) wait.cancel();
      while (mappings() === before) await turn();
      expect(mappings()).toBe(before - 1);
    });

    test('a SharedArrayBuffer that nobody else holds stays while it is waited on', async () => {
      const waits = Array.from({ length: 20 }, () =>
        futexWaitAsync(new Int32Array(new SharedArrayBuffer(64)), 1, 0, 60),
      );
      expect(tally(await Promise.all(waits.map((wait) => wait.promise)))).toEqual({ 'timed-out': 20 });
    });

    test('a pending wait keeps the process alive, and unref lets it end', async () => {
      const kept = startFixture('native/futex-wait.mjs', { args: ['async', 300], fds: [sharedWords().fd], env });
      expect(await kept.line()).toBe('waiting');
      expect(await kept.line()).toBe('timed-out');
      expect(await kept.ended).toBe(0);
      expect(await startFixture('native/end-busy.mjs', { args: ['loop'], env }).ended).toBe(0);
    });

    test('bad words are refused at the call', () => {
      expect(() => futexWaitAsync(new Int32Array(4), 0, 0, 1)).toThrow(ArgumentError);
      expect(() => futexWaitAsync(sharedWords().words, 4096, 0, 1)).toThrow(ArgumentError);
      expect(() => futexWaitAsync(sharedWords().words, 0, 0, -1)).toThrow(ArgumentError);
    });
  });
}
