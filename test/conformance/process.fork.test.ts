/** The lines of process.test.ts for the start method that needs a Node started for it. */
import { processSuite } from './process.suite.js';

processSuite('fork', true);
