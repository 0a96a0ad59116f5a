/** How a program ends while children need something of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { closeDescriptor, createMemory } from '../../dist/native/index.js';
import { readPayload } from '../../dist/process/child/payload.js';
import { writePayload } from '../../dist/process/child/write-payload.js';
import { startable } from '../support/needs.js';
import { program } from '../support/programs.js';

const CODES: Readonly<Record<string, number>> = { natural: 0, exit: 3, throw: 1 };

async function run(...args: string[]): Promise<{ code: number | null; lines: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'exits-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [context, what, how, ...more] = args as [string, string, string];
  const node = context === 'fork' ? ['--single-threaded', '--v8-pool-size=1'] : [];
  const { stdout, code } = await program('process/exits.js', [context, what, how, join(folder, 'ending'), ...more], {
    node,
  }).ended;
  return { code, lines: stdout.trim().split('\n') };
}

const both = (hows: string[]) =>
  startable('spawn', 'forkserver', 'fork').flatMap((method) => hows.map((how) => [method, how] as const));

describe('a program ends', () => {
  it.each(both(['exit', 'throw']))(
    '%s, %s: what it shares is there until its children have ended',
    async (method, how) => {
      expect(await run(method, 'shared', how)).toEqual({ code: CODES[how], lines: ['value 21 0.5'] });
    },
  );

  it.each(both(['natural', 'exit', 'throw']))(
    '%s, %s: daemons serve its children until these have ended',
    async (method, how) => {
      const lines = [1, 2, 3, 4, 5].map((n) => `answer ${2 * n}`);
      expect(await run(method, 'daemon', how)).toEqual({ code: CODES[how], lines });
    },
  );

  it.each(both(['natural', 'exit', 'throw']))(
    '%s, %s: daemons that handle SIGTERM, or are stopped, do not keep it',
    async (method, how) => {
      expect(await run(method, 'stubborn', how)).toEqual({ code: CODES[how], lines: ['parent', 'heard SIGTERM'] });
    },
  );

  it.each(both(['exit', 'throw']))(
    '%s, %s: what it sent through a connection arrives, awaited or not',
    async (method, how) => {
      expect(await run(method, 'send', how)).toEqual({ code: CODES[how], lines: ['received 40'] });
      expect(await run(method, 'send', how, 'closed')).toEqual({ code: CODES[how], lines: ['received 40'] });
    },
  );

  it.each(startable('spawn', 'forkserver', 'fork', 'thread'))(
    '%s: what a child sent through a connection arrives',
    async (method) => {
      expect(await run(method, 'sent', 'natural')).toEqual({ code: 0, lines: ['received 40'] });
    },
  );

  it.each(['exit', 'throw'])('spawn, %s: a peer that does not read does not keep it from ending', async (how) => {
    expect(await run('spawn', 'unread', how)).toEqual({ code: CODES[how], lines: ['parent'] });
  });
});

it('a child reads a payload of more than 2 GiB whole', () => {
  const fd = writePayload({ name: 'large' } as never, null);
  const head = readPayload(fd).head;
  closeDescriptor(fd);
  expect(head).toEqual({ name: 'large' });
  const size = 2 ** 31 + 4096;
  const large = createMemory('payload', size);
  try {
    // No head: what follows the length, which is 0, is no JSON. It has been read by then.
    expect(() => readPayload(large)).toThrow(SyntaxError);
  } finally {
    closeDescriptor(large);
  }
});
