/** The command line. */
export { command } from './command.js';
