/** What a Process sends its child: who the child is, and what it runs. */
import { freightOf, holdUntil } from '../../memory/index.js';
import { dumps, inCall } from '../../reduction/index.js';
import { collectPreparations } from '../../util/preparation.js';
import { whileSpawning } from '../../util/spawning.js';
import { asParent } from '../as-parent.js';
import { ownKey } from '../authkey.js';
import { mainPath, programArguments } from '../main.js';
import type { Popen } from '../popen/index.js';
import type { ProcessState } from '../process-state.js';
import type { PayloadHead, Work } from './payload.js';
import { writePayload } from './write-payload.js';

/**
 * Writes what the child is sent. The descriptor is the caller's to close.
 * @param instance a subclass's, whose own `run` the child calls; `null`: it calls the target.
 * @throws SerializationError.
 */
export function encodeWork(instance: object | null, state: ProcessState, popen: Popen): number {
  const { target, args } = state;
  const url = instance === null && target instanceof URL ? target.href : null;
  const plain = url !== null && args.every(isPlain);
  const work: Work =
    instance !== null ? { kind: 'instance' } : url === null ? { kind: 'target' } : { kind: 'module', url };
  const body =
    instance !== null
      ? [instance, target, args]
      : target === undefined || plain
        ? null
        : [url === null ? target : null, args];
  let bytes: Uint8Array | null = null;
  try {
    state.encoding = true;
    // The child reads it when it has started, however long that takes.
    const freight = body === null ? null : freightOf(() => (bytes = whileSpawning(popen, () => dumps(body))));
    if (freight !== null) holdUntil(freight, () => popen.poll() !== null);
  } catch (error) {
    throw inCall(error, 'Process.start', (path) => partOf(path, instance !== null));
  } finally {
    state.encoding = false;
  }
  const head: PayloadHead = {
    name: state.name,
    daemon: state.daemon,
    path: state.path,
    authkey: Buffer.from(state.authkey ?? ownKey()).toString('hex'),
    parent: asParent(),
    argv: programArguments(),
    main: mainPath(),
    work,
    args: plain ? args : null,
    prepared: collectPreparations(),
  };
  return writePayload(head, bytes);
}

/** Returns a path in what is encoded, as its caller knows it. */
function partOf(path: string, isInstance: boolean): string {
  return isInstance
    ? path
        .replace(/\[(\d+)\] <- \[2\]$/, 'argument $1')
        .replace(/\[1\]$/, 'the target')
        .replace(/\[0\]$/, 'the Process')
    : path.replace(/\[(\d+)\] <- \[1\]$/, 'argument $1').replace(/\[0\]$/, 'the target');
}

/** Returns what JSON carries as it is. */
function isPlain(value: unknown): boolean {
  const type = typeof value;
  return (
    value === null ||
    type === 'string' ||
    type === 'boolean' ||
    (type === 'number' && Number.isFinite(value) && !Object.is(value, -0))
  );
}
