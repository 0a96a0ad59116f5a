/** Standard decorators, lowered by the compiler. */
import { check } from './harness.ts';

const log: string[] = [];
function traced<A extends unknown[], R>(method: (...args: A) => R, context: ClassMethodDecoratorContext) {
  log.push(`traced ${String(context.name)}`);
  return function (this: unknown, ...args: A): R {
    return method.apply(this, args);
  };
}
function doubled<A extends unknown[]>(method: (...args: A) => number, _context: ClassMethodDecoratorContext) {
  return function (this: unknown, ...args: A): number {
    return method.apply(this, args) * 2;
  };
}
function counted(_value: undefined, _context: ClassFieldDecoratorContext) {
  return (initial: number) => initial + 100;
}
function named<C extends abstract new (...args: never[]) => object>(target: C, context: ClassDecoratorContext) {
  log.push(`named ${context.name}`);
  return target;
}

@named
class Service {
  @counted field = 1;
  @traced
  @doubled
  value(x: number) {
    return x + this.field;
  }
}
class Plain {
  @doubled
  four() {
    return 4;
  }
}
class Cell {
  accessor content = 3;
}

check('decorators: of a method', async (pool, same) => {
  same(new Plain().four(), 8);
  same(await pool.apply(() => new Plain().four()), 8);
});
check('decorators: of a class and a field', async (pool, same) => {
  same([new Service().value(1), log.length], [204, 2]);
  same(await pool.apply(() => [new Service().value(1), log.length]), [204, 2]);
});
check('decorators: accessor', async (pool, same) => {
  same(
    await pool.apply(() => {
      const cell = new Cell();
      cell.content += 1;
      return cell.content;
    }),
    4,
  );
});
