/** Every line over every start method: a new one is a line here. */
import { createRequire } from 'node:module';
import { afterAll } from 'vitest';
import { processSuite } from './process.suite.js';

processSuite('spawn', true);
processSuite('forkserver', true);
processSuite('thread', false);

const { forkserver }: typeof import('multiprocess/forkserver') = createRequire(import.meta.url)('multiprocess/forkserver');
afterAll(() => forkserver.stop());
