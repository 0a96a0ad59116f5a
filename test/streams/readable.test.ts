import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { runStream } from '../../src/streams/index.js';
import { TestBackend } from './backends.js';
import { counted, settle, turn, upTo } from './sources.js';

const same = <T>(x: T): T => x;
const through = (source: Iterable<number>) =>
  runStream('test', new TestBackend<number, number>(same, { seed: 6 }), source, { window: 8 });

describe('toReadable', () => {
  it('gives every result, undefined included, and ends', async () => {
    expect(await through(upTo(100)).toReadable().toArray()).toEqual(upTo(100));
    const nothing = runStream('test', new TestBackend(() => undefined), [1, 2, 3]).toReadable();
    expect(await nothing.toArray()).toEqual([undefined, undefined, undefined]);
  });

  it('flows through a pipeline with a slow sink, never further ahead than window and mark', async () => {
    const source = counted(60);
    let taken = 0;
    let most = 0;
    await pipeline(through(source).toReadable(), async (values: AsyncIterable<number>) => {
      for await (const value of values) {
        expect(value).toBe(taken++);
        await settle(2);
        most = Math.max(most, source.pulled - taken);
      }
    });
    expect(taken).toBe(60);
    expect(most).toBeLessThanOrEqual(9);
  });

  it('works in flowing mode, and when data handlers read again', async () => {
    const readable = through(upTo(50)).toReadable({ highWaterMark: 2 });
    const values: number[] = [];
    await new Promise<void>((resolve, reject) => {
      readable.on('data', (value: number) => {
        values.push(value);
        const more = readable.read() as number | null;
        if (more !== null) values.push(more);
      });
      readable.on('end', resolve).on('error', reject);
    });
    expect([...values].sort((a, b) => a - b)).toEqual(upTo(50));
  });

  it('cancels the execution when destroyed, and reads nothing before it is read', async () => {
    const source = counted();
    const stream = through(source);
    const readable = stream.toReadable();
    await settle();
    expect(source.pulled).toBe(0);
    for await (const value of readable) if (value === 5) break;
    await stream.closed;
    expect(readable.destroyed).toBe(true);
    expect(source.returned).toBe(1);
    const unread = through(counted()).toReadable();
    unread.destroy();
    await new Promise((done) => unread.on('close', done));
  });

  it('is destroyed with the error of the stream, and with advice for a null result', async () => {
    const fail = (x: number): number | null => {
      if (x === 3) throw new RangeError('three');
      return x === 1 ? null : x;
    };
    await expect(runStream('test', new TestBackend(fail), [0, 2, 3]).toReadable().toArray()).rejects.toThrow(
      RangeError,
    );
    await expect(runStream('test', new TestBackend(fail), [0, 1, 2]).toReadable().toArray()).rejects.toThrow(
      /a result is null/,
    );
    const thrown = runStream(
      'test',
      new TestBackend(() => {
        throw 'text';
      }),
      [1],
    );
    await expect(thrown.toReadable().toArray()).rejects.toMatchObject({ cause: 'text' });
  });

  it('can be the source of another stream', async () => {
    const readable: Readable = through(upTo(30)).toReadable();
    expect(await through(readable as unknown as Iterable<number>).toArray()).toEqual(upTo(30));
  });
});

describe('toReadableStream', () => {
  it('gives every result, null included, and ends', async () => {
    const values: unknown[] = [];
    for await (const value of runStream(
      'test',
      new TestBackend((x: number) => (x === 2 ? null : x)),
      upTo(20),
    ).toReadableStream())
      values.push(value);
    expect(values).toEqual(upTo(20).map((x) => (x === 2 ? null : x)));
  });

  it('answers several reads at once', async () => {
    const reader = through(upTo(10)).toReadableStream().getReader();
    const results = await Promise.all(Array.from({ length: 12 }, () => reader.read()));
    expect(results.filter((result) => !result.done).map((result) => result.value)).toEqual(upTo(10));
  });

  it('takes one result for each read, so the window bounds the source', async () => {
    const source = counted();
    const stream = through(source);
    const readable = stream.toReadableStream();
    await settle();
    expect(source.pulled).toBe(0);
    const reader = readable.getReader();
    for (let i = 0; i < 20; i++) {
      expect(await reader.read()).toEqual({ done: false, value: i });
      await settle(3);
      expect(source.pulled - i - 1).toBeLessThanOrEqual(8);
    }
    await reader.cancel('enough');
    await stream.closed;
    expect(source.returned).toBe(1);
    await turn();
  });

  it('errors with the error of the stream', async () => {
    const fail = (): number => {
      throw new RangeError('no');
    };
    const reader = runStream('test', new TestBackend(fail), [1]).toReadableStream().getReader();
    await expect(reader.read()).rejects.toThrow(RangeError);
  });
});
