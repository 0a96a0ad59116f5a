/** #private members, which compilers for targets before ES2022 lower. */
import { check } from './harness.ts';

class Counter {
  #count = 0;
  static made = 0;
  static #secret = 'hidden';
  label = 'counter';
  static reveal() {
    return Counter.#secret;
  }
  #bump() {
    this.#count++;
  }
  next() {
    this.#bump();
    return this.#count;
  }
  get current() {
    return this.#count;
  }
  set current(value: number) {
    this.#count = value;
  }
  static is(value: object) {
    return #count in value;
  }
}

Counter.made = 3;

check('classes: #private fields and methods', async (pool, same) => {
  same(
    await pool.apply(() => {
      const counter = new Counter();
      counter.next();
      counter.current += 10;
      return [counter.next(), counter.current, counter.label, Counter.is(counter), Counter.is({})];
    }),
    [12, 12, 'counter', true, false],
  );
});
check('classes: statics', async (pool, same) => {
  same(await pool.apply(() => [Counter.made, Counter.reveal()]), [3, 'hidden']);
});
check('classes: an instance with #private fields', async (pool, same) => {
  const counter = new Counter();
  counter.next();
  same(await pool.apply((given: Counter) => given.next(), [counter]), 2);
});
