/** What only TypeScript has, and cannot be stripped. */
import { check } from './harness.ts';

enum Colour {
  Red = 1,
  Green,
}
namespace Units {
  export const perMetre = 100;
  export function toCentimetres(metres: number) {
    return metres * perMetre;
  }
}
class Account {
  constructor(
    readonly owner: string,
    private balance = 5,
  ) {}
  show() {
    return `${this.owner} ${this.balance}`;
  }
}

check('typescript: enum', async (pool, same) => {
  same(await pool.apply((colour: Colour) => [Colour[colour], Colour.Red], [Colour.Green]), ['Green', 1]);
});
check('typescript: namespace', async (pool, same) => {
  same(await pool.apply((x: number) => Units.toCentimetres(x), [2]), 200);
});
check('typescript: parameter properties', async (pool, same) => {
  same(await pool.apply(() => new Account('me').show()), 'me 5');
  same((await pool.apply((account: Account) => account, [new Account('you', 7)])).show(), 'you 7');
});
