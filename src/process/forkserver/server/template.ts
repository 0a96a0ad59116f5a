/**
 * The program of the template.
 *
 *   node --single-threaded --v8-pool-size=1 template.js
 *   descriptors: 3 its configuration (JSON), 4 the listening socket
 */
import v8 from 'node:v8';
import { replaceRandom } from '../../fork/random.js';

// This library is compiled as a whole while it loads (until run-template.ts sets it back): a
// function that is compiled on its first call
// would be compiled in each child. It cannot be an option of Node, whose own modules come compiled
// for the default. So nothing of the library
// may be loaded before this, and nothing at all before nobody can keep the old Math.random any
// more.
v8.setFlagsFromString('--no-lazy');
replaceRandom();
void import('./run-template.js').then(({ runTemplate }) => runTemplate());
