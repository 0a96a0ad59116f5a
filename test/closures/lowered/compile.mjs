// Compiles source/ with the tools people use into one folder for each. Run by hand, from a folder that has them installed:
//   npm install typescript @babel/core @babel/preset-env @babel/preset-typescript @babel/plugin-proposal-decorators @swc/core esbuild \
//     istanbul-lib-instrument istanbul-lib-instrument-3@npm:istanbul-lib-instrument@3
//   TOOLS=$PWD node <here>/compile.mjs
// What the tools gave is kept, so that the tests need none of them.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(join(process.env.TOOLS ?? process.cwd(), 'index.js'));
const here = fileURLToPath(new URL('.', import.meta.url));
const ts = require('typescript');
const babel = require('@babel/core');
const swc = require('@swc/core');
const esbuild = require('esbuild');
const version = (name) => require(`${name}/package.json`).version;
const read = (name) => readFileSync(join(here, 'source', `${name}.ts`), 'utf8');

function write(folder, tool, extension, compile, names) {
  rmSync(join(here, folder), { recursive: true, force: true });
  mkdirSync(join(here, folder), { recursive: true });
  for (const name of names) {
    const text = compile(read(name), name).replace(/(["'])\.\/(shared|counted)\.js\1/, `$1./$2.${extension}$1`);
    writeFileSync(join(here, folder, `${name}.${extension}`), `// ${tool}\n${text}`);
  }
}

const plain = ['main', 'shared'];
const typescript = (target, module, legacy) => (text) => {
  const options = { target: ts.ScriptTarget[target], module: ts.ModuleKind[module], experimentalDecorators: legacy === true };
  return ts.transpileModule(text, { compilerOptions: { ...options, esModuleInterop: true } }).outputText;
};
const tsc = `tsc ${ts.version}`;
write('tsc-es2021', `${tsc} --target es2021`, 'mjs', typescript('ES2021', 'ESNext'), [...plain, 'decorated']);
write('tsc-es2022', `${tsc} --target es2022`, 'mjs', typescript('ES2022', 'ESNext'), [...plain, 'decorated']);
write('tsc-es2017', `${tsc} --target es2017`, 'mjs', typescript('ES2017', 'ESNext'), [...plain, 'decorated']);
write('tsc-es5', `${tsc} --target es5 --module commonjs`, 'cjs', typescript('ES5', 'CommonJS'), [...plain, 'decorated']);
write('tsc-legacy', `${tsc} --target es2021 --experimentalDecorators`, 'mjs', typescript('ES2021', 'ESNext', true), ['legacy']);
write('tsc-legacy-es5', `${tsc} --target es5 --experimentalDecorators`, 'mjs', typescript('ES5', 'ESNext', true), ['legacy']);

const byBabel = (targets, modules, assumptions, decorators) => (text, filename) =>
  babel.transformSync(ts.transpileModule(text, { compilerOptions: { target: 'esnext', module: 'esnext' } }).outputText, {
    configFile: false,
    babelrc: false,
    filename,
    assumptions,
    presets: [[require.resolve('@babel/preset-env'), { targets, modules }]],
    plugins: [[require.resolve('@babel/plugin-proposal-decorators'), { version: decorators ?? '2023-11' }]],
  }).code;
const by = `@babel/core ${version('@babel/core')} with preset-env ${version('@babel/preset-env')}`;
write('babel-es2020', `${by}, targets node 11.0`, 'mjs', byBabel('node 11.0', false, {}), [...plain, 'decorated']);
const loose = { privateFieldsAsProperties: true, setPublicClassFields: true, superIsCallableConstructor: true };
write('babel-loose', `${by}, targets node 11.0, loose`, 'mjs', byBabel('node 11.0', false, loose), plain);
write('babel-es5', `${by}, targets IE 11, CommonJS`, 'cjs', byBabel('ie 11', 'commonjs', {}), [...plain, 'decorated']);
write('babel-legacy', `${by}, legacy decorators`, 'mjs', byBabel('node 20', false, {}, 'legacy'), ['legacy']);

const bySwc = (target, module, legacy) => (text, filename) =>
  swc.transformSync(text, {
    filename: `${filename}.ts`,
    swcrc: false,
    module: { type: module },
    jsc: {
      target,
      externalHelpers: false,
      parser: { syntax: 'typescript', decorators: true },
      transform: legacy ? { legacyDecorator: true } : { decoratorVersion: '2022-03' },
    },
  }).code;
const swcName = `swc ${version('@swc/core')}`;
write('swc-es2020', `${swcName}, target es2020`, 'mjs', bySwc('es2020', 'es6'), [...plain, 'decorated']);
write('swc-es5', `${swcName}, target es5, CommonJS`, 'cjs', bySwc('es5', 'commonjs'), plain);
write('swc-legacy', `${swcName}, legacy decorators`, 'mjs', bySwc('es2022', 'es6', true), ['legacy']);

const byEsbuild = (target, options, legacy) => (text) =>
  esbuild.transformSync(text, {
    loader: 'ts',
    target,
    keepNames: true,
    tsconfigRaw: { compilerOptions: { experimentalDecorators: legacy === true } },
    ...options,
  }).code;
const es = `esbuild ${esbuild.version} --keep-names`;
write('esbuild-es2020', `${es} --target=es2020`, 'mjs', byEsbuild('es2020', {}), [...plain, 'decorated']);
write('esbuild-minified', `${es} --target=es2021 --minify`, 'mjs', byEsbuild('es2021', { minify: true }), [...plain, 'decorated']);
write('esbuild-legacy', `${es}, legacy decorators`, 'mjs', byEsbuild('es2022', {}, true), ['legacy']);

for (const [folder, options] of [
  ['esbuild-lazy', {}],
  ['esbuild-lazy-minified', { minify: true }],
]) {
  const written = `// esbuild ${esbuild.version} --bundle --format=esm${options.minify ? ' --minify' : ''}`;
  const [entry, outfile] = [join(here, 'source/lazy-main.mjs'), join(here, folder, 'main.mjs')];
  const target = { absWorkingDir: here, bundle: true, format: 'esm', platform: 'node', external: ['multiprocess'], banner: { js: written } };
  esbuild.buildSync({ entryPoints: [entry], outfile, ...target, ...options });
}

const instrumented = (name) => (text, file) =>
  require(name)
    .createInstrumenter({ esModules: true, compact: false })
    .instrumentSync(ts.transpileModule(text, { compilerOptions: { target: 'esnext', module: 'esnext' } }).outputText, `/src/${file}.js`);
for (const [folder, name] of [
  ['istanbul-6', 'istanbul-lib-instrument'],
  ['istanbul-3', 'istanbul-lib-instrument-3'],
]) {
  write(folder, `istanbul-lib-instrument ${version(name)}`, 'mjs', instrumented(name), ['instrumented', 'counted']);
}

async function bundle(folder, pack, name, mode) {
  const output = { path: join(here, folder), filename: 'bundled.mjs', chunkFormat: 'module', module: true, library: { type: 'module' }, clean: true };
  const options = {
    mode,
    context: join(here, 'source'),
    entry: './bundled.mjs',
    target: 'node20',
    devtool: false,
    externals: { multiprocess: 'module multiprocess' },
    experiments: { outputModule: true },
    output,
  };
  await new Promise((resolve, reject) => pack(options, (error, stats) => (error || stats.hasErrors() ? reject(error ?? stats) : resolve())));
  const file = join(here, folder, 'bundled.mjs');
  writeFileSync(file, `// ${name}, ${mode}\n${readFileSync(file, 'utf8')}`);
}

const load = async (name) => import(join(process.env.TOOLS ?? process.cwd(), 'node_modules', name));
const { default: webpack } = await load('webpack/lib/index.js');
const { rspack, rspackVersion } = await load('@rspack/core/dist/index.js');
for (const mode of ['development', 'production']) {
  await bundle(`webpack-${mode}`, webpack, `webpack ${version('webpack')}`, mode);
  await bundle(`rspack-${mode}`, rspack, `rspack ${rspackVersion}`, mode);
}
