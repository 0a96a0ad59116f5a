import { threadId } from 'node:worker_threads';
import { processStartTime } from '../native/index.js';
import { identity, type Parent } from './identity.js';

/** This process, or thread, as its children know it. */
export function asParent(): Parent {
  return {
    name: identity().name,
    pid: process.pid,
    startTime: String(processStartTime(process.pid) ?? ''),
    threadId: threadId === 0 ? null : threadId,
  };
}
