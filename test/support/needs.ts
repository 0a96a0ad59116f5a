/** What tests need that not every system and build of Node gives: elsewhere they are left out, by name. */
import { describe, it } from 'vitest';
import { nativeAvailable } from '../../dist/native/index.js';
import { forkingUnavailable } from '../../dist/process/index.js';

/** What is missing in some places: without the addon all of it. */
export type Need =
  /** Other processes than this one: start methods, programs that are handed shared objects, signals. */
  | 'processes'
  /** Forks, of a template too: not every build of Node can be forked. */
  | 'forks'
  /** Shared memory with a name. */
  | 'names'
  /** Descriptors that the system knows: their limits, /proc, files, sockets of other programs. */
  | 'descriptors'
  /** Mappings: memory that can be unmapped, or mapped copy on write. */
  | 'mappings';

/** Whether there is all of that, but for forks. */
export const withAddon: boolean = nativeAvailable();

/** Whether a Node can be forked here: the library refuses by the same answer. */
export const withForks: boolean = forkingUnavailable() === null;

const has = (need: Need): boolean => (need === 'forks' ? withForks : withAddon);

/** `it` where there is what the test needs; it is skipped elsewhere. */
export const itNeeds = (...needs: readonly [Need, ...Need[]]): typeof it =>
  needs.every(has) ? it : (it.skip as typeof it);

/** `describe` where there is what its tests need. */
export const describeNeeds = (...needs: readonly [Need, ...Need[]]): typeof describe =>
  needs.every(has) ? describe : (describe.skip as typeof describe);

/** Those of the methods that can be used here where there is the addon: without forks there are fewer. */
export const startable = <M extends string>(...methods: readonly M[]): M[] =>
  methods.filter((method) => withForks || (method !== 'fork' && method !== 'forkserver'));
