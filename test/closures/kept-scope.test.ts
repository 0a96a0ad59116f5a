/** What is kept of a function that was sent: nothing of the variables around it that it does not use. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { explain } from 'multiprocess';
import { dumps } from 'multiprocess/reduction';
import { expect, it } from 'vitest';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

it.each<[string, (fn: Function) => unknown]>([
  ['sent', dumps],
  ['explained', explain],
])('a function that was %s does not keep what a variable beside it held before', async (_title, use) => {
  const factor = 3;
  let held: object | undefined = { rows: new Array(1000) };
  const other = (): object | undefined => held;
  const fn = (x: number): number => x * factor;
  use(fn);
  const ref = new WeakRef(other()!);
  held = undefined;
  // A WeakRef holds until the end of the turn in which it was made.
  for (let i = 0; i < 50 && ref.deref() !== undefined; i++) {
    await new Promise((done) => setImmediate(done));
    gc();
  }
  expect(ref.deref()).toBeUndefined();
  expect(fn(other() === undefined ? 2 : 0)).toBe(6);
});
