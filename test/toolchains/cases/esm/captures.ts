/** Closures over locals, over bindings of their module, over each other. */
import { check } from './harness.ts';

const moduleConst = { deep: [1, 2, 3] };
let moduleLet = 1;
moduleLet += 40;
let count = 0;
const increment = () => ++count;

function isEven(n: number): boolean {
  return n === 0 || isOdd(n - 1);
}
function isOdd(n: number): boolean {
  return n !== 0 && isEven(n - 1);
}

check('captures: a local const', async (pool, same) => {
  const k = 5;
  same(await pool.apply((x: number) => x + k, [1]), 6);
});

check('captures: a local let and a parameter', async (pool, same) => {
  const make = (base: number) => {
    let factor = 1;
    factor = 7;
    return (x: number) => base + x * factor;
  };
  same(await pool.map(make(100), [1, 2]), [107, 114]);
});

check('captures: a const of the module', async (pool, same) => {
  same(await pool.apply(() => moduleConst.deep.length), 3);
});

check('captures: a let of the module', async (pool, same) => {
  same(await pool.apply((x: number) => moduleLet + x, [1]), 42);
});

check('captures: a let that a captured function changes', async (pool, same) => {
  same(
    await pool.apply(() => {
      increment();
      return increment() + count;
    }),
    4,
  );
  same(count, 0);
});

check('captures: one variable of two functions', async (pool, same) => {
  let n = 10;
  const add = (x: number) => {
    n += x;
  };
  const get = () => n;
  same(
    await pool.apply(() => {
      add(5);
      return get();
    }),
    15,
  );
});

check('captures: recursion', async (pool, same) => {
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  same(await pool.apply(factorial, [5]), 120);
});

check('captures: recursion between functions', async (pool, same) => {
  same(await pool.apply((n: number) => [isEven(n), isOdd(n)], [10]), [true, false]);
});

check('captures: each turn of a loop', async (pool, same) => {
  const made: (() => number)[] = [];
  for (let i = 0; i < 3; i++) made.push(() => i * 10);
  same(await Promise.all(made.map((each) => pool.apply(each))), [0, 10, 20]);
});

check('captures: a nested block and a caught error', async (pool, same) => {
  try {
    throw new Error('caught');
  } catch (error) {
    const text = (error as Error).message;
    {
      const mark = '!';
      same(await pool.apply(() => text + mark + (error as Error).message), 'caught!caught');
    }
  }
});

check('captures: a table of rows', async (pool, same) => {
  const rows = Array.from({ length: 2_000 }, (_, id) => ({
    id,
    name: `row ${id}`,
    tags: ['a', 'b'],
    at: { x: id, y: -id },
  }));
  same(await pool.apply(() => rows.reduce((sum, row) => sum + row.at.x + row.tags.length, 0)), 2_003_000);
});

check('captures: built-in objects', async (pool, same) => {
  const map = new Map([['k', new Set([1, 2])]]);
  const date = new Date(86_400_000);
  const pattern = /b+/g;
  const big = BigInt('18446744073709551616');
  const floats = new Float64Array([0.5, 1.5]);
  same(
    await pool.apply(() => [map.get('k')?.size, date.getTime(), 'abba'.replace(pattern, ''), String(big), floats[0]]),
    [2, 86_400_000, 'aa', '18446744073709551616', 0.5],
  );
});

check('captures: outer this', async (pool, same) => {
  class Scaler {
    factor = 3;
    scale(on: typeof pool, items: number[]) {
      return on.map((x: number) => x * this.factor, items);
    }
  }
  same(await new Scaler().scale(pool, [1, 2]), [3, 6]);
});

check('captures: a bound function', async (pool, same) => {
  const account = {
    balance: 10,
    plus(x: number) {
      return this.balance + x;
    },
  };
  same(await pool.apply((x: number) => account.plus(x), [1]), 11);
  same(await pool.apply(account.plus.bind(account), [2]), 12);
});

check('captures: a function as argument and as result', async (pool, same) => {
  const k = 4;
  const twice = await pool.apply((f: (x: number) => number) => (x: number) => f(f(x)), [(x: number) => x * k]);
  same(twice(1), 16);
});
