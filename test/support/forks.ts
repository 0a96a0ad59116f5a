/** Children of the forkserver: what they are told to do, and what they say. */
import { readFileSync } from 'node:fs';
import { closeDescriptor, createPipe } from '../../dist/native/index.js';
import { type LaunchOptions, launch, type Popen } from '../../dist/process/index.js';

export const CHILD = new URL('../fixtures/forkserver/child.mjs', import.meta.url);

export interface Fork {
  readonly popen: Popen;
  /** What it said, when it has closed the pipe or ended. */
  said(): any;
  /** Waits for its end; what it said and how it ended. */
  end(): Promise<{ said: any; code: number | null }>;
}

/** Starts test/fixtures/forkserver/child.mjs. */
export function fork(does: string, options: Partial<LaunchOptions> = {}): Fork {
  const [reads, writes] = createPipe();
  const popen = launch('forkserver', {
    entry: CHILD,
    name: 'ForkServerProcess-1',
    descriptors: [writes],
    ...options,
    env: { ...process.env, FIXTURE_DOES: does, ...options.env },
  });
  closeDescriptor(writes);
  let text: string | undefined;
  const said = (): any => {
    if (text === undefined) {
      text = readFileSync(reads, 'utf8'); // until the child's end is closed
      closeDescriptor(reads);
    }
    return text === '' ? null : JSON.parse(text);
  };
  return {
    popen,
    said,
    end: async () => {
      try {
        const code = await popen.wait();
        return { said: said(), code };
      } finally {
        popen.close();
      }
    },
  };
}
