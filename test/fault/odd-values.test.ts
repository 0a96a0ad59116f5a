/** Values that cannot cross, or cross late, and tasks that answer in odd ways. */
import { Pool, RemoteError, SerializationError } from 'multiprocess';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let pool: Pool;
beforeAll(async () => {
  pool = new Pool({ processes: 1, gracePeriod: 200 });
  await pool.apply(() => 1);
});
afterAll(async () => {
  // None of this costs a worker.
  expect(pool.stats()).toMatchObject({ started: 1, crashed: 0, active: 0, queued: 0 });
  await pool.terminate();
});
const identity = (x: unknown): unknown => x;

describe('what cannot be serialised', () => {
  it('as an argument of a call rejects that call', async () => {
    await expect(pool.apply(identity, [{ deep: { held: new WeakMap() } }])).rejects.toBeInstanceOf(SerializationError);
    await expect(pool.apply(identity, [{ deep: { held: new WeakMap() } }])).rejects.toThrow(/WeakMap/);
    expect(await pool.apply(identity, [1])).toBe(1);
  });

  it('as one item of a chunk fails alone', async () => {
    const outcomes = await pool
      .imap(identity, [1, new WeakMap(), 3, new WeakSet(), 5], { chunkSize: 5, window: 20, errors: 'settle' })
      .toArray();
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(outcomes[1]).toMatchObject({ reason: expect.any(SerializationError) });
    await expect(pool.map(identity, [1, new WeakMap(), 3], { chunkSize: 3 })).rejects.toBeInstanceOf(
      SerializationError,
    );
  });

  it('as a result rejects its item alone', async () => {
    const outcomes = await pool
      .imap((x: number) => (x === 1 ? new WeakMap() : x), [0, 1, 2], { chunkSize: 3, window: 12, errors: 'settle' })
      .toArray();
    expect(outcomes).toEqual([
      { status: 'fulfilled', value: 0 },
      { status: 'rejected', reason: expect.any(SerializationError) },
      { status: 'fulfilled', value: 2 },
    ]);
  });

  it('as an error arrives as an error that tells what it was', async () => {
    const thrown = await pool
      .apply(() => {
        throw Object.assign(new Error('with a handle'), { handle: new WeakMap() });
      })
      .catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(Error);
    expect((thrown as Error).message).toContain('with a handle');
    const bare = await pool
      .apply(() => {
        throw Object.assign(Object.create(null), { handle: new WeakMap() });
      })
      .catch((error: unknown) => error);
    expect(bare).toBeInstanceOf(RemoteError);
  });

  it('as a function is refused when it is submitted', async () => {
    const handle = Promise.resolve();
    const captures = () => handle;
    await expect(pool.apply(captures)).rejects.toBeInstanceOf(SerializationError);
    await expect(pool.apply(captures)).rejects.toThrow(/handle/);
    await expect(pool.apply('text' as never)).rejects.toThrow(/expected a function/);
    expect(() => pool.imap(captures, [1])).toThrow(SerializationError);
  });
});

describe('what any value may be', () => {
  it('thrown things arrive as they are, also when they are no errors', async () => {
    for (const thing of ['text', 0, null, undefined, { a: 1 }]) {
      const outcome = await Promise.allSettled([
        pool.apply(
          (x: unknown) => {
            throw x;
          },
          [thing],
        ),
      ]);
      expect(outcome).toEqual([{ status: 'rejected', reason: thing }]);
    }
  });

  it('undefined, null and 30 MB of bytes are values like others', async () => {
    expect(await pool.map(identity, [undefined, null, Number.NaN, -0])).toEqual([undefined, null, Number.NaN, -0]);
    const bytes = new Uint8Array(30 << 20).fill(7);
    const back = (await pool.apply(identity, [bytes])) as Uint8Array;
    expect(back.length).toBe(bytes.length);
    expect(Buffer.compare(back, bytes)).toBe(0);
  });
});

describe('classes that this process has not loaded', () => {
  const points = new URL('../fixtures/tasks/points.js', import.meta.url);
  it('arrive as results of the items of one chunk, in order', async () => {
    const values = await pool.map<number, { x: number }>(points, [1, 2, 3], { chunkSize: 3 });
    expect(values.map((point) => point.x)).toEqual([1, 2, 3]);
    expect(values.map((point) => point.constructor.name)).toEqual(['Point', 'Point', 'Point']);
  });

  it('arrive as errors', async () => {
    await expect(pool.apply(points, [-3])).rejects.toMatchObject({ message: 'negative -3', point: { x: -1 } });
  });

  it('arrive as progress', async () => {
    const result = pool.applyAsync(points, [null]);
    const reports: unknown[] = [];
    result.progress.subscribe(({ report }) => report !== undefined && reports.push(report));
    await result;
    expect(reports).toEqual([{ x: 0 }]);
  });
});

describe('a module that is no task', () => {
  it('fails the items with an error that names it, and the next task runs', async () => {
    const missing = new URL('../fixtures/tasks/missing.js', import.meta.url);
    await expect(pool.apply(missing)).rejects.toThrow(/missing\.js/);
    await expect(pool.map(missing, [1, 2, 3], { chunkSize: 3 })).rejects.toThrow(/missing\.js/);
    const empty = new URL('data:text/javascript,export const x = 1');
    await expect(pool.apply(empty)).rejects.toThrow(/default export/);
    const broken = new URL('data:text/javascript,throw new Error("broken module")');
    await expect(pool.apply(broken)).rejects.toThrow(/broken module/);
    expect(await pool.apply(identity, [1])).toBe(1);
  });
});

describe('thenables of other makes', () => {
  it('that call back at once, twice, or throw, settle their item once', async () => {
    const odd = (kind: string): unknown => {
      if (kind === 'at once')
        return {
          // biome-ignore lint/suspicious/noThenProperty: the point of the test
          then: (yes: (value: string) => void) => yes('at once'),
        };
      if (kind === 'twice')
        return {
          // biome-ignore lint/suspicious/noThenProperty: the point of the test
          then: (yes: (value: string) => void) => {
            yes('twice');
            yes('again');
          },
        };
      if (kind === 'throws')
        return {
          // biome-ignore lint/suspicious/noThenProperty: the point of the test
          then: () => {
            throw new Error('in then');
          },
        };
      if (kind === 'getter')
        return Object.defineProperty({}, 'then', {
          get: () => {
            throw new Error('in the getter');
          },
        });
      return kind;
    };
    const kinds = ['at once', 'plain', 'twice', 'plain', 'throws', 'plain', 'getter', 'plain'];
    const outcomes = await pool.imap(odd, kinds, { chunkSize: 8, window: 32, errors: 'settle' }).toArray();
    expect(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.message)),
    ).toEqual(['at once', 'plain', 'twice', 'plain', 'in then', 'plain', 'in the getter', 'plain']);
  });
});
