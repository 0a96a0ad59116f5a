/**
 * Results of Node's modules that are of a class of Node and consist of their properties alone:
 * fs.Stats, fs.Dirent, …
 *
 *   N   data: name of the class; base children: key, value, key, value, …; the key of what Node
 *       keeps under a symbol is `@@description`
 */
import { createRequire } from 'node:module';
import { badPayload } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';
import { keyLabel } from './properties.js';
import { BASE, shell, shellKind } from './shell.js';

const require = createRequire(import.meta.url);
const SYMBOL = '@@';

const fs = (): typeof import('node:fs') => require('node:fs') as typeof import('node:fs');

/** One of each class: Node does not export all of them. */
const samples: Readonly<Record<string, () => object | undefined>> = {
  Stats: () => fs().statSync('/'),
  BigIntStats: () => fs().statSync('/', { bigint: true }),
  StatFs: () => fs().statfsSync('/'),
  Dirent: () => fs().readdirSync('/', { withFileTypes: true })[0],
  Url: () => {
    const { Url } = require('node:url') as { Url: new () => object };
    // parse() would warn.
    return new Url();
  },
};

interface Sample {
  readonly prototype: object;
  /** Its symbols by their description. */
  readonly symbols: ReadonlyMap<string, symbol>;
}

const known = new Map<string, Sample | null>();

/** Whether a class of this name may be one of these. */
export const isRecordName = (name: string): boolean => Object.hasOwn(samples, name);

/** Reduces such a result, whose class has that name; `undefined` for any other value. */
export function reduceRecord(value: object, name: string): Reduction | undefined {
  const sample = sampleOf(name);
  if (sample === null || sample.prototype !== Object.getPrototypeOf(value)) return undefined;
  const base: unknown[] = [];
  const record = value as Record<string | symbol, unknown>;
  for (const key of Object.keys(value)) base.push(key, record[key]);
  for (const [description, symbol] of sample.symbols) base.push(SYMBOL + description, record[symbol]);
  return shell(recordKind.tag, name, value, base, [], (index) => keyLabel(base[index - (index % 2)] as string));
}

export const recordKind: NodeKind = shellKind<object>({
  tag: 'N',
  create(data) {
    const sample = sampleOf(String(data));
    if (sample === null) throw badPayload('an object of Node has no class');
    return Object.create(sample.prototype) as object;
  },
  fill(target, children, end) {
    const { symbols } = [...known.values()].find((sample) => sample?.prototype === Object.getPrototypeOf(target))!;
    for (let i = BASE; i + 1 < end; i += 2) {
      const name = children[i];
      if (typeof name !== 'string') throw badPayload('a property has no name');
      const key = name.startsWith(SYMBOL) ? symbols.get(name.slice(SYMBOL.length)) : name;
      if (key === undefined) continue;
      Object.defineProperty(target, key, {
        value: children[i + 1],
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
  },
});

function sampleOf(name: string): Sample | null {
  if (!Object.hasOwn(samples, name)) return null;
  let sample = known.get(name);
  if (sample === undefined) {
    const one = samples[name]!();
    sample =
      one === undefined
        ? null
        : {
            prototype: Object.getPrototypeOf(one) as object,
            symbols: new Map(Object.getOwnPropertySymbols(one).map((symbol) => [symbol.description ?? '', symbol])),
          };
    known.set(name, sample);
  }
  return sample;
}
