/** Where a registered class counts: in the process or thread that registered it. */
import { type Context, getContext } from 'multiprocess';
import { register } from 'multiprocess/reduction';
import { describe, expect, it } from 'vitest';
import { install, runNode } from '../support/installed-program.js';

class Money {
  #cents: number;
  constructor(cents: number) {
    this.#cents = cents;
  }
  get cents(): number {
    return this.#cents;
  }
}

/** A class that is registered where it stands; a program that has an instance of it come back. */
const PROGRAM = {
  'money.mjs': `
    import { register } from 'multiprocess/reduction';
    export class Money {
      #cents;
      constructor(cents) { this.#cents = cents; }
      get cents() { return this.#cents; }
    }
    register(Money, (money) => [Money, [money.cents]]);
    export const doubled = (money) => new Money(money.cents * 2);`,
  'main.mjs': `
    import { getContext } from 'multiprocess';
    import { doubled, Money } from './money.mjs';
    const pool = new (getContext(process.argv[2]).Pool)({ processes: 1 });
    console.log((await pool.apply(doubled, [new Money(21)])).cents);
    await pool.terminate();`,
};

register(Money, (money) => [(cents: number) => new Money(cents), [money.cents]]);

describe.each(['spawn', 'thread'] as const)('A class that was registered, and workers by %s', (method) => {
  const context: Context = getContext(method);

  it('here only: an instance arrives, and its way back is refused with where to register', async () => {
    await using pool = new context.Pool({ processes: 1 });
    expect(await pool.apply((money: Money) => money.cents, [new Money(21)])).toBe(21);
    await expect(pool.apply((money: Money) => money, [new Money(21)])).rejects.toMatchObject({
      code: 'MP_PRIVATE_FIELDS',
      message: expect.stringContaining(
        'register(Money, reduce), which counts only in the process or thread that calls it: call it in a module that both sides import',
      ),
    });
  });

  it('in a module that both sides import: both ways', async () => {
    expect(await runNode(['main.mjs', method], install(PROGRAM))).toMatchObject({
      stdout: '42\n',
      stderr: '',
      code: 0,
    });
  });
});
