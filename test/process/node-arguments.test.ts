import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inheritedArguments, inheritedNodeOptions } from '../../src/process/index.js';

const words = (text: string): string[] => (text === '' ? [] : text.split(' '));

describe('a child inherits of the options of its parent', () => {
  it.each([
    // loaders and V8 flags, with their values
    ['--import ./hooks.mjs', '--import ./hooks.mjs'],
    ['-r ./a.cjs --require=./b.cjs', '-r ./a.cjs --require=./b.cjs'],
    ['--loader x --experimental-loader=y', '--loader x --experimental-loader=y'],
    ['--max-old-space-size=64 --stack-size=900', '--max-old-space-size=64 --stack-size=900'],
    ['--max_old_space_size=64', '--max_old_space_size=64'],
    ['--enable-source-maps --no-warnings', '--enable-source-maps --no-warnings'],
    ['--expose-gc --conditions development -C x', '--expose-gc --conditions development -C x'],
    // nothing that listens
    ['--inspect', ''],
    ['--inspect=0.0.0.0:9229 --expose-gc', '--expose-gc'],
    ['--inspect-brk --expose-gc', '--expose-gc'],
    ['--inspect_brk --expose-gc', '--expose-gc'],
    ['--inspect-wait=9230', ''],
    ['--inspect-port 9230 --expose-gc', '--expose-gc'],
    ['--debug-port=9230', ''],
    ['--inspect-publish-uid http --expose-gc', '--expose-gc'],
    // nothing that runs tests or watches
    ['--test --expose-gc', '--expose-gc'],
    ['--test-only --import ./a.mjs', '--import ./a.mjs'],
    ['--test --test-name-pattern x --test-reporter=spec', ''],
    ['--test-coverage-include src --test-shard 1/2 --test-global-setup ./s.mjs', ''],
    ['--test-force-exit --test-randomize --test-random-seed 3', ''],
    ['--watch --watch-path ./src --expose-gc', '--expose-gc'],
    ['--watch-preserve-output --watch-kill-signal SIGINT', ''],
    // nothing that runs another script
    ['-e code', ''],
    ['--eval code --expose-gc', '--expose-gc'],
    ['--eval=code --expose-gc', '--expose-gc'],
    ['-p code', ''],
    ['-p -e code', ''],
    ['-pe code --expose-gc', '--expose-gc'],
    ['--print code', ''],
    ['--input-type module -e code', ''],
    ['--input-type=module', ''],
    ['-c -i --check --interactive --expose-gc', '--expose-gc'],
    ['--run build', ''],
    ['--entry-url --expose-gc', '--expose-gc'],
    ['--snapshot-blob ./a.blob --expose-gc', '--expose-gc'],
    ['--experimental-sea-config ./sea.json', ''],
    ['--build-sea ./sea.json --expose-gc', '--expose-gc'],
    ['--build-snapshot --expose-gc', '--expose-gc'],
    ['--build-snapshot-config ./snapshot.json --expose-gc', '--expose-gc'],
    // nothing that writes a profile for each worker
    ['--prof --cpu-prof --heap-prof --expose-gc', '--expose-gc'],
    ['--cpu-prof-dir ./profiles --cpu-prof-interval=500 --heap-prof-name x', ''],
  ])('%s -> %s', (given, kept) => {
    expect(inheritedArguments(words(given))).toEqual(words(kept));
    expect(inheritedNodeOptions(given)).toBe(kept);
  });

  it('none of an empty list', () => {
    expect(inheritedArguments([])).toEqual([]);
    expect(inheritedNodeOptions('')).toBe('');
    expect(inheritedNodeOptions('   ')).toBe('');
  });
});

describe('the words of NODE_OPTIONS', () => {
  it.each([
    ['--require "./a b.cjs" --inspect', '--require "./a b.cjs"'],
    ['--require="./a  b.cjs" --test', '"--require=./a  b.cjs"'],
    ['--cpu-prof-dir="a b" --expose-gc', '--expose-gc'],
    ['"--inspect" --expose-gc', '--expose-gc'],
    ['--require "./a\\"b.cjs"', '--require "./a\\"b.cjs"'],
  ])('%s -> %s', (given, kept) => {
    expect(inheritedNodeOptions(given)).toBe(kept);
  });

  it('are read by Node as the same words, however they are quoted', () => {
    const folder = mkdtempSync(join(tmpdir(), 'a "quoted" folder '));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const hook = join(folder, 'hook.cjs');
    writeFileSync(hook, "globalThis.hooked = 'yes';");
    const options = inheritedNodeOptions(
      `--inspect=0 --require="${hook.replace(/["\\]/g, '\\$&')}"   --max-old-space-size=123`,
    );
    const said = execFileSync(process.execPath, ['-p', 'globalThis.hooked + " " + process.execArgv.length'], {
      env: { ...process.env, NODE_OPTIONS: options },
      encoding: 'utf8',
    });
    expect(said).toBe('yes 2\n');
  });
});
