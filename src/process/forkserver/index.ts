/** The forkserver. Python: `multiprocess.forkserver`. */
export type { Applicant } from './applicant.js';
export { addTemplateModule, type Forkserver, forkserver, type NewProcess } from './forkserver.js';
