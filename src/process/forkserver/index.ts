/** The forkserver. Python: `multiprocess.forkserver`. */
export { addTemplateModule, type Forkserver, forkserver, type NewProcess } from './forkserver.js';
