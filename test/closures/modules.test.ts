import { expect, test } from 'vitest';
import { describeOutcomes } from './support/outcomes.js';

describeOutcomes('What an ES module imports and exports crosses', 'modules.mjs');
describeOutcomes('What a CommonJS file requires and exports crosses', 'commonjs.cjs');

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const stripsTypes = major > 22 || (major === 22 && minor >= 18);
if (stripsTypes) describeOutcomes('TypeScript that Node runs itself crosses', 'typed.ts');
else
  test('TypeScript needs a loader on this version of Node', () =>
    expect(process.features).not.toHaveProperty('typescript'));
