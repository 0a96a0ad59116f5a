/** The real protocols of src/synchronize, and the blocking wait of src/memory, as the explorer runs them. */
import { readFileSync } from 'node:fs';
import { loadRewritten } from './generatorize.js';

export interface Mutation {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** The time of whoever runs: set before a wait returns, read right after it. */
export const clock = { now: 0 };

/** Loads one protocol and `sleepUntil`. */
export function rewrittenProtocol(protocol: 'lock-word' | 'semaphore-word' | 'event-word', mutation?: Mutation): Record<string, any> {
  const modules = [`memory/gate`, `synchronize/${protocol}`].map((file) => {
    let source = readFileSync(new URL(`../../src/${file}.ts`, import.meta.url), 'utf8');
    if (mutation?.file === file) {
      if (source.split(mutation.from).length !== 2)
        throw new Error(`The mutation does not match ${file}.ts exactly once: ${mutation.from}`);
      source = source.replace(mutation.from, () => mutation.to);
    }
    return { specifier: `./${file}.js`, source };
  });
  return loadRewritten(
    modules,
    { 'node:perf_hooks': { performance: { now: () => clock.now } }, '../memory/agent.js': { AGENT: 0x3fffffff } },
    { calls: ['attempt', 'waitSync', 'withdraw', 'check', 'announce'] },
  );
}
