/** A name is known to the tracker before it is there, so a death at any point of `create` leaves nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SharedMemory } from 'multiprocess/shared-memory';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ownBlocks } from '../support/blocks.js';
import { codeOf } from '../support/code-of.js';
import { seeded } from '../support/seeded.js';
import { until } from '../support/until.js';

const FIXTURE = fileURLToPath(new URL('../fixtures/shared-memory/create-storm.mjs', import.meta.url));

/** Starts the storm in a process group of its own and, so many microseconds after its first word, signals it; resolves when it has ended. */
async function killed(signal: NodeJS.Signals, after: number, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [FIXTURE, ...args], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  const ended = once(child, 'close');
  await once(child.stdout, 'data');
  const end = performance.now() + after / 1000;
  while (performance.now() < end);
  process.kill(-child.pid!, signal);
  await ended;
}

describe('a process that dies inside of create', () => {
  it.each([
    ['SIGKILL', 'SIGKILL', ''],
    ['Ctrl-C', 'SIGINT', ''],
    ['Ctrl-C that it handles', 'SIGINT', 'handles'],
  ] as const)('leaves no name behind: %s', async (_, signal, handles) => {
    const { random } = seeded();
    const before = ownBlocks();
    // The tracker is started in the first milliseconds; later kills meet it running.
    for (let i = 0; i < 24; i++) await killed(signal, random(i % 4 === 0 ? 100_000 : 8_000), handles);
    await until(() => JSON.stringify(ownBlocks()) === JSON.stringify(before), 'every name is gone');
  });
});

it('a process that exits just after its tracker was killed leaves no name behind', async () => {
  const before = ownBlocks();
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { readFileSync } from 'node:fs';
       import { SharedMemory } from 'multiprocess/shared-memory';
       SharedMemory.create(8);
       const tracker = process.env.MULTIPROCESS_TRACKER.split(':')[0];
       process.kill(Number(tracker), 'SIGKILL');
       while (!readFileSync('/proc/' + tracker + '/stat', 'latin1').includes(') Z'));
       process.exit();`,
    ],
    { stdio: 'ignore' },
  );
  await once(child, 'close');
  await until(() => JSON.stringify(ownBlocks()) === JSON.stringify(before), 'the name is gone');
});

describe('a name that is taken', () => {
  it('stays the block of who has it, whatever becomes of who wanted it', async () => {
    const name = `multiprocess-taken-${process.pid}`;
    writeFileSync(`/dev/shm/${name}`, 'of another program');
    onTestFinished(() => rmSync(`/dev/shm/${name}`));
    const { ino } = statSync(`/dev/shm/${name}`);
    const wanting = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { SharedMemory } from 'multiprocess/shared-memory';
         globalThis.kept = SharedMemory.create(8);
         try { SharedMemory.create(64, { name: '${name}' }); } catch (error) { console.log(error.code); }
         setInterval(() => {}, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const [said] = (await once(wanting.stdout, 'data')) as [Buffer];
    expect(said.toString()).toBe('MP_BLOCK_EXISTS\n');
    wanting.kill('SIGKILL');
    await once(wanting, 'close');
    await until(
      () => ownBlocks().every((each) => each === name),
      'the other one is removed, so the tracker knows of the death',
    );
    expect(statSync(`/dev/shm/${name}`).ino).toBe(ino);
  });

  it('is free again for who comes next', () => {
    const block = SharedMemory.create(8);
    expect(codeOf(() => SharedMemory.create(8, { name: block.name }))).toBe('MP_BLOCK_EXISTS');
    block.unlink();
    const again = SharedMemory.create(16, { name: block.name });
    expect(again.size).toBe(16);
    again.unlink();
    for (const each of [block, again]) each.close();
  });
});

it('a block has its size from the moment at which it has its name', async () => {
  const name = `multiprocess-sized-${process.pid}`;
  const maker = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { SharedMemory } from 'multiprocess/shared-memory';
       for (let end = Date.now() + 1500; Date.now() < end;) {
         const block = SharedMemory.create(4096, { name: '${name}' });
         block.unlink();
         block.close();
       }`,
    ],
    { stdio: 'ignore' },
  );
  const ended = once(maker, 'close');
  onTestFinished(async () => {
    maker.kill('SIGKILL');
    await ended;
  });
  const seen = new Set<unknown>();
  while (maker.exitCode === null) {
    for (let i = 0; i < 2_000; i++) {
      try {
        const block = SharedMemory.attach(name);
        seen.add(block.size);
        block.close();
      } catch (error) {
        seen.add((error as { code?: string }).code);
      }
    }
    await new Promise((turn) => setImmediate(turn));
  }
  expect([...seen].sort()).toEqual([4096, 'MP_BLOCK_NOT_FOUND']);
  expect(existsSync(`/dev/shm/${name}`)).toBe(false);
});
