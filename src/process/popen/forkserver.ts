import { closeDescriptor, duplicateDescriptor } from '../../native/index.js';
import { templateUnavailable } from '../fork/options.js';
import { forkserver } from '../forkserver/forkserver.js';
import { inheritedNumber } from '../forkserver/inherited-number.js';
import type { StartMethod } from '../start-method.js';
import { PopenForked } from './forked.js';
import { checkAvailable, registerStartMethod } from './launch.js';
import type { LaunchOptions } from './popen.js';

/**
 * A fork of the template (src/process/forkserver). The child's parent, for the kernel, is the
 * template, which reports how it ended; when the template has died the status is lost, and counts
 * as 255.
 *
 * Python: `popen_forkserver.Popen`.
 * @example
 * import { PopenForkserver } from 'multiprocess/popen';
 *
 * if (process.env['ROLE'] === 'child') process.exit(3);
 * else {
 *   const env = { ...process.env, ROLE: 'child' };
 *   const child = new PopenForkserver({ entry: new URL(import.meta.url), name: 'part', env });
 *   console.log(child.method, await child.wait()); // forkserver 3
 * }
 */
export class PopenForkserver extends PopenForked {
  readonly method: StartMethod = 'forkserver';
  readonly #start = new AbortController();

  /** @throws UnsupportedError for Node options, which a fork cannot have; what `prepare` throws. */
  constructor(options: LaunchOptions) {
    checkAvailable(options.name, 'forkserver');
    super(options, 'its template');
    const { entry, name, env } = options;
    // Copies: the caller may close his as soon as this returns, and the child is asked for later.
    const descriptors: number[] = [];
    const release = (): void => {
      for (const fd of descriptors.splice(0)) closeDescriptor(fd);
    };
    try {
      for (const fd of this.collectDescriptors(options)) descriptors.push(duplicateDescriptor(fd));
    } catch (error) {
      release();
      throw error;
    }
    const { signal } = this.#start;
    void this.begin(name, () =>
      forkserver.connectToNewProcess({ entry, name, env, descriptors, signal }, this.onEnd).finally(release),
    );
  }

  /** @internal */
  protected override cancel(): void {
    this.#start.abort();
  }

  /** @internal */
  protected numberInChild(index: number): number {
    return inheritedNumber(index);
  }
}

registerStartMethod('forkserver', {
  launch: (options) => new PopenForkserver(options),
  unavailable: templateUnavailable,
});
