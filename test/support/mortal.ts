/** A child process that is handed shared objects, does something with them, and can be killed. */
import { dumps } from 'multiprocess/reduction';
import { startFixture } from './fixture-process.js';

export interface Mortal {
  readonly pid: number;
  /** SIGKILL; resolves when it has ended and was reaped. */
  kill(): Promise<void>;
}

/** Starts it; resolves once it has done `action` (test/fixtures/synchronize/mortal.mjs). */
export async function mortal(action: string, objects: Readonly<Record<string, unknown>>): Promise<Mortal> {
  const fixture = startFixture('synchronize/mortal.mjs', {
    args: [Buffer.from(dumps(objects)).toString('hex'), action],
  });
  const line = await fixture.line();
  if (line !== 'done') throw new Error(`mortal ${action} said ${line}`);
  return {
    pid: fixture.child.pid as number,
    kill: async () => {
      fixture.child.kill('SIGKILL');
      await fixture.ended;
    },
  };
}
