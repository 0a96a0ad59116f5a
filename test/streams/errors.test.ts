import { describe, expect, it } from 'vitest';
import { type Job, type JobSink, runStream } from '../../src/streams/index.js';
import { TestBackend } from './backends.js';
import { counted, countedAsync, settle, upTo } from './sources.js';

/** Fails on every item of `bad`. */
const failingOn =
  (...bad: number[]) =>
  (x: number): number => {
    if (bad.includes(x)) throw new RangeError(`item ${x}`);
    return x;
  };

/** What an iteration gave, and how it ended. */
async function read<R>(source: AsyncIterable<R>): Promise<{ values: R[]; error: unknown }> {
  const values: R[] = [];
  try {
    for await (const value of source) values.push(value);
    return { values, error: undefined };
  } catch (error) {
    return { values, error };
  }
}

describe("errors: 'fail'", () => {
  it('delivers every result before the failing item in order, then its error, and cancels the rest', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const source = counted();
      const backend = new TestBackend(failingOn(37, 41), { seed, parallelism: 3, chunkSize: 4 });
      const stream = runStream('test', backend, source);
      const { values, error } = await read(stream);
      expect(values).toEqual(upTo(37));
      expect(error).toEqual(new RangeError('item 37'));
      await stream.closed;
      expect(source.returned).toBe(1);
      expect(backend.last.cancelled).toBe(1);
      expect(backend.last.reason).toBe(error);
      expect(backend.last.violations).toEqual([]);
    }
  });

  it('delivers what had arrived before the error when unordered', async () => {
    const source = counted();
    const backend = new TestBackend(failingOn(37), { seed: 5, parallelism: 3, chunkSize: 4 });
    const { values, error } = await read(runStream('test', backend, source, { ordered: false }));
    expect(error).toEqual(new RangeError('item 37'));
    expect(new Set(values).size).toBe(values.length);
    expect(values.length).toBeGreaterThan(0);
    expect(source.returned).toBe(1);
  });

  it('stops pulling as soon as the failure is known, though a slow consumer has not met it', async () => {
    const source = counted();
    const backend = new TestBackend(failingOn(5), { parallelism: 2, chunkSize: 2, turns: 1 });
    const stream = runStream('test', backend, source, { window: 16 });
    const iterator = stream[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toBe(0);
    await settle();
    expect(source.returned).toBe(1);
    expect(backend.last.cancelled).toBe(1);
    for (let i = 1; i < 5; i++) expect((await iterator.next()).value).toBe(i);
    await expect(iterator.next()).rejects.toThrow('item 5');
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
});

describe("errors: 'skip'", () => {
  for (const ordered of [true, false]) {
    it(`leaves the failed items out and goes on, ${ordered ? 'in order' : 'unordered'}`, async () => {
      const backend = new TestBackend(failingOn(0, 1, 2, 50, 98, 99), { seed: 4, chunkSize: 3 });
      const { values, error } = await read(
        runStream('test', backend, upTo(100), { errors: 'skip', ordered, window: 12 }),
      );
      expect(error).toBe(undefined);
      expect([...values].sort((a, b) => a - b)).toEqual(upTo(100).filter((i) => ![0, 1, 2, 50, 98, 99].includes(i)));
      if (ordered) expect(values).toEqual([...values].sort((a, b) => a - b));
    });

    it(`ends when every item failed, ${ordered ? 'in order' : 'unordered'}`, async () => {
      const all = upTo(100);
      const stream = runStream('test', new TestBackend(failingOn(...all), { chunkSize: 3 }), all, {
        errors: 'skip',
        ordered,
        window: 7,
      });
      expect(await stream.toArray()).toEqual([]);
      expect((await read(stream)).values).toEqual([]);
      await stream.closed;
    });
  }
});

describe("errors: 'settle'", () => {
  it('gives a PromiseSettledResult for each item', async () => {
    const settled = await runStream('test', new TestBackend(failingOn(1), { seed: 2 }), upTo(3), {
      errors: 'settle',
    }).toArray();
    expect(settled).toEqual([
      { status: 'fulfilled', value: 0 },
      { status: 'rejected', reason: new RangeError('item 1') },
      { status: 'fulfilled', value: 2 },
    ]);
  });
});

describe('a source that fails', () => {
  function* broken(at: number): Generator<number> {
    for (let i = 0; i < at; i++) yield i;
    throw new SyntaxError('bad input');
  }
  async function* brokenAsync(at: number): AsyncGenerator<number> {
    yield* broken(at);
  }

  for (const at of [0, 1, 7, 8, 30]) {
    for (const ordered of [true, false]) {
      it(`at item ${at} gives every earlier result, then its own error, ${ordered ? 'in order' : 'unordered'}`, async () => {
        for (const source of [broken(at), brokenAsync(at)]) {
          const stream = runStream('test', new TestBackend((x: number) => x, { seed: at + 1 }), source, { ordered });
          const { values, error } = await read(stream);
          expect([...values].sort((a, b) => a - b)).toEqual(upTo(at));
          expect(error).toEqual(new SyntaxError('bad input'));
          expect((error as Error).cause).toBe(undefined);
          await stream.closed;
        }
      });
    }
  }

  it('in its iterator factory errors the stream and leaves no job behind', async () => {
    const source = {
      [Symbol.iterator](): Iterator<number> {
        throw new SyntaxError('no iterator');
      },
    };
    const backend = new TestBackend((x: number) => x);
    const stream = runStream('test', backend, source);
    await expect(stream.toArray()).rejects.toThrow('no iterator');
    await stream.closed;
    expect(backend.last.cancelled).toBe(1);
  });

  it('after an item failed does not hide the error of the item', async () => {
    const { values, error } = await read(runStream('test', new TestBackend(failingOn(3), { turns: 1 }), broken(6)));
    expect(values).toEqual([0, 1, 2]);
    expect(error).toEqual(new RangeError('item 3'));
  });
});

describe('a job that fails as a whole', () => {
  for (const ordered of [true, false]) {
    it(`gives what had arrived, then the error of the job, ${ordered ? 'in order' : 'unordered'}`, async () => {
      let sink: JobSink<number> | undefined;
      const job: Job<number> = {
        parallelism: 2,
        chunkSize: 2,
        room: 9,
        hungry: true,
        submit: () => {},
        end: () => {},
        cancel: async () => {},
      };
      const open = (s: JobSink<number>): Job<number> => {
        sink = s;
        return job;
      };
      const source = countedAsync();
      const stream = runStream('test', { open }, source, { ordered, window: 8 });
      const reading = read(stream);
      await settle();
      sink!.value(0, 10);
      sink!.value(2, 12);
      sink!.fail(new TypeError('the function cannot be sent'));
      sink!.value(1, 11);
      sink!.flush();
      expect(await reading).toEqual({
        values: ordered ? [10] : [10, 12],
        error: new TypeError('the function cannot be sent'),
      });
      await stream.closed;
      expect(source.returned).toBe(1);
    });
  }

  it('or cannot be opened errors the stream', async () => {
    const open = (): Job<number> => {
      throw new Error('pool closed');
    };
    const source = counted();
    const stream = runStream('test', { open }, source);
    await expect(stream.toArray()).rejects.toThrow('pool closed');
    await stream.closed;
    expect(source.pulled).toBe(0);
  });
});
