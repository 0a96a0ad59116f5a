import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Deque } from '../../src/util/deque.js';

type Command = readonly ['push' | 'unshift' | 'remove' | 'at', number] | readonly ['pop' | 'shift'];

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constantFrom('push' as const, 'unshift' as const), fc.integer({ min: 0, max: 9 })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('remove' as const, 'at' as const), fc.integer({ min: 0, max: 40 })),
  },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom('pop' as const, 'shift' as const)) },
);

/** What an array does for the command. */
function onArray(array: number[], name: string, operand?: number): unknown {
  switch (name) {
    case 'push':
      return void array.push(operand!);
    case 'unshift':
      return void array.unshift(operand!);
    case 'at':
      return array[operand!];
    case 'remove': {
      // The one nearest to an end; of two that are as near, the one at the front.
      const [front, back] = [array.indexOf(operand!), array.lastIndexOf(operand!)];
      const at = front <= array.length - 1 - back ? front : back;
      if (at >= 0) array.splice(at, 1);
      return at >= 0;
    }
    default:
      return name === 'pop' ? array.pop() : array.shift();
  }
}

it('a deque does what an array does', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 300, size: 'max' }), (commands) => {
      const deque = new Deque<number>();
      const array: number[] = [];
      for (const [name, operand] of commands as readonly (readonly [keyof Deque<number>, number?])[]) {
        expect((deque[name] as (operand?: number) => unknown)(operand)).toEqual(
          onArray(array, name as string, operand),
        );
        expect(deque.length).toBe(array.length);
        expect(deque.first()).toBe(array[0]);
        expect(deque.last()).toBe(array.at(-1));
      }
      expect([...deque]).toEqual(array);
    }),
    { numRuns: 300 },
  );
});

it('a deque keeps no reference to what was taken from it', async () => {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const deque = new Deque<object>();
  const references: WeakRef<object>[] = [];
  (() => {
    for (let i = 0; i < 12; i++) {
      const item = { i };
      references.push(new WeakRef(item));
      deque.push(item);
    }
    for (let i = 0; i < 4; i++) {
      deque.shift();
      deque.pop();
      deque.remove(deque.at(0)!);
    }
  })();
  expect(deque.length).toBe(0);
  // A WeakRef keeps its target alive until the end of the turn in which it was made or read.
  for (let i = 0; i < 50; i++) {
    await new Promise((done) => setImmediate(done));
    gc();
    if (references.every((reference) => reference.deref() === undefined)) return;
  }
  expect(references.filter((reference) => reference.deref() !== undefined)).toEqual([]);
});
