/**
 * The floors of the house: a folder of src/ may import only what stands below it.
 * Everything may import errors/ and util/. Only src/native may load the addon.
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
  ['connection'],
  ['queues'],
  ['process'],
  ['pool'],
  ['managers'],
  ['context'],
  ['dummy'],
  ['operators'],
];
const always = ['errors', 'util'];

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

module.exports = {
  forbidden: [
    ...rules,
    { name: 'floor-errors', severity: 'error', from: { path: '^src/errors/' }, to: { path: '^src/', pathNot: '^src/(errors|util)/' } },
    { name: 'floor-util', severity: 'error', from: { path: '^src/util/' }, to: { path: '^src/', pathNot: '^src/(errors|util)/' } },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
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
