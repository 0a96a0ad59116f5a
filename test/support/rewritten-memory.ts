/** The real src/memory as the explorer runs it, and mutants of it that must be caught. */
import { readFileSync } from 'node:fs';
import * as errors from '../../src/errors/index.js';
import * as parcels from '../../src/memory/parcel-pool.js';
import { loadRewritten } from './generatorize.js';

/** A textual change to one file of src/memory; it must match exactly once. */
export interface Mutation {
  readonly file: (typeof FILES)[number];
  readonly from: string;
  readonly to: string;
}

/** Bytes of a link's control page here. */
export const CONTROL_BYTES = 192;

const FILES = ['sleep-word', 'ring', 'link'] as const;

/** What Link takes from the addon. A bell only exists here as the step that rings it. */
const native = {
  *ringDoorbell(agent: string) {
    yield ['ring', agent];
  },
  createEventfd: () => -1,
  closeDescriptor: () => {},
  Doorbell: class {
    close(): void {}
  },
};

/** Loads ring, sleep word and link, with their functions as generators. */
export function rewrittenMemory(mutation?: Mutation): Record<string, any> {
  const modules = FILES.map((file) => {
    let source = readFileSync(new URL(`../../src/memory/${file}.ts`, import.meta.url), 'utf8');
    if (mutation?.file === file) {
      if (source.split(mutation.from).length !== 2)
        throw new Error(`The mutation does not match ${file}.ts exactly once: ${mutation.from}`);
      source = source.replace(mutation.from, () => mutation.to);
    }
    // The control page is as small as a test can use, for the sake of the number of bytes in a state.
    return { specifier: `./${file}.js`, source: source.replace('const CONTROL_BYTES = 4096;', `const CONTROL_BYTES = ${CONTROL_BYTES};`) };
  });
  return loadRewritten(
    modules,
    // Messages here are far too small for parcels, whose own word is explored in parcel-pool.interleavings.test.ts.
    { '../native/descriptors.js': native, '../native/doorbell.js': native, '../errors/index.js': errors, './parcel-pool.js': parcels },
    { calls: ['#ring', '#ringOther', 'ringDoorbell', 'layout'], shared: ['words', '#control'] },
  );
}
