/** Closures of a CommonJS module, and its own names. */
const { check } = require('./harness.cjs');

const moduleConst = { deep: [1, 2, 3] };
let moduleLet = 1;
moduleLet += 40;
var moduleVar = 2;
let count = 0;
const increment = () => ++count;
const isEven = (n) => n === 0 || isOdd(n - 1);
function isOdd(n) {
  return n !== 0 && isEven(n - 1);
}
class Shape {
  #area;
  static made = [];
  constructor(area) {
    this.#area = area;
  }
  get area() {
    return this.#area;
  }
}
class Named extends Shape {
  name = 'named';
  describe() {
    return `${this.name} ${this.area}`;
  }
}
class Pair {
  constructor(a, b) {
    Object.assign(this, { a, b });
  }
  sum() {
    return this.a + this.b;
  }
}
const registry = [];
class Registered {
  static {
    registry.push('Registered');
  }
}

check('captures: locals', async (pool, same) => {
  const k = 5;
  let changed = 1;
  changed = 2;
  same(await pool.apply((x) => x + k + changed, [1]), 8);
});
check('captures: const, let and var of the module', async (pool, same) => {
  same(await pool.apply((x) => [moduleConst.deep.length, moduleLet + x, moduleVar], [1]), [3, 42, 2]);
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
check('captures: recursion between functions', async (pool, same) => {
  same(await pool.apply((n) => [isEven(n), isOdd(n)], [10]), [true, false]);
});
check('captures: __filename and __dirname', async (pool, same) => {
  same(await pool.apply(() => [__filename, __dirname]), [__filename, __dirname]);
});
check('captures: outer this', async (pool, same) => {
  const scaler = {
    factor: 3,
    scale(on, items) {
      return on.map((x) => x * this.factor, items);
    },
  };
  same(await scaler.scale(pool, [1, 2]), [3, 6]);
});
check('captures: a table of rows', async (pool, same) => {
  const rows = Array.from({ length: 2_000 }, (_, id) => ({ id, name: `row ${id}`, tags: ['a', 'b'] }));
  same(await pool.apply(() => rows.reduce((sum, row) => sum + row.id + row.tags.length, 0)), 2_003_000);
});
check('classes: #private, inheritance and statics', async (pool, same) => {
  same(await pool.apply((x) => [new Named(x).describe(), new Named(x) instanceof Shape, Shape.made.length], [4]), [
    'named 4',
    true,
    0,
  ]);
});
check('classes: an instance as argument and as result', async (pool, same) => {
  const pair = await pool.apply((given) => new Pair(given.sum(), given instanceof Pair), [new Pair(1, 2)]);
  same([pair instanceof Pair, pair.a, pair.b], [true, 3, true]);
});
check('classes: static blocks run once', async (pool, same) => {
  same(await pool.apply(() => [new Registered() instanceof Registered, registry.length]), [true, 1]);
});
check('async: functions and generators', async (pool, same) => {
  async function* ticks(n) {
    for (let i = 0; i < n; i++) yield i;
  }
  same(
    await pool.apply(
      async (n) => {
        const seen = [];
        for await (const tick of ticks(n)) seen.push(tick);
        return seen;
      },
      [3],
    ),
    [0, 1, 2],
  );
});
check('syntax: a selection', async (pool, same) => {
  const { a = 4, ...rest } = { b: { c: [1, 2] } };
  const tag = (strings, ...values) => strings.join('|') + values.join();
  same(
    await pool.apply(
      (...given) => {
        outer: for (const x of given) for (const y of rest.b?.c ?? []) if (x === y) break outer;
        return [a, rest.none?.x ?? 'none', Math.max(...given), tag`t${a}u`, given.at(-1)];
      },
      [1, 9, 2],
    ),
    [4, 'none', 9, 't|u4', 2],
  );
});
