/**
 * The program of the tracker: unlinks the names of shared memory whose creators are gone.
 *
 *   a name is known   from its first `+` line to its `-` line, or until the last process that
 *                     answers for it has ended
 *   a process ended   its names that nobody else answers for are unlinked and reported
 *
 * It ends when no process has its pipe open any more and no name is left: with 0, or with 1 when
 * something leaked. It holds names and process ids only, so nothing is lost for their owners when
 * it is killed: they start another and tell it again.
 */
import { createInterface } from 'node:readline';
// Not by the index, which has what threads are without the addon.
import { unlinkSharedMemory } from '../native/named-memory.js';
import { processStartTime } from '../native/process.js';
import { type ProcessWatch, watchProcess } from '../native/watch-process.js';
import { blockIdOf } from '../platform/shared-memory-linux.js';
import { setImmediate } from '../util/timers.js';

interface Block {
  readonly name: string;
  readonly inode: string;
  readonly owners: Set<string>;
}

const blocks = new Map<string, Block>();
const watches = new Map<string, ProcessWatch>();

process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('SIGHUP', () => {});
process.title = 'multiprocess resource tracker'; // From here on signals are ignored.

createInterface({ input: process.stdin }).on('line', (line) => {
  const [op, ...words] = line.split(' ');
  if (op === '+') register(words);
  else if (op === '-') forget(`${words[0]} ${words[1]}`);
});

function register([pid, started, inode, encoded]: string[]): void {
  if (pid === undefined || started === undefined || inode === undefined || encoded === undefined) return;
  const owner = `${pid}:${started}`;
  const key = `${inode} ${encoded}`;
  let block = blocks.get(key);
  if (block === undefined) {
    block = { name: decodeURIComponent(encoded), inode, owners: new Set() };
    blocks.set(key, block);
  }
  block.owners.add(owner);
  if (watches.has(owner)) return;
  // Watched first, then compared: if the id was used again, this is not the owner.
  const watch = watchProcess(Number(pid), () => ended(owner));
  if (watch !== null) watches.set(owner, watch);
  // After the lines that came with this one, so that what one process left is reported once.
  if (watch === null || String(processStartTime(Number(pid))) !== started) setImmediate(ended, owner);
}

function forget(key: string): void {
  const block = blocks.get(key);
  if (block === undefined) return;
  blocks.delete(key);
  for (const owner of block.owners) releaseWatch(owner);
}

function releaseWatch(owner: string): void {
  for (const { owners } of blocks.values()) if (owners.has(owner)) return;
  watches.get(owner)?.close();
  watches.delete(owner);
}

function ended(owner: string): void {
  watches.get(owner)?.close();
  watches.delete(owner);
  const leaked: string[] = [];
  for (const [key, block] of blocks) {
    if (!block.owners.delete(owner) || block.owners.size > 0) continue;
    blocks.delete(key);
    if (unlink(block)) leaked.push(block.name);
  }
  if (leaked.length === 0) return;
  process.exitCode = 1;
  const shown = leaked.slice(0, 10).join(', ') + (leaked.length > 10 ? ', …' : '');
  console.error(
    `multiprocess: process ${owner.split(':')[0]} ended without unlinking ${leaked.length} block${leaked.length > 1 ? 's' : ''} of shared memory, now removed: ${shown}`,
  );
}

/** Whether the name was there, and still meant this block. */
function unlink({ name, inode }: Block): boolean {
  try {
    if (blockIdOf(name) !== inode) return false;
    unlinkSharedMemory(name);
    return true;
  } catch {
    return false; // Somebody else unlinked it.
  }
}
