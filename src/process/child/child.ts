/**
 * The program of a Process's child: takes over who it is, then runs what it was sent. It loads no
 * more than that takes, since each module costs a millisecond of every start.
 */
import { closeSync } from 'node:fs';
import { bringDescriptors } from '../../util/spawning.js';
import { AuthenticationKey } from '../authentication-key.js';
import { become } from '../identity.js';
import type { Process } from '../process.js';
import { setStartMethod } from '../start-method.js';
import { defaultExport } from './default-export.js';
import { inherit, program } from './inherit.js';
import { type PayloadHead, readPayload } from './payload.js';
import { runMain } from './run-main.js';

function begin(): void {
  const { descriptors, method, name } = inherit();
  const payload = descriptors.at(-1)!;
  const { head, body } = readPayload(payload);
  if (method !== 'thread') {
    closeSync(payload);
    bringDescriptors(descriptors.slice(0, -1));
  }

  become({
    name: head.name,
    daemon: head.daemon,
    authkey: AuthenticationKey.from(Buffer.from(head.authkey, 'hex')) as AuthenticationKey,
    path: head.path,
    parent: head.parent,
    main: head.main,
    children: 0,
    self: null,
  });
  process.argv.splice(2, Number.POSITIVE_INFINITY, ...head.argv);
  setStartMethod(method, { force: true });
  runMain(name, method, () => run(head, body));
}

async function run({ work, args, prepared }: PayloadHead, bytes: Uint8Array | null): Promise<void> {
  if (prepared.length > 0) await (await import('../../util/preparation.js')).applyPreparations(prepared);
  const parts = bytes === null ? [] : await decode(bytes);
  if (work.kind === 'module') {
    const call = await defaultExport(work.url);
    await call(...(args ?? (parts[1] as readonly unknown[])));
  } else if (work.kind === 'target') {
    const call = (parts[0] ?? (() => undefined)) as (...args: readonly unknown[]) => unknown;
    await call(...((parts[1] ?? []) as readonly unknown[]));
  } else {
    const { adopt } = await import('../process-state.js');
    const [instance, target, targetArgs] = parts as [Process, undefined, readonly unknown[]];
    adopt(instance, target, targetArgs);
    await instance.run();
  }
}

async function decode(bytes: Uint8Array): Promise<readonly unknown[]> {
  const { Decoder, PendingValue } = await import('../../reduction/receiving.js');
  const value = new Decoder().decode(bytes, 0, bytes.length, true);
  return (value instanceof PendingValue ? await value.ready : value) as readonly unknown[];
}

program('process/child/child', begin);
