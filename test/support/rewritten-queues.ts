/** The real words of src/queues as the explorer runs them, and mutants of them that must be caught. */
import { readFileSync } from 'node:fs';
import { PAD, RECORD_HEADER, recordBytes } from '../../src/memory/index.js';
import { loadRewritten } from './generatorize.js';

/** A textual change to one file; it must match exactly once. */
export interface Mutation {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** The time of whoever runs: set before a wait returns, read right after it. */
export const clock = { now: 0 };

/** Loads the ring of items, its cursors and the word that is waited on. */
export function rewrittenQueues(mutation?: Mutation): Record<string, any> {
  const files = ['memory/gate', 'queues/wait-word', 'queues/cursor', 'queues/item-ring'];
  const modules = files.map((file) => {
    let source = readFileSync(new URL(`../../src/${file}.ts`, import.meta.url), 'utf8');
    if (mutation?.file === file) {
      if (source.split(mutation.from).length !== 2)
        throw new Error(`The mutation does not match ${file}.ts exactly once: ${mutation.from}`);
      source = source.replace(mutation.from, () => mutation.to);
    }
    return { specifier: `./${file.split('/')[1]}.js`, source };
  });
  const externals = {
    'node:perf_hooks': { performance: { now: () => clock.now } },
    '../memory/index.js': { PAD, RECORD_HEADER, recordBytes },
  };
  return loadRewritten(modules, externals, {
    calls: ['attempt', 'waitSync', 'withdraw', 'check', 'announce', 'swept', 'hasEnded'],
    shared: ['words', '#words'],
  });
}
