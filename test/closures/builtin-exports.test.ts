/** What Node's own modules export by an accessor, captured as a value: it arrives as the same export. */
import { builtinModules } from 'node:module';
import { Pool } from 'multiprocess';
import { dumps, loads } from 'multiprocess/reduction';
import { describe, expect, it } from 'vitest';

/** Objects that are modules too. Others (`http.globalAgent`, `crypto.webcrypto`) are instances, which are refused. */
const objects = ['promises'];

function exportsByAccessor(): [string, object][] {
  const found: [string, object][] = [];
  for (const id of builtinModules) {
    const name = id.replace(/^node:/, '');
    if (name.startsWith('_') || ['process', 'console', 'repl', 'sys'].includes(name)) continue;
    let module: object | undefined;
    try {
      module = process.getBuiltinModule(`node:${name}`) as object | undefined;
    } catch {
      continue;
    }
    if (module === undefined) continue;
    for (const [key, { get, enumerable }] of Object.entries(Object.getOwnPropertyDescriptors(module))) {
      if (get === undefined || enumerable !== true) continue;
      const value: unknown = (module as Record<string, unknown>)[key];
      if (typeof value === 'function' || objects.includes(key)) found.push([`${name}.${key}`, value as object]);
    }
  }
  return found;
}

const all = exportsByAccessor();

it('there are some on this Node', () => {
  expect(all.map(([name]) => name)).toEqual(expect.arrayContaining(['fs.promises', 'fs.ReadStream', 'util.aborted']));
});

describe('an export by an accessor', () => {
  it.each(all)('%s', (_, value) => {
    expect(loads<() => unknown>(dumps(() => value))()).toBe(value);
    expect(loads<unknown>(dumps(value))).toBe(value);
  });

  it('is that of the other process there, also where a class extends it', async () => {
    await using pool = new Pool({ processes: 1 });
    // As a CommonJS module or a bundle has it: a value.
    const { AsyncLocalStorage } = process.getBuiltinModule('node:async_hooks');
    const { promises } = process.getBuiltinModule('node:fs');
    const { BlockList } = process.getBuiltinModule('node:net');
    class Store extends AsyncLocalStorage<number> {
      twice(): number {
        return 2 * this.getStore()!;
      }
    }
    const task = async () => {
      const list = new BlockList();
      list.addAddress('10.0.0.1');
      const store = new Store();
      return [
        store.run(4, () => store.twice()),
        store instanceof AsyncLocalStorage,
        list.check('10.0.0.1'),
        (await promises.readdir('/')).length > 0,
      ];
    };
    expect(await pool.apply(task)).toEqual([8, true, true, true]);
  });
});

it('a function that has the name of such an export goes by value', () => {
  function aborted(): number {
    return 7;
  }
  expect(loads<() => number>(dumps(aborted))()).toBe(7);
});
