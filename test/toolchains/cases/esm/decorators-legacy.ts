/** Decorators of TypeScript's option `experimentalDecorators`. */
import { check } from './harness.ts';

const log: string[] = [];
function doubled(_target: object, name: string, descriptor: PropertyDescriptor): PropertyDescriptor {
  log.push(name);
  const method = descriptor.value as (...args: unknown[]) => number;
  return {
    ...descriptor,
    value(this: unknown, ...args: unknown[]) {
      return method.apply(this, args) * 2;
    },
  };
}
function sealed(target: Function): void {
  log.push(target.name);
  Object.freeze(target.prototype);
}
function tagged(tag: string) {
  return (_target: object, name: string): void => {
    log.push(`${tag} ${name}`);
  };
}

@sealed
class Service {
  @tagged('field') base = 1;
  @doubled
  value(x: number) {
    return x + this.base;
  }
}

check('legacy decorators: of a class, a method and a field', async (pool, same) => {
  same([new Service().value(1), log.length], [4, 3]);
  same(await pool.apply(() => [new Service().value(1), log.length]), [4, 3]);
});
check('legacy decorators: an instance as argument and as result', async (pool, same) => {
  const back = await pool.apply((service: Service) => service, [new Service()]);
  same([back instanceof Service, back.value(2)], [true, 6]);
});
