/** Functions and classes that are made inside a function that was sent: they come back, and go on to others. */
import { basename } from 'node:path';
import { join } from 'node:path/posix';
import { Pool } from 'multiprocess';
import { afterAll, beforeAll, expect, it } from 'vitest';

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 1 });
});
afterAll(() => pool.terminate());

it('a closure made by a sent function comes back with what it captured there', async () => {
  const k = 3;
  const add = await pool.apply((x: number) => (y: number) => x + y + k, [4]);
  expect(add(10)).toBe(17);
  expect(add.toString()).toBe('(y) => x + y + k');
});

it('so do methods of an object, accessors, and functions of every kind', async () => {
  const made = await pool.apply(
    (start: number) => {
      const step = 2;
      function named(x: number): number {
        return x <= 0 ? start : named(x - 1) + step;
      }
      return {
        named,
        plus(x: number) {
          return start + x;
        },
        ['time' + 's']: (x: number) => start * x,
        later: async (x: number) => start - x,
        *list() {
          yield start;
          yield step;
        },
      };
    },
    [5],
  );
  expect(made.named(3)).toBe(11);
  expect(made.plus(1)).toBe(6);
  expect((made['times'] as (x: number) => number)(2)).toBe(10);
  expect(await made.later(1)).toBe(4);
  expect([...made.list()]).toEqual([5, 2]);
});

it('a class defined inside comes back, and its instances are of it', async () => {
  const [Point, point] = await pool.apply(
    (unit: number) => {
      class Base {
        unit() {
          return unit;
        }
      }
      class Point extends Base {
        static zero = 0;
        constructor(readonly x: number) {
          super();
        }
        get size() {
          return this.x * super.unit();
        }
      }
      return [Point, new Point(3)] as const;
    },
    [7],
  );
  expect(point).toBeInstanceOf(Point);
  expect(point.size).toBe(21);
  expect(new Point(2).size).toBe(14);
});

it('a class that was sent comes back the same, whatever edits its members needed', async () => {
  let made = 0;
  const key = Symbol.for('key');
  class Edited {
    #cents: number;
    constructor(cents: number) {
      this.#cents = cents;
      made++;
    }
    ['com' + 'puted']() {
      return this.#cents;
    }
    get [key]() {
      return this.#cents;
    }
    static [Symbol.iterator]() {
      return [made].values();
    }
    count() {
      return this.#cents + made;
    }
    [Symbol.for('multiprocess.reduce')]() {
      return [(cents: number) => new Edited(cents), [this.#cents]];
    }
  }
  expect(made).toBe(0);
  expect(await pool.apply((Type: typeof Edited) => Type, [Edited])).toBe(Edited);
  const doubled = await pool.apply((from: Edited) => new Edited(from[key] * 2), [new Edited(21)]);
  expect(doubled).toBeInstanceOf(Edited);
  expect(doubled[key]).toBe(42);
  const members = await pool.apply((Type: typeof Edited) => [Reflect.ownKeys(Type.prototype), Type], [Edited]);
  expect(members[0]).toEqual(Reflect.ownKeys(Edited.prototype));
});

it('variables that they share are shared where they arrive', async () => {
  const counter = await pool.apply(
    (start: number) => {
      let count = start;
      return { up: () => ++count, get: () => count };
    },
    [5],
  );
  counter.up();
  counter.up();
  expect(counter.get()).toBe(7);
});

it('a variable that the sender shared goes through as well', async () => {
  let total = 5;
  const add = (x: number) => {
    total += x;
  };
  const read = await pool.apply(
    (x: number) => {
      add(x);
      return () => total;
    },
    [3],
  );
  expect(read()).toBe(8);
  expect(total).toBe(5);
});

it('imports stay imports, by whatever name', async () => {
  const name = await pool.apply((folder: string) => (file: string) => basename(join(folder, file)), ['/a']);
  expect(name('b')).toBe('b');
  const where = await pool.apply(() => () => import.meta.url);
  expect(where()).toContain('made-inside');
});

it('a function made in a function that was made inside goes further still', async () => {
  const outer = await pool.apply((a: number) => (b: number) => (c: number) => a + b + c, [1]);
  const middle = await pool.apply(outer, [2]);
  expect(middle(3)).toBe(6);
  const inner = await pool.apply((make: typeof outer) => make(20), [outer]);
  expect(await pool.apply(inner, [300])).toBe(321);
});

it('two functions whose text stands at the same place keep their own captures', async () => {
  const make = (k: number) => (x: number) => () => x * k;
  const [two, three] = [await pool.apply(make(2), [5]), await pool.apply(make(3), [5])];
  expect([two(), three()]).toEqual([10, 15]);
});

it('the stack of an error points at the same place as without the detour', async () => {
  const make = (text: string) => () => {
    throw new Error(text);
  };
  const position = (error: unknown) =>
    /made-inside\.test\.ts(?:#compiled)?(:\d+:\d+)/.exec((error as Error).stack!)?.[1];
  const direct = position(await pool.apply(make('here')).catch((error: unknown) => error));
  expect(direct).toBeDefined();
  const came = await pool.apply(make, ['there']);
  expect(position(await pool.apply(came).catch((error: unknown) => error))).toBe(direct);
});

it('a worker gives closures that it made to a pool of its own', async () => {
  const run = async (k: number) => {
    const { Pool } = await import('multiprocess');
    const inner = new Pool({ processes: 1 });
    try {
      const twice = await inner.apply((x: number) => (y: number) => (x + y) * k, [1]);
      return [
        await inner.apply(() => k + 1),
        await inner.map((x: number) => x * k, [1, 2]),
        twice(2),
        await inner.apply(twice, [3]),
      ];
    } finally {
      await inner.terminate();
    }
  };
  expect(await pool.apply(run, [10])).toEqual([11, [10, 20], 30, 40]);
});

it('a worker puts one into a queue, and starts a process with one', async () => {
  const run = async (k: number) => {
    const { Process, Queue } = await import('multiprocess');
    const queue = new Queue<(x: number) => number>();
    await queue.put((x) => x + k);
    const first = await queue.get();
    const child = new Process((to: typeof queue) => to.put((x) => x * k), { args: [queue] });
    child.start();
    const second = await queue.get();
    await child.join();
    queue.close();
    await queue.joinThread();
    return [first(1), second(2)];
  };
  expect(await pool.apply(run, [10])).toEqual([11, 20]);
});

it('task() made inside names what it takes', async () => {
  const made = await pool.apply(
    async (k: number) => {
      const { task } = await import('multiprocess');
      return task({ k }, (captures: { k: number }, x: number) => captures.k * x);
    },
    [4],
  );
  expect(await pool.apply(made as never, [5])).toBe(20);
});

it('an arrow that needs the `this` of a method there is refused as it is here', async () => {
  const refused = pool.apply(() => {
    class Scale {
      factor = 2;
      arrow() {
        return (x: number) => x * this.factor;
      }
    }
    return new Scale().arrow();
  });
  await expect(refused).rejects.toMatchObject({ code: 'MP_OUTER_THIS' });
});

it('what cannot go is refused with its reason', async () => {
  const refused = pool.apply(() => {
    const reference = new WeakRef({});
    return () => reference;
  });
  await expect(refused).rejects.toMatchObject({ code: 'MP_WEAK' });
});
