import { getStartMethod } from 'multiprocess';

/** Whether this run of the suite has pools of threads, see vitest.config.ts. What only processes can do is left out there. */
export const threads: boolean = getStartMethod({ allowNone: true }) === 'thread';

/** Whether pools have forks of a template: they have a process id only when they run. */
export const forked: boolean = getStartMethod({ allowNone: true }) === 'forkserver';

/** The kernel's id of the thread that runs this: of a process with one thread, its process id. */
export const whoami = (): number =>
  Number(process.getBuiltinModule('node:fs').readlinkSync('/proc/thread-self').split('/').pop());
