/**
 * Kernels before 5.16, and system call filters that do not know futex_waitv: one thread for each
 * wait.
 */
import { asyncWaitSuite } from './futex-async.suite.js';

// Read by the addon when it first looks for the call, in this process and in the fixtures.
process.env['MULTIPROCESS_NO_FUTEX_WAITV'] = '1';
asyncWaitSuite(200, { MULTIPROCESS_NO_FUTEX_WAITV: '1' });
