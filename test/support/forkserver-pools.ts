/** Makes the forkserver the default start method of a test file, see vitest.config.ts. */
import { setStartMethod } from 'multiprocess';
import { forkserver } from 'multiprocess/forkserver';
import { afterAll } from 'vitest';

setStartMethod('forkserver', { force: true });

afterAll(() => forkserver.stop());
