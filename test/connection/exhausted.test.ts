/**
 * Strangers in numbers: a listener that has run out of descriptors, or of places, goes on serving.
 */
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { startFixture } from '../support/fixture-process.js';

const lines: string[] = [];
afterEach(() => void lines.splice(0));

it('a listener without free descriptors serves again when there are some', async () => {
  const server = startFixture('connection/exhausted.mjs', { args: ['descriptors'] });
  const said: string[] = [];
  for (let line = await server.line(); line !== null; line = await server.line()) said.push(line);
  expect(await server.ended).toBe(0);
  expect(said).toEqual(['MP_LISTENER_EXHAUSTED', 'accepted through connections', 'accepted through accept']);
}, 60_000);

it.each(['unix', 'tcp'])(
  'real clients come through a crowd of silent ones: %s',
  async (kind) => {
    const server = startFixture('connection/exhausted.mjs', { args: ['serve', kind] });
    const address = (await server.line())!;
    const crowd = startFixture('connection/exhausted.mjs', { args: ['crowd', address] });
    await crowd.line();
    const clients = startFixture('connection/exhausted.mjs', { args: ['clients', address, 45] });
    const result = JSON.parse((await clients.line())!) as { served: number; failed: string[] };
    crowd.child.kill('SIGKILL');
    await once(crowd.child, 'close');
    expect(result).toEqual({ served: 45, failed: [] });
    server.child.kill('SIGKILL');
  },
  120_000,
);
