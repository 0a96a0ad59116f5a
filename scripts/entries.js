/** What the build makes files of, by the path of the module in src/ and of its door in dist/. */
import { subpaths } from './subpaths.js';

/** Subpaths of the package. */
export const PUBLIC = subpaths().map(({ source }) => source.replace(/^src\/|\.ts$/g, ''));

/** What processes and threads of this library run: it begins when it is evaluated. */
export const PROGRAMS = [
  'pool/worker/worker',
  'process/child/child',
  'process/forkserver/server/template',
  'shared-memory/tracker',
  'native/threads/kernel-thread',
];

/** What they load by its URL. The type `Entry` in src/util/package.ts has these and the programs. */
const LOADED = [
  'connection/index',
  'descriptors/dup-fd',
  'distributed/command/index',
  'distributed/worker/preload',
  'distributed/worker/run-task',
  'managers/index',
  'managers/client/keys',
  'managers/server/server-process',
  'memory/heap',
  'memory/index',
  'native/index',
  'operators/remote-run',
  'pool/wire/carried-stores',
  'pool/worker/thread-entry',
  'queues/index',
  'reduction/index',
  'reduction/receiving',
  'shared-map/index',
  'shared-memory/index',
  'share/shared',
  'sharedctypes/index',
  'synchronize/index',
];

/** What only tests and benchmarks import, in processes that run the compiled library. */
export const INTERNAL = [
  'connection/handshake/authentication',
  'errors/index',
  'process/index',
  'process/child/payload',
  'process/child/write-payload',
  'process/forkserver/index',
  'streams/index',
  'util/after-fork',
  'util/at-exit',
  'util/finalize',
];

export const ENTRIES = [...new Set([...PUBLIC, ...PROGRAMS, ...LOADED, ...INTERNAL])];

/**
 * The chunks that entries share, in the order in which modules are given to them: one has its roots, but for programs, with all that they
 * import, directly or not, unless an earlier one has it. A process loads the chunks that its program needs.
 *
 *   importing  what calls `import()`: not from V8's code cache (scripts/load.cjs)
 *   template   before anything else, so that nothing keeps the old Math.random
 *   child      before a child knows what it runs
 *   tracker    the resource tracker
 *   kernel     the thread that keeps what threads share where there is no addon
 *   receiving  to receive values and functions, and a pool's worker
 *   objects    what is shared, to receive it
 *   connection connections, and the start of processes
 *   server     a manager's server
 *   library    all else, but for
 *   managers   which is loaded when the first manager is made, and
 *   distributed   pools of many hosts
 */
export const CHUNKS = {
  importing: ['util/import-module'],
  template: ['process/forkserver/server/template'],
  child: ['process/child/child'],
  tracker: ['shared-memory/tracker'],
  kernel: ['native/threads/kernel-thread'],
  receiving: [
    'native/index',
    'reduction/receiving',
    'pool/wire/carried-stores',
    'pool/worker/worker',
    'pool/worker/thread-entry',
  ],
  objects: [
    'memory/heap',
    'queues/index',
    'descriptors/dup-fd',
    'share/shared',
    'shared-map/index',
    'shared-memory/index',
    'sharedctypes/index',
    'synchronize/index',
  ],
  connection: ['connection/index', 'managers/client/keys'],
  server: ['managers/server/server-process'],
  library: ENTRIES.filter((name) => !/^(managers|distributed)\//.test(name)),
  managers: ENTRIES.filter((name) => name.startsWith('managers/')),
  distributed: ENTRIES.filter((name) => name.startsWith('distributed/')),
};
