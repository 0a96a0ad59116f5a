/** Every line over every start method: a new one is a line here. */
import { createRequire } from 'node:module';
import { afterAll } from 'vitest';
import { withAddon, withForks } from '../support/needs.js';
import { processSuite } from './process.suite.js';

if (withAddon) {
  processSuite('spawn', true);
}
if (withForks) processSuite('forkserver', true);
processSuite('thread', false);

const { forkserver }: typeof import('multiprocess/forkserver') = createRequire(import.meta.url)(
  'multiprocess/forkserver',
);
if (withAddon) afterAll(() => forkserver.stop());
