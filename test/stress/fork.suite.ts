/**
 * The fork storm: children that do all kinds of things, several at a time, and end with the code they were told.
 *
 *   FORK_STORM=5000   how many; default 60
 *   FORK_SEED=…       the same storm again
 *   FORK_DEEDS=…      only these, separated by commas
 */
import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import type { StartMethod } from '../../dist/process/index.js';

// Loaded by Node: a copy of a test cannot import through vitest, whose answers come to its parent.
const { launch }: typeof import('../../dist/process/index.js') = createRequire(import.meta.url)(
  '../../dist/process/index.js',
);

const COUNT = Number(process.env['FORK_STORM'] ?? 60);
const SEED = Number(process.env['FORK_SEED'] ?? Date.now() % 1_000_000);
const AT_ONCE = 6;
const DEEDS = process.env['FORK_DEEDS']?.split(',') ?? [
  'timers',
  'files',
  'lookup',
  'fetch',
  'crypto',
  'wasm',
  'threads',
  'garbage',
  'programs',
  'modules',
];
/** Milliseconds after which a child counts as hanging. */
const WATCHDOG = 120_000;

/** The storm, for a start method that forks. @param prepare Called first, to prepare what is forked; returns what ends that. */
export function forkStorm(method: StartMethod, prepare: () => (() => unknown) | Promise<() => unknown>): void {
  it(
    `${COUNT} forks by ${method} end as they should`,
    async () => {
      console.log(`fork storm: ${COUNT} forks by ${method} on Node ${process.version}, seed ${SEED}`);
      const done = await prepare();
      let state = SEED;
      const random = (below: number): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      const entry = new URL('../fixtures/forkserver/storm.mjs', import.meta.url);
      const wrong: string[] = [];
      let left = COUNT;
      const lane = async (): Promise<void> => {
        while (left-- > 0) {
          const deeds = new Set(Array.from({ length: 1 + random(3) }, () => DEEDS[random(DEEDS.length)]!));
          const code = random(100);
          const end = random(2) === 0 ? 'exit' : 'natural';
          const env = {
            ...process.env,
            FIXTURE_DEEDS: [...deeds].join(','),
            FIXTURE_CODE: String(code),
            FIXTURE_END: end,
          };
          const popen = launch(method, { entry, name: 'Storm', env });
          const got = await popen.wait({ timeout: WATCHDOG });
          if (got !== code) wrong.push(`pid ${popen.pid}: ${env.FIXTURE_DEEDS} (${end}) -> ${got}, not ${code}`);
          if (got === null) popen.kill();
          popen.close();
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, lane));
      await done();
      expect(wrong).toEqual([]);
    },
    60_000 + COUNT * 2_000,
  );
}
