/** Every line over every start method: a new one is a line here. */
import { processSuite } from './process.suite.js';

processSuite('spawn', true);
processSuite('thread', false);
