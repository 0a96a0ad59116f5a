/** What a copy of a program does with shared values that it has. */
import { Event, getContext, Lock, Queue, share } from 'multiprocess';
import { expect, it } from 'vitest';

const context = getContext('fork');

it('a copy has the shared values of its parent, decoded or not, and ends none of them', async () => {
  using before = share({ doubles: new Float64Array(1 << 16).fill(1), lock: new Lock(), decodes: [0] });
  using later = share(new Float64Array(1 << 16).fill(2));
  const { doubles } = before.value;
  const results = new Queue<unknown>();
  const read = new Event();
  const child = new context.Process(() => {
    const seen = [before.value.doubles === doubles, doubles[5], later.value[5]];
    doubles.fill(7);
    later.value.fill(8);
    before.value.lock.acquireSync();
    const inner = share('of the copy');
    results.putSync([...seen, doubles[5], later.value[5], inner]);
    before.close();
    later.close();
    read.waitSync();
  });
  await child.start();
  const [same, one, two, seven, eight, inner] = (await results.get()) as [
    boolean,
    number,
    number,
    number,
    number,
    { value: string },
  ];
  expect([same, one, two, seven, eight, inner.value]).toEqual([true, 1, 2, 7, 8, 'of the copy']);
  expect([doubles[5], before.value.doubles[5], later.value[5]]).toEqual([1, 1, 2]);
  expect(before.value.lock.locked()).toBe(true);
  read.set();
  expect(await child.exited).toBe(0);
  expect(doubles[5]).toBe(1);
  await child[Symbol.asyncDispose]();
  await results[Symbol.asyncDispose]();
});
