/** Errors that Node makes arrive as themselves, thrown or as values, by every way there is. */
import vm from 'node:vm';
import { Pool, pipe, Queue } from 'multiprocess';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describe, describeLast, fail, make, names } from '../fixtures/errors/node-errors.mjs';

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 1 });
});
afterAll(() => pool.terminate());

const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'did not fail',
    (error: unknown) => error,
  );

it('thrown by a task', async () => {
  expect(names.length).toBeGreaterThan(60);
  for (const name of names) {
    const error = await reasonOf(pool.apply(fail, [name]));
    expect(describe(error), name).toEqual(await pool.apply(describeLast));
    if (name === names[0]) expect((error as Error).stack).toContain('--- called from ---');
  }
});

it('as results, alone and inside of containers and of other errors', async () => {
  for (const name of names) {
    const arrived = await pool.apply(
      async (which: string) => {
        const error = (await make(which)) as Error;
        return {
          error,
          list: [error],
          map: new Map([['key', error]]),
          cause: new Error('outer', { cause: error }),
          any: new AggregateError([error, 1]),
          settled: await Promise.allSettled([Promise.reject(error)]),
        };
      },
      [name],
    );
    expect(describe(arrived.error), name).toEqual(await pool.apply(describeLast));
    const others = [
      arrived.list[0],
      arrived.map.get('key'),
      arrived.cause.cause,
      arrived.any.errors[0],
      arrived.settled[0],
    ];
    expect(others.slice(0, 4).every((other) => other === arrived.error)).toBe(true);
    expect((others[4] as PromiseRejectedResult).reason).toBe(arrived.error);
  }
});

it('as arguments, queue items and messages, with the stack they had', async () => {
  const queue = new Queue<Error>();
  const [left, right] = pipe();
  for (const name of names) {
    const error = (await make(name)) as Error;
    expect(await pool.apply((arrived: Error) => [describe(arrived), arrived.stack], [error]), name).toEqual([
      describe(error),
      error.stack,
    ]);
    await queue.put(error);
    expect(describe(await queue.get()), name).toEqual(describe(error));
    await left.send({ error });
    const { error: received } = (await right.recv()) as { error: Error };
    expect(describe(received), name).toEqual(describe(error));
    expect(received.stack).toBe(error.stack);
  }
  queue.close();
  left.close();
  right.close();
});

it('of a vm context are those of ours, also when thrown', async () => {
  const error = await reasonOf(
    pool.apply(() => {
      const { runInNewContext } = process.getBuiltinModule('node:vm');
      runInNewContext(
        'throw Object.assign(new TypeError("far", { cause: new RangeError("farther") }), { code: "E_FAR" })',
      );
    }),
  );
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ message: 'far', code: 'E_FAR' });
  expect((error as Error).cause).toBeInstanceOf(RangeError);
  const inside = vm.runInNewContext('class Mine extends SyntaxError { at = 5 }; new Mine("x")') as object;
  expect(
    await pool.apply(
      (e: { at: number }) => [e instanceof SyntaxError, e.constructor.name, e.at],
      [inside as { at: number }],
    ),
  ).toEqual([true, 'Mine', 5]);
});

it('behind a Proxy, and of a class with #private fields', async () => {
  const proxied = await reasonOf(
    pool.apply(() => {
      throw new Proxy(Object.assign(new RangeError('behind'), { code: 'E_PROXY' }), {});
    }),
  );
  expect(proxied).toBeInstanceOf(RangeError);
  expect(proxied).toMatchObject({ message: 'behind', code: 'E_PROXY' });
  expect((proxied as Error).stack).toContain('--- called from ---');
  const hidden = await reasonOf(
    pool.apply(() => {
      class Secret extends TypeError {
        #key = 1;
        shown = 2;
        get key() {
          return this.#key;
        }
      }
      throw new Secret('hidden');
    }),
  );
  expect(hidden).toBeInstanceOf(TypeError);
  expect(hidden).toMatchObject({ message: 'hidden', shown: 2 });
  expect((hidden as Error).constructor.name).toBe('Secret');
});

it('of a class over DOMException, with what cannot be sent told as text', async () => {
  const error = await reasonOf(
    pool.apply(() => {
      class Stopped extends DOMException {
        extra = 5;
        pending = Promise.resolve();
      }
      throw new Stopped('stop', 'AbortError');
    }),
  );
  expect(error).toBeInstanceOf(DOMException);
  expect(error).toMatchObject({
    name: 'AbortError',
    message: 'stop',
    code: 20,
    extra: 5,
    pending: expect.stringMatching(/^Promise \{ undefined/),
  });
  expect((error as Error).constructor.name).toBe('Stopped');
});
