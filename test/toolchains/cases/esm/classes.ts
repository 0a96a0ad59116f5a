/** Classes, made here and used there, and the other way round. */
import { check } from './harness.ts';

class Shape {
  name: string;
  constructor(name: string) {
    this.name = name;
  }
  describe() {
    return `shape ${this.name}`;
  }
}
class Circle extends Shape {
  radius: number;
  constructor(radius: number) {
    super('circle');
    this.radius = radius;
  }
  override describe() {
    return `${super.describe()} of ${this.radius}`;
  }
  static unit() {
    return new Circle(1);
  }
}
class Stack extends Array<number> {
  top() {
    return this[this.length - 1];
  }
}
class Failure extends Error {
  code = 'E_FAILURE';
  override name = 'Failure';
}

const registry: string[] = [];
class Registered {
  static label: string;
  static {
    registry.push('Registered');
    Registered.label = `label ${registry.length}`;
  }
}

check('classes: inheritance and super', async (pool, same) => {
  same(
    await pool.apply(
      (r: number) => {
        const circle = new Circle(r);
        return [circle.describe(), circle instanceof Shape, Circle.unit().radius];
      },
      [2],
    ),
    ['shape circle of 2', true, 1],
  );
});
check('classes: an instance as argument', async (pool, same) => {
  same(
    await pool.apply(
      (circle: Circle) => [circle.describe(), circle instanceof Circle, circle instanceof Shape],
      [new Circle(5)],
    ),
    ['shape circle of 5', true, true],
  );
});
check('classes: an instance as result', async (pool, same) => {
  const circle = await pool.apply(() => new Circle(6));
  same([circle.describe(), circle instanceof Circle, circle instanceof Shape], ['shape circle of 6', true, true]);
});
check('classes: a captured instance', async (pool, same) => {
  const circle = new Circle(7);
  same(await pool.apply(() => circle.describe()), 'shape circle of 7');
});
check('classes: of built-in ones', async (pool, same) => {
  same(
    await pool.apply(() => {
      const stack = new Stack();
      stack.push(1, 2);
      return [stack.top(), stack instanceof Stack, Array.isArray(stack)];
    }),
    [2, true, true],
  );
});
check('classes: static blocks run once', async (pool, same) => {
  same(await pool.apply(() => [new Registered() instanceof Registered, registry.length, Registered.label]), [
    true,
    1,
    'label 1',
  ]);
});
check('classes: made in a function', async (pool, same) => {
  const unit = 'cm';
  const Length = class {
    value: number;
    constructor(value: number) {
      this.value = value;
    }
    toString() {
      return `${this.value} ${unit}`;
    }
    [Symbol.toPrimitive]() {
      return this.toString();
    }
  };
  same(await pool.apply(() => `${new Length(3)}`), '3 cm');
});
check('classes: constructor functions', async (pool, same) => {
  function Legacy(this: { x: number }, x: number) {
    this.x = x;
  }
  Legacy.prototype.double = function (this: { x: number }) {
    return this.x * 2;
  };
  const make = Legacy as unknown as new (x: number) => { x: number; double(): number };
  same(await pool.apply((v: { double(): number }) => [v instanceof make, v.double()], [new make(4)]), [true, 8]);
  const back = await pool.apply(() => new make(5));
  same([back instanceof make, back.double()], [true, 10]);
});
check('classes: an own error', async (pool, same) => {
  let error: unknown;
  await pool
    .apply(() => {
      throw new Failure('own');
    })
    .catch((e) => {
      error = e;
    });
  same([error instanceof Failure, (error as Failure).code, (error as Failure).message], [true, 'E_FAILURE', 'own']);
});
