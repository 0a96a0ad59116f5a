/** The site: guides and the interface of every subpath, searched together. */
import { guides } from './scripts/guides.js';
import { sections } from './scripts/sections.js';
import { subpaths } from './scripts/subpaths.js';

export default {
  name: 'multiprocess',
  includeVersion: true,
  entryPoints: subpaths().map(({ source }) => source),
  projectDocuments: ['docs/guides/README.md', ...guides().map(({ file }) => file)],
  plugin: ['./scripts/typedoc-plugin.js'],
  customCss: './scripts/typedoc.css',
  out: 'docs/api',
  readme: 'README.md',
  excludePrivate: true,
  excludeInternal: true,
  treatWarningsAsErrors: true,
  validation: {
    notExported: true,
    invalidLink: true,
    invalidPath: true,
    notDocumented: true,
  },
  requiredToBeDocumented: [
    'Class',
    'Function',
    'Interface',
    'TypeAlias',
    'Method',
    'Property',
    'Accessor',
    'Enum',
    'Variable',
  ],
  // The dialects of queues and topics come first.
  groupOrder: ['Python', 'Publishing', 'Streams', 'Subject', 'Resource', '*'],
  categoryOrder: [...new Set(guides().map(({ section }) => section)), 'Modules', ...sections(), '*'],
  navigation: { includeCategories: true },
  // A document's title, and the readme's, is its own first line.
  headings: { readme: false, document: false },
  searchInComments: true,
  searchInDocuments: true,
  highlightLanguages: ['ts', 'js', 'python', 'bash', 'json', 'md', 'text'],
  disableSources: true,
  excludeExternals: true,
};
