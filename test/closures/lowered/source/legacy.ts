// @ts-nocheck: compiled by other means
// Legacy decorators ("experimentalDecorators"), compiled by several tools (compile.mjs).
import { Pool } from 'multiprocess';

const calls: string[] = [];

function logged(_target: object, key: string, descriptor: PropertyDescriptor): void {
  calls.push(`method ${key}`);
  const method = descriptor.value as (...args: unknown[]) => unknown;
  descriptor.value = function (this: unknown, ...args: unknown[]) {
    return ['logged', method.apply(this, args)];
  };
}
function registered(type: { name: string }): void {
  calls.push(`class ${type.name}`);
}

@registered
class Service {
  static made = calls.length;
  weight = 6;
  @logged
  run(by: number): number {
    return this.weight * by;
  }
  @logged
  static describe(): string {
    return 'service';
  }
}

const pool = new Pool({ processes: 1 });
const results: Record<string, unknown> = {};
async function both(title: string, fn: (...args: never[]) => unknown, ...args: unknown[]): Promise<void> {
  let there: unknown;
  try {
    there = await pool.apply(fn as (...args: unknown[]) => unknown, args);
  } catch (error) {
    there = String(error);
  }
  results[title] = [fn(...(args as never[])), there];
}

async function main(): Promise<void> {
  await both('decorators run once', () => [Service.made, calls.length]);
  await both('a decorated class', () => [new Service().run(5), Service.describe()]);
  await both('an instance', (it: Service) => [it.run(2), it instanceof Service], new Service());
  console.log(JSON.stringify(results));
  await pool.terminate();
}
void main();
