/** A child's first steps: it is itself, becomes what was asked for, waits for the word to go, and runs the module. */
import { readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bindLifeline, closeDescriptor, leaveProcess, moveDescriptor, pollDescriptor, populatePages, Ready } from '../../native/index.js';
import { leaveBootstrapping } from '../bootstrapping.js';
import { INHERITANCE, type Inheritance } from '../inherit.js';
import { restartClock } from './clock.js';
import { type ChildRequest, FORKED_DESCRIPTOR, INHERITED, requestOf } from './protocol.js';
import { rebirth } from './rebirth.js';
import type { Born } from './serve.js';

/**
 * Becomes the child of a request. The first descriptor is the lifeline, the others are the application's.
 * @param pages what it will touch. @param programs those that the template has loaded.
 */
export function beginChild(born: Born, pages: Float64Array, programs: ReadonlyMap<string, () => void>): void {
  populatePages(pages);
  rebirth();
  const arrived = born();
  const [lifeline, ...given] = arrived.descriptors;
  const request = requestOf(arrived);
  restartClock();
  leaveBootstrapping();
  become(request);
  const descriptors = given.map((fd, i) => {
    moveDescriptor(fd, FORKED_DESCRIPTOR + i);
    return FORKED_DESCRIPTOR + i;
  });
  awaitWord(lifeline!);
  (globalThis as { [INHERITED]?: readonly number[] })[INHERITED] = descriptors;
  const inheritance: Inheritance = { name: request.name, parentPid: request.parentPid, descriptors, method: 'forkserver' };
  (globalThis as { [INHERITANCE]?: Inheritance })[INHERITANCE] = inheritance;
  const begin = programs.get(request.entry);
  if (begin === undefined) void import(request.entry);
  else begin();
}

function become({ argv, cwd, entry, env, execArgv, name }: ChildRequest): void {
  for (const [variable, value] of Object.entries(env)) {
    if (value === null) delete process.env[variable];
    else process.env[variable] = value;
  }
  if (cwd !== process.cwd()) process.chdir(cwd);
  if (argv !== undefined) process.argv = [...argv];
  process.execArgv = [...execArgv];
  process.title = `${process.title.split(' ', 1)[0]} ${fileURLToPath(entry)} ${name}`;
}

/**
 * Blocks until the parent has learnt of this process, and from then on lives no longer than the parent. When the start has
 * failed halfway, or the parent has ended, nothing was run and nobody waits: the process ends.
 */
export function awaitWord(lifeline: number): void {
  pollDescriptor(lifeline, Ready.readable, Number.POSITIVE_INFINITY);
  if (readSync(lifeline, new Uint8Array(1)) === 0) leaveProcess(1);
  bindLifeline(lifeline);
  closeDescriptor(lifeline);
}
