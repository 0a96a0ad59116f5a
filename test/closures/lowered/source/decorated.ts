// @ts-nocheck: compiled by other means
// Standard decorators, compiled by several tools (compile.mjs). What each function gives here and in a worker is printed.
import { Pool } from 'multiprocess';

const calls: string[] = [];

function logged<T extends (...args: never[]) => unknown>(method: T, context: ClassMethodDecoratorContext): T {
  calls.push(`method ${String(context.name)}`);
  context.addInitializer(() => void calls.push('initializer'));
  return function (this: unknown, ...args: never[]) {
    return ['logged', method.apply(this, args)];
  } as unknown as T;
}
function registered(_type: unknown, context: ClassDecoratorContext): void {
  calls.push(`class ${String(context.name)}`);
}
function tripled(_value: undefined, context: ClassFieldDecoratorContext) {
  calls.push(`field ${String(context.name)}`);
  return (initial: number) => initial * 3;
}

@registered
class Service {
  @tripled weight = 2;
  static made = calls.length;
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
