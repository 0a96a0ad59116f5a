/**
 * What a Process's child does that is a copy of this process: it has target and arguments already.
 */
import { AsyncResource } from 'node:async_hooks';
import { asParent } from '../as-parent.js';
import { AuthenticationKey } from '../authentication-key.js';
import { ownKey } from '../authkey.js';
import { coverTermination } from '../child/coverage.js';
import { defaultExport } from '../child/default-export.js';
import { runMain } from '../child/run-main.js';
import { become } from '../identity.js';
import { mainPath } from '../main.js';
import { adopt, type ProcessState } from '../process-state.js';
import { setStartMethod } from '../start-method.js';

/**
 * Returns what the child of `instance` begins with. Everything that is read now is as `start` found
 * it; what target and arguments refer to is as the fork finds it.
 * @param subclass Whether its own `run` is what it does.
 */
export function copyMain(
  instance: { run(): unknown },
  { target, args, name, daemon, path, authkey }: ProcessState,
  subclass: boolean,
): () => void {
  const parent = asParent();
  const main = mainPath();
  const key = AuthenticationKey.from(authkey ?? ownKey()) as AuthenticationKey;
  const work = async (): Promise<unknown> =>
    target instanceof URL && !subclass ? (await defaultExport(target.href))(...(args as unknown[])) : instance.run();
  // In the asynchronous context of who starts it.
  return AsyncResource.bind(() => {
    become({ name, daemon, authkey: key, path, parent, main, children: 0, self: null });
    setStartMethod('fork', { force: true });
    adopt(instance, target, args);
    coverTermination();
    runMain(name, 'fork', work);
  });
}
