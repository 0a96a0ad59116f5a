import { closeDescriptor, duplicateDescriptor } from '../../native/index.js';
import { templateUnavailable } from '../fork/options.js';
import { forkserver } from '../forkserver/forkserver.js';
import { inheritedNumber } from '../forkserver/inherited-number.js';
import type { StartMethod } from '../start-method.js';
import { PopenForked } from './forked.js';
import { registerStartMethod } from './launch.js';
import type { LaunchOptions } from './popen.js';

/**
 * A fork of the template (src/process/forkserver). The child's parent, for the kernel, is the
 * template, which reports how it ended; when the template has died the status is lost, and counts
 * as 255.
 *
 * Python: `popen_forkserver.Popen`.
 */
export class PopenForkserver extends PopenForked {
  readonly method: StartMethod = 'forkserver';
  readonly #start = new AbortController();

  /** @throws UnsupportedError for Node options, which a fork cannot have; what `prepare` throws. */
  constructor(options: LaunchOptions) {
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
    void this.begin(name, () => forkserver.connectToNewProcess({ entry, name, env, descriptors, signal }, this.onEnd).finally(release));
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
