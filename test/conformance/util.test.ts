/** The lines of Python's _TestFinalize, _TestLogging and TestForkAwareThreadLock, each under its name. */
import { fileURLToPath } from 'node:url';
import { getAllStartMethods, Pool } from 'multiprocess';
import { Finalize, ForkAwareThreadLock, getLogger, type LogRecord, logToStderr, subWarning } from 'multiprocess/util';
import { afterEach, describe, expect, it } from 'vitest';
import { afterForkCount, runAfterFork } from '../../dist/util/after-fork.js';
import { runFinalizers } from '../../dist/util/finalize.js';
import { program } from '../support/programs.js';

describe('_TestFinalize', () => {
  for (const end of ['return', 'exit']) {
    it(`test_finalize: finalizers run once, at exit by priority and the newest first (${end})`, async () => {
      const { stdout, stderr, code } = await program('finalizers.js', [end], { node: ['--expose-gc'] }).ended;
      expect(stderr).toBe('');
      expect(stdout.trim().split('\n')).toEqual(['a', 'b', 'd10', 'd03', 'd02', 'd01', 'e']);
      expect(code).toBe(end === 'exit' ? 3 : 0);
    });
  }

  it('test_thread_safety: running all finalizers while callbacks make, run and cancel others raises nothing', () => {
    let ran = 0;
    const make = (depth: number): void => {
      const finalizer = new Finalize(
        {},
        () => {
          ran++;
          if (depth > 0) make(depth - 1);
          runFinalizers(0);
        },
        { exitPriority: depth },
      );
      const other = new Finalize(null, () => ran++, { exitPriority: 1 });
      if (depth % 2 === 0) other.cancel();
      expect(finalizer.stillActive()).toBe(true);
    };
    for (let i = 0; i < 50; i++) make(i % 5);
    runFinalizers(0);
    runFinalizers(0);
    expect(ran).toBeGreaterThan(50);
  });
});

const effectiveLevel = async (): Promise<number> => (await import('multiprocess/util')).getLogger().getEffectiveLevel();

describe('_TestLogging', () => {
  const level = getLogger().level;
  const records: LogRecord[] = [];
  const collect = (record: LogRecord): void => void records.push(record);
  afterEach(() => {
    getLogger().removeHandler(collect);
    getLogger().setLevel(level);
    delete process.env['MULTIPROCESS_LOG'];
    records.length = 0;
  });

  it('test_enable_logging: the logger exists, takes a level, and drops messages below it', () => {
    const logger = getLogger();
    logger.addHandler(collect);
    logger.setLevel('SUBWARNING');
    logger.debug('this is not printed');
    logger.info('nor is this');
    subWarning('but this %s', 'is');
    logger.warning('and this');
    expect(records.map(String)).toEqual(['[SUBWARNING/MainProcess] but this is', '[WARNING/MainProcess] and this']);
  });

  it('test_level: the level, or WARNING where there is none, is the effective level in a child', async () => {
    await using pool = new Pool({ processes: 1 });
    expect(await pool.apply(effectiveLevel)).toBe(30);
    getLogger().setLevel(12);
    await using another = new Pool({ processes: 1 });
    expect(await another.apply(effectiveLevel)).toBe(12);
    expect(getLogger().getEffectiveLevel()).toBe(12);
  });

  it('test_filename: messages carry the file of the caller, not of the helper', () => {
    getLogger().addHandler(collect);
    subWarning('one');
    getLogger().setLevel('INFO');
    getLogger().info('two');
    getLogger().log(33, 'three');
    const here = fileURLToPath(import.meta.url);
    subWarning('four');
    expect(records.map((record) => record.file)).toEqual([here, here, here]);
    expect(records[0]!.line).toBeGreaterThan(0);
    expect(String(records[1])).toBe('[Level 33/MainProcess] three');
  });

  it('log_to_stderr writes [LEVEL/processName] message once, and children do the same', async () => {
    const { stdout, stderr } = await program('logs.js').ended;
    const lines = [
      '[DEBUG/MainProcess] debug',
      '[INFO/MainProcess] number 7',
      '[SUBWARNING/MainProcess] sub-warning',
      '[WARNING/MainProcess] warning',
    ];
    expect(stderr.trim().split('\n')).toEqual([...lines, ...lines]);
    expect(stdout).toBe('10\n10\n');
  });

  it('children of every method log in their own names, at the level of the parent', async () => {
    const { stderr, code } = await program('logs-in-children.js').ended;
    const lines = getAllStartMethods().flatMap((method) => {
      const title = { spawn: 'Spawn', forkserver: 'ForkServer', fork: 'Fork', thread: 'Thread' }[method];
      return [
        `[INFO/${method} child] speaks at 20`,
        expect.stringMatching(new RegExp(`^\\[INFO/${title}PoolWorker-\\d+\\] speaks at 20$`)),
      ];
    });
    expect(stderr.trim().split('\n')).toEqual(lines);
    expect(code).toBe(0);
  });

  it('log_to_stderr refuses what is no level', () => {
    expect(() => logToStderr('LOUD' as 'INFO')).toThrow(/'INFO'/);
    getLogger().setLevel(0);
    for (const handler of getLogger().handlers) getLogger().removeHandler(handler);
  });
});

describe('TestForkAwareThreadLock', () => {
  it('test_lock: the registry does not grow from generation to generation', () => {
    const lock = new ForkAwareThreadLock();
    const before = afterForkCount();
    for (let generation = 0; generation < 5; generation++) {
      expect(lock.tryAcquire()).toBe(true);
      runAfterFork();
      expect(lock.locked()).toBe(false);
      expect(afterForkCount()).toBe(before);
    }
  });
});
