/** Bundlers, with the package external (as their users are told) unless a host's name says that it is bundled in. */
import { writeFileSync } from 'node:fs';

export const toolbox = {
  name: 'bundlers',
  packages: [
    'typescript',
    'esbuild',
    'rollup',
    '@rollup/plugin-node-resolve',
    '@rollup/plugin-commonjs',
    '@rollup/plugin-json',
    '@swc/core',
    'vite',
    'webpack',
    'webpack-cli',
    'ts-loader',
    '@rspack/core',
    'tsup',
    '@vercel/ncc',
  ],
};

const asESM = { groups: ['modern', 'private', 'large', 'typescript'] };
const asRequired = { program: 'commonjs', type: 'commonjs' };

/** Runs `build.mjs`, a script that uses the bundler's API, as users with a build script have it. */
const builds =
  (text) =>
  async ({ folder, run, node }) => {
    writeFileSync(`${folder}/build.mjs`, text);
    await run([node, 'build.mjs']);
  };
const esbuild = (options) =>
  builds(`
    import { build } from 'esbuild';
    await build({ entryPoints: ['main.ts'], bundle: true, platform: 'node', target: 'node20', sourcemap: true, ...${JSON.stringify(options)} });`);
const external = { external: ['multiprocess'] };
const runs =
  (file, ...flags) =>
  ({ node }) => ({ command: [node, ...flags, file], ...bundled });

/** Rollup, after a TypeScript plugin of a few lines: the loaders that people use all call a compiler on each file. */
const rollup = (output) =>
  builds(`
    import { transform } from '@swc/core';
    import commonjs from '@rollup/plugin-commonjs';
    import json from '@rollup/plugin-json';
    import { nodeResolve } from '@rollup/plugin-node-resolve';
    import { rollup } from 'rollup';
    const typescript = {
      name: 'typescript',
      resolveId: (id, importer) => (importer && !importer.includes('node_modules') && id.startsWith('./') && id.endsWith('.js') ? importer.replace(/[^/]+$/, '') + id.slice(2, -3) + '.ts' : null),
      transform: (code, id) => (id.endsWith('.ts') ? transform(code, { filename: id, sourceMaps: true, jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }) : null),
    };
    const bundle = await rollup({ input: 'main.ts', external: ['multiprocess'], plugins: [typescript, nodeResolve(), commonjs(), json()], onwarn() {} });
    await bundle.write({ sourcemap: true, inlineDynamicImports: true, ...${JSON.stringify(output)} });`);

const webpack =
  (name, { output, experiments, externals, mode = 'production', entry = './main.ts' }) =>
  async (context) => {
    writeFileSync(`${context.folder}/tsconfig.json`, JSON.stringify({ files: ['main.ts'] }));
    await builds(`
    import bundler from '${name}';
    const webpack = ${name === 'webpack' ? 'bundler' : 'bundler.rspack ?? bundler'};
    const config = {
      mode: '${mode}', target: 'node20', entry: '${entry}', devtool: 'source-map', context: process.cwd(),
      externalsType: ${JSON.stringify(experiments?.outputModule ? 'module' : 'commonjs')},
      externals: ${JSON.stringify(externals ?? ['multiprocess'])},
      resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
      module: { rules: [{ test: /\\.ts$/, ${
        name === 'webpack'
          ? "loader: 'ts-loader', options: { transpileOnly: true, compilerOptions: { target: 'es2022', module: 'esnext', moduleResolution: 'bundler', sourceMap: true } }"
          : "loader: 'builtin:swc-loader', options: { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }"
      } }] },
      experiments: ${JSON.stringify(experiments ?? {})},
      output: { path: process.cwd() + '/out', ...${JSON.stringify(output)} },
    };
    const stats = await new Promise((resolve, reject) => webpack(config, (error, done) => (error ? reject(error) : resolve(done))));
    if (stats.hasErrors()) { console.error(stats.toString({ all: false, errors: true })); process.exit(1); }`)(context);
  };

const bundled = { env: { TOOLCHAIN_BUNDLED: '1' } };
const refused = {
  'imports: dynamic, in a closure': {
    code: 'MP_BUNDLED_IMPORT',
    why: 'it would take the module cache of the whole bundle along; `/* webpackIgnore: true */` keeps it an import of Node',
  },
};
/** What users of esbuild put on top of ESM in which CommonJS packages are bundled. */
const BANNER = "const require = (await import('node:module')).createRequire(import.meta.url);";

export const hosts = [
  {
    name: 'esbuild, ESM',
    program: asESM,
    prepare: esbuild({ ...external, format: 'esm', outfile: 'out.mjs', banner: { js: BANNER } }),
    command: runs('out.mjs'),
  },
  {
    name: 'esbuild, CommonJS',
    program: asESM,
    prepare: esbuild({ ...external, format: 'cjs', outfile: 'out.cjs' }),
    command: runs('out.cjs'),
  },
  {
    name: 'esbuild, minified CommonJS',
    short: true,
    program: asESM,
    prepare: esbuild({ ...external, format: 'cjs', minify: true, outfile: 'out.cjs' }),
    command: runs('out.cjs', '--enable-source-maps'),
  },
  {
    name: 'esbuild, minified ESM',
    program: asESM,
    prepare: esbuild({ ...external, packages: 'external', format: 'esm', minify: true, outfile: 'out.mjs' }),
    command: runs('out.mjs'),
  },
  {
    name: 'esbuild, all in ESM',
    program: asESM,
    prepare: esbuild({ format: 'esm', outfile: 'out.mjs', banner: { js: BANNER } }),
    command: runs('out.mjs'),
  },
  {
    name: 'esbuild, all in CommonJS',
    short: true,
    program: asESM,
    prepare: esbuild({ format: 'cjs', outfile: 'out.cjs' }),
    command: runs('out.cjs'),
  },
  { name: 'rollup, ESM', program: asESM, prepare: rollup({ file: 'out.mjs', format: 'es' }), command: runs('out.mjs') },
  {
    name: 'rollup, CommonJS',
    program: asESM,
    prepare: rollup({ file: 'out.cjs', format: 'cjs' }),
    command: runs('out.cjs'),
  },
  {
    name: 'vite, SSR',
    program: asESM,
    prepare: builds(`
      import { build } from 'vite';
      await build({ logLevel: 'warn', build: { ssr: 'main.ts', outDir: 'out', target: 'node20', sourcemap: true, minify: false, rollupOptions: { output: { entryFileNames: 'main.mjs' } } } });`),
    command: runs('out/main.mjs'),
  },
  {
    name: 'vite, dev server',
    program: asESM,
    prepare: ({ folder }) =>
      writeFileSync(
        `${folder}/serve.mjs`,
        `import { createServer } from 'vite';
        const server = await createServer({ server: { middlewareMode: true, ws: false }, appType: 'custom', logLevel: 'error' });
        const { done } = await server.ssrLoadModule('/main.ts');
        await done;
        await server.close();`,
      ),
    command: runs('serve.mjs'),
  },
  {
    name: 'webpack, CommonJS',
    refused,
    short: true,
    program: asESM,
    prepare: webpack('webpack', { output: { filename: 'main.cjs', library: { type: 'commonjs2' } } }),
    command: runs('out/main.cjs'),
  },
  {
    name: 'webpack, ESM',
    refused,
    program: asESM,
    prepare: webpack('webpack', {
      experiments: { outputModule: true },
      output: { filename: 'main.mjs', module: true, library: { type: 'module' } },
    }),
    command: runs('out/main.mjs'),
  },
  {
    name: 'webpack, of CommonJS',
    refused: {
      'requires: import() in a closure': refused['imports: dynamic, in a closure'],
      'requires: in a closure': {
        code: 'MP_BUNDLED_IMPORT',
        why: 'webpack makes it a call of its loader, which takes the modules of the bundle along, and one of these has an `import()`',
      },
    },
    program: asRequired,
    prepare: webpack('webpack', { entry: './main.cjs', mode: 'development', output: { filename: 'main.cjs' } }),
    command: runs('out/main.cjs'),
  },
  {
    name: 'rspack, CommonJS',
    refused,
    program: asESM,
    prepare: webpack('@rspack/core', { output: { filename: 'main.cjs', library: { type: 'commonjs2' } } }),
    command: runs('out/main.cjs'),
  },
  {
    name: 'tsup',
    program: asESM,
    prepare: async ({ folder, run, node, bin }) => {
      writeFileSync(
        `${folder}/package.json`,
        JSON.stringify({ private: true, type: 'module', dependencies: { multiprocess: '*' } }),
      );
      await run([node, bin('tsup'), 'main.ts', '--format', 'esm,cjs', '--target', 'node20', '--no-config']);
    },
    command: runs('dist/main.js'),
  },
  {
    name: 'ncc',
    refused: {
      'requires: import() in a closure': refused['imports: dynamic, in a closure'],
      'requires: in a closure': {
        code: 'MP_SYMBOL',
        why: 'ncc makes it a call of its loader, which takes the modules of the bundle along, and one of these has a symbol of its own',
      },
    },
    program: asRequired,
    prepare: ({ run, node, bin }) => run([node, bin('ncc'), 'build', 'main.cjs', '-o', 'out', '-e', 'multiprocess']),
    command: runs('out/index.cjs'),
  },
];
