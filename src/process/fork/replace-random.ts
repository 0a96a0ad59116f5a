import { replaceRandom } from './random.js';

replaceRandom();
