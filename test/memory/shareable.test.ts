import { Pool, SerializationError } from 'multiprocess';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ATTACH, registerShareable } from '../../dist/memory/index.js';
import { dumps, loads } from '../../dist/reduction/index.js';
import { Counter, exported, Pair } from '../fixtures/memory/counter.mjs';

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 2 });
});
afterAll(() => pool.terminate());

describe('a shareable object', () => {
  it('is one object in a process, however often it arrives', () => {
    const counter = new Counter();
    const [a, b] = loads<Counter[]>(dumps([counter, { deep: counter }, counter])) as any;
    expect(a).toBe(counter);
    expect(b.deep).toBe(counter);
    expect(loads<Map<string, Counter>>(dumps(new Map([['key', counter]]))).get('key')).toBe(counter);
  });

  it('reaches workers as argument and as captured variable, and comes back as itself', async () => {
    const counter = new Counter();
    expect(await pool.apply((arg: Counter) => arg.add(), [counter])).toBe(0);
    expect(await pool.apply(() => counter.add())).toBe(1);
    expect(await pool.apply((arg: Counter) => arg, [counter])).toBe(counter);
    expect(await pool.apply((arg: Counter) => arg === counter, [counter])).toBe(true);
    await pool.map(
      (_: number) => counter.add(),
      Array.from({ length: 1000 }, (_, i) => i),
    );
    expect(counter.value).toBe(1002);
  });

  it('is attached, not imported anew, where a function uses it by import', async () => {
    const before = exported.value;
    await pool.map((_: number) => exported.add(), [1, 2, 3]);
    expect(exported.value).toBe(before + 3);
  });

  it('that a worker makes lives on here when the worker has ended', async () => {
    const one = new Pool({ processes: 1, maxTasksPerChild: 1 });
    const task = new URL('../fixtures/memory/make-counter.mjs', import.meta.url);
    const made = (await one.map(task, [1, 2, 3], { chunkSize: 1 })) as Counter[];
    one.close();
    await one.join();
    expect(made.map((counter: Counter) => counter.value)).toEqual([1, 2, 3]);
    expect(made.every((counter: Counter) => counter instanceof Counter)).toBe(true);
    expect(made.map((counter: Counter) => counter.add())).toEqual([1, 2, 3]);
  });

  it('brings its parts, which keep their identity too', async () => {
    const shared = new Counter();
    const pair: any = new Pair(shared, new Counter());
    expect(loads(dumps(pair))).toBe(pair);
    const [same, count] = await pool.apply(
      (p: any, c: Counter) => [p.first === c && p.second !== c, p.second.add()],
      [pair, shared],
    );
    expect([same, count, pair.second.value]).toEqual([true, 0, 1]);
  });

  it('that is a part of itself is refused with advice', () => {
    const pair: any = new Pair(null, null);
    pair.first = { back: pair };
    expect(() => dumps(pair)).toThrow(expect.objectContaining({ code: 'MP_CYCLE' }));
    expect(() => dumps(pair)).toThrow(SerializationError);
  });

  it('that is closed cannot be sent', () => {
    const counter = new Counter();
    counter.block.close();
    expect(() => dumps(counter)).toThrow(
      expect.objectContaining({
        code: 'MP_CLOSED',
        message: expect.stringMatching(/^Counter: .*closed.*before it is closed/),
      }),
    );
  });

  it('of an unknown type whose module does not load is refused', () => {
    const bytes = Buffer.from(dumps(new Counter()));
    bytes.write('test.nothing', bytes.indexOf('test.counter'));
    bytes.write('missing.mjs', bytes.indexOf('counter.mjs'));
    expect(() => loads(bytes)).toThrow(/missing\.mjs/);
  });

  it('has a type name of its own', () => {
    const other = { prototype: {}, [ATTACH]: () => ({}) };
    const entry = { module: new URL(import.meta.url), class: other, toHandle: () => ({}), closed: () => false };
    expect(() => registerShareable('test.counter', entry)).toThrow(/belongs to another class/);
  });
});
