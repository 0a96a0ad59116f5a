import { asyncWaitSuite } from './futex-async.suite.js';

asyncWaitSuite(1000, {});
