/** Documentation of every subpath. */
import { subpaths } from './scripts/subpaths.js';

export default {
  entryPoints: subpaths().map(({ source }) => source),
  plugin: ['./scripts/typedoc-plugin.js'],
  out: 'docs/api',
  readme: 'README.md',
  excludePrivate: true,
  excludeInternal: true,
  treatWarningsAsErrors: true,
  validation: {
    notExported: true,
    invalidLink: true,
    notDocumented: true,
  },
  requiredToBeDocumented: ['Class', 'Function', 'Interface', 'TypeAlias', 'Method', 'Property', 'Accessor', 'Enum', 'Variable'],
  // The dialects of queues and topics come first.
  groupOrder: ['Python', 'Publishing', 'Streams', 'Subject', 'Resource', '*'],
  disableSources: true,
  excludeExternals: true,
};
