/**
 * The floors of the house: a folder of src/ may import only what stands below it.
 * Everything may import platform/, errors/ and util/. Only src/native may load the addon.
 */
const floors = [
  ['native'],
  ['streams'],
  ['memory'],
  ['synchronize', 'shared-memory', 'descriptors'],
  ['sharedctypes', 'modules'],
  ['codec'],
  ['closures'],
  ['reduction'],
  ['share'],
  ['connection'],
  ['queues', 'shared-map'],
  ['process'],
  ['pool'],
  ['managers'],
  ['context'],
  ['dummy'],
  ['distributed'],
  ['operators'],
];
const always = ['platform', 'errors', 'util'];

const rules = floors.flatMap((floor, level) =>
  floor.map((name) => {
    const allowed = [...always, ...floors.slice(0, level).flat(), name];
    return {
      name: `floor-${name}`,
      comment: `src/${name} may import only: ${allowed.join(', ')}`,
      severity: 'error',
      from: { path: `^src/${name}/` },
      to: { path: '^src/', pathNot: `^src/(${allowed.join('|')})/` },
    };
  }),
);

/**
 * Modules that a child loads before it has work: they name the files that they need, since an index evaluates all of its folder.
 * So does the template of the forkserver, of which each child is a copy. The resource tracker stays for as
 * long as anybody has shared memory with a name.
 */
const childSide =
  '^src/((native|memory|codec|closures|modules|descriptors|reduction|share)/|process/(child|fork|forkserver)/|process/start-method\\.ts|pool/(worker|wire)/|operators/remote-run|distributed/worker/|shared-memory/tracker\\.ts)';

module.exports = {
  forbidden: [
    ...rules,
    {
      name: 'through-the-index',
      comment: 'Another folder is imported by its index.ts (docs/architecture.md, Indexes).',
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: `${childSide}|public\\.ts$` },
      // Managers are loaded when the first one is made.
      to: { path: '^src/', pathNot: '^src/($1|platform|errors|util)/|/index\\.ts$|^src/managers/start\\.ts$' },
    },
    {
      name: 'public-is-for-users',
      comment: 'What users import is imported by nobody else but the index that has more (docs/architecture.md, Indexes).',
      severity: 'error',
      from: { path: '^src/', pathNot: '/index\\.ts$' },
      to: { path: '/public\\.ts$' },
    },
    { name: 'floor-errors', severity: 'error', from: { path: '^src/errors/' }, to: { path: '^src/', pathNot: '^src/(errors|util)/' } },
    { name: 'floor-util', severity: 'error', from: { path: '^src/util/' }, to: { path: '^src/', pathNot: '^src/(platform|errors|util)/' } },
    { name: 'floor-platform', severity: 'error', from: { path: '^src/platform/' }, to: { path: '^src/', pathNot: '^src/platform/' } },
    // Type-only circles too.
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, pathNot: '\\.d\\.ts$' }, to: {} },
    { name: 'no-dev-dependencies', severity: 'error', from: { path: '^src/' }, to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer', 'type-only'] } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
