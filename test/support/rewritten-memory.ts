/** The real src/memory as the explorer runs it, and mutants of it that must be caught. */
import * as errors from '../../src/errors/index.js';
import * as inbox from '../../src/memory/ring/buffer-inbox.js';
import * as pool from '../../src/memory/ring/buffer-pool.js';
import * as uninitialized from '../../src/util/uninitialized.js';
import { loadRewritten } from './generatorize.js';
import { changedSources, type Fitting, type Mutation } from './source-text.js';

/** Bytes of a link's control page here. */
export const CONTROL_BYTES = 192;

const FILES = ['record-layout', 'sleep-word', 'ring', 'link-kinds', 'parts', 'buffer-records', 'link'].map(
  (file) => `memory/ring/${file}`,
);

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
  // The control page is as small as a test can use, for the sake of the number of bytes in a state.
  const fittings: Fitting[] = [['const CONTROL_BYTES = 4096;', `const CONTROL_BYTES = ${CONTROL_BYTES};`]];
  const modules = changedSources(FILES, mutation, fittings);
  return loadRewritten(
    modules,
    // Messages here are far too small for shared buffers, whose own word is explored in buffer-pool.interleavings.test.ts.
    {
      'native/descriptors': native,
      'native/doorbell': native,
      'errors/index': errors,
      'memory/ring/buffer-pool': pool,
      'memory/ring/buffer-inbox': inbox,
      'util/uninitialized': uninitialized,
    },
    { calls: ['#ring', '#ringOther', 'ringDoorbell', 'layout'], shared: ['words', '#control'] },
  );
}

/** Functions of {@link sleeperBits}, which are generators. */
export const SLEEPER_BITS = ['announceSleeper', 'withdrawSleeper'];

/** Loads how a word says that somebody sleeps on it. */
export function sleeperBits(mutation?: Mutation): Record<string, any> {
  return loadRewritten(changedSources(['memory/waiting/sleeper-bits'], mutation), {}, { calls: [] });
}
