/** Makes threads the default start method of a test file, see vitest.config.ts. */
import { setStartMethod } from 'multiprocess';

setStartMethod('thread', { force: true });
