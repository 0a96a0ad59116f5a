import { describe, expect, it } from 'vitest';
import { measure } from '../../examples/source-census/measure.js';
import { rejectionReason, syntaxReason, unreadableReason } from '../../examples/source-census/reasons.js';
import { WorkerCrashError } from '../../src/errors/index.js';

function syntaxError(source: string): unknown {
  try {
    return measure(source);
  } catch (error) {
    return error;
  }
}

describe('reasons', () => {
  it('are equal for equal mistakes at different places', () => {
    expect(syntaxReason(syntaxError('let a; let a;'))).toBe('does not parse: Identifier … has already been declared');
    expect(syntaxReason(syntaxError('\n\nlet b;\nlet b;'))).toBe(
      'does not parse: Identifier … has already been declared',
    );
    expect(syntaxReason(syntaxError('a b'))).toBe(syntaxReason(syntaxError('\nconst x = ;')));
  });

  it('name the code of an unreadable file, not its path', () => {
    expect(
      unreadableReason(Object.assign(new Error("EACCES: permission denied, open 'a.js'"), { code: 'EACCES' })),
    ).toBe('unreadable: EACCES');
    expect(unreadableReason(new Error("odd 'a'"))).toBe('unreadable: Error: odd …');
  });

  it('say how a worker ended', () => {
    const details = { pid: 1, exitCode: null, signal: null };
    expect(rejectionReason(new WorkerCrashError('x', { ...details, signal: 'SIGKILL' }))).toBe(
      'worker crashed: SIGKILL',
    );
    expect(rejectionReason(new WorkerCrashError('x', { ...details, exitCode: 3 }))).toBe('worker crashed: exit code 3');
  });

  it('take whatever else was thrown', () => {
    expect(rejectionReason(new TypeError('no "a"\nmore'))).toBe('TypeError: no …');
    expect(rejectionReason('text')).toBe('text');
    expect(rejectionReason(null)).toBe('null');
  });
});
