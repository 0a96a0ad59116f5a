/**
 * A child's first steps: it puts itself right after the fork, becomes what was asked for, waits for
 * the start byte, and runs the module.
 */
import { readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  bindLifeline,
  closeDescriptor,
  duplicateDescriptor,
  Errno,
  errnoOf,
  leaveProcess,
  moveDescriptor,
  pollDescriptor,
  populatePages,
  Ready,
} from '../../../native/index.js';
import { descriptorTarget, workingFolderOf } from '../../../platform/proc-linux.js';
import { importModule } from '../../../util/import-module.js';
import { INHERITANCE, type Inheritance } from '../../child/inherit.js';
import { afterForkInChild } from '../../fork/after-fork-child.js';
import { restartClock } from '../../fork/clock.js';
import { type ChildRequest, decodeRequest, INHERITED_DESCRIPTORS } from '../protocol.js';
import type { RequestSource } from './serve.js';

/**
 * Becomes the child of a request. The first descriptor is the lifeline, the others are the
 * application's.
 * @param pages what it will touch. @param programs those that the template has loaded.
 */
export function beginChild(
  awaitRequest: RequestSource,
  pages: Float64Array,
  programs: ReadonlyMap<string, () => void>,
): void {
  populatePages(pages);
  afterForkInChild();
  const received = awaitRequest();
  const [lifeline, ...given] = received.descriptors;
  const request = decodeRequest(received);
  restartClock();
  become(request);
  awaitStartByte(lifeline!);
  const descriptors = placeDescriptors(given, request.first);
  (globalThis as { [INHERITED_DESCRIPTORS]?: readonly number[] })[INHERITED_DESCRIPTORS] = descriptors;
  const inheritance: Inheritance = {
    name: request.name,
    parentPid: request.parentPid,
    descriptors,
    method: 'forkserver',
  };
  (globalThis as { [INHERITANCE]?: Inheritance })[INHERITANCE] = inheritance;
  const begin = programs.get(request.entry);
  if (begin === undefined) void importModule(request.entry);
  else begin();
}

/** Gives descriptors the numbers from `first` on, which the parent has told others already. */
function placeDescriptors(given: readonly number[], first: number): number[] {
  const sources = [...given];
  return sources.map((_, i) => {
    const target = first + i;
    const other = sources.indexOf(target, i);
    if (other === i) return target;
    // One of them that has not been moved yet makes room.
    if (other > i) {
      sources[other] = duplicateDescriptor(target);
      closeDescriptor(target);
    }
    try {
      moveDescriptor(sources[i]!, target);
    } catch (error) {
      if (errnoOf(error) !== Errno.EEXIST) throw error;
      closeForeign(target);
      moveDescriptor(sources[i]!, target);
    }
    return target;
  });
}

/**
 * What the program was given by whoever started it, and every process it starts has too, gives way.
 * Node's own does not.
 */
function closeForeign(fd: number): void {
  if (!descriptorTarget(fd).startsWith('anon_inode:')) closeDescriptor(fd);
}

function become({ argv, cwd, entry, env, execArgv, name, parentPid }: ChildRequest): void {
  for (const [variable, value] of Object.entries(env)) {
    if (value === null) delete process.env[variable];
    else process.env[variable] = value;
  }
  moveTo(cwd, parentPid);
  if (argv !== undefined) process.argv = [...argv];
  process.execArgv = [...execArgv];
  process.title = `${process.title.split(' ', 1)[0]} ${fileURLToPath(entry)} ${name}`;
}

/** A folder that was removed, be it unknown to the parent, is still the parent's. */
function moveTo(folder: string | null, parentPid: number): void {
  try {
    if (folder === null || folder !== process.cwd()) process.chdir(folder ?? workingFolderOf(parentPid));
  } catch {
    process.chdir(workingFolderOf(parentPid));
  }
}

/**
 * Blocks until the parent has learnt of this process, and from then on lives no longer than the
 * parent. When the start has failed halfway, or the parent has ended, nothing was run and nobody
 * waits: the process ends.
 */
function awaitStartByte(lifeline: number): void {
  pollDescriptor(lifeline, Ready.readable, Number.POSITIVE_INFINITY);
  if (readSync(lifeline, new Uint8Array(1)) === 0) leaveProcess(1);
  bindLifeline(lifeline);
  closeDescriptor(lifeline);
}
