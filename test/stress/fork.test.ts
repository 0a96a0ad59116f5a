/** The storm of fork.suite.ts over forks of a template. */
import { createRequire } from 'node:module';
import { forkStorm } from './fork.suite.js';

const { forkserver }: typeof import('../../dist/process/forkserver/index.js') = createRequire(import.meta.url)(
  '../../dist/process/forkserver/index.js',
);

forkStorm('forkserver', () => {
  // Warmed, as in a program: the template has used timers, threads of libuv, crypto and the collector.
  forkserver.setForkserverPreload([new URL('../fixtures/forkserver/warm.mjs', import.meta.url).href]);
  return () => forkserver.stop();
});
