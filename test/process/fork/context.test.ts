/**
 * Contexts of a program that can be forked: the lines of start-method.test.ts that ask for its own
 * method.
 */
import { expect, it } from 'vitest';
import { program } from '../../support/programs.js';

it('fork is a start method like the others: children see it, mixed and nested, also below a template', {
  timeout: 60_000,
}, async () => {
  const { stdout, stderr, code } = await program('fork-context.js', [], {
    node: ['--single-threaded', '--v8-pool-size=1'],
  }).ended;
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual([
    'methods spawn,forkserver,fork,thread',
    'in a child 0 fork null',
    'default 0 fork true',
    'mixed 0,0,0 150',
    'nested 0 3',
    'in a fork of a template 0 0',
  ]);
  expect(code).toBe(0);
});
