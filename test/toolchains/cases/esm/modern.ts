/** What compilers for old targets refuse: BigInt, named groups, getters of a superclass. */
import { check } from './harness.ts';

class Base {
  get size() {
    return 1;
  }
}
class Derived extends Base {
  override get size() {
    return super.size + 1;
  }
}

check('classes: a getter of the superclass', async (pool, same) => {
  same(await pool.apply(() => new Derived().size), 2);
});
check('syntax: regular expressions and numbers', async (pool, same) => {
  same(
    await pool.apply(() => [
      /(?<year>\d{4})/u.exec('in 2024')?.groups?.['year'],
      2 ** 10,
      1_000,
      String(10n ** 20n),
      0b11,
    ]),
    ['2024', 1024, 1000, '100000000000000000000', 3],
  );
});
check('classes: a computed name', async (pool, same) => {
  const make = (key: 'show') =>
    class {
      [key]() {
        return 'shown';
      }
    };
  const Shown = make('show');
  same(await pool.apply(() => new Shown().show()), 'shown');
});
