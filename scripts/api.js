/**
 * Writes what each subpath exports into etc/api/<subpath>.api.md, from the declarations that tsc writes. The reports are committed, so that a change
 * of the public interface is read as one.
 *
 *   node scripts/api.js          writes the reports
 *   node scripts/api.js --check  exits with 1 if one of them differs, and shows how
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { root, subpaths } from './subpaths.js';

const reports = `${root}etc/api`;
const fresh = `${root}.build/api`;
const entries = subpaths().map(({ name, source }) => ({
  name,
  file: `${root}${source.replace(/^src\/(.*)\.ts$/, '.build/types/$1.d.ts')}`,
}));
const { compilerOptions } = JSON.parse(readFileSync(`${root}tsconfig.json`, 'utf8'));
const { target, lib, module, moduleResolution, types, strict } = compilerOptions;

const none = { default: { logLevel: 'none' } };
const configs = entries.map(({ name, file }) =>
  ExtractorConfig.prepare({
    projectFolderLookupToken: root,
    packageJsonFullPath: `${root}package.json`,
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: file,
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target,
            lib,
            module,
            moduleResolution,
            types,
            strict,
            typeRoots: [`${root}node_modules/@types`],
          },
          files: entries.map((entry) => entry.file),
        },
      },
      // Of what is marked @internal nothing is promised.
      apiReport: {
        enabled: true,
        reportVariants: ['public'],
        reportFileName: name,
        reportFolder: fresh,
        reportTempFolder: `${root}.build/api-temporary`,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      // The compiler and typedoc say it.
      messages: {
        extractorMessageReporting: none,
        tsdocMessageReporting: none,
        compilerMessageReporting: { default: { logLevel: 'error' } },
      },
    },
  }),
);

rmSync(fresh, { recursive: true, force: true });
mkdirSync(fresh, { recursive: true });
const compilerState = CompilerState.create(configs[0], { additionalEntryPoints: entries.map(({ file }) => file) });
for (const [index, config] of configs.entries()) {
  Extractor.invoke(config, {
    compilerState,
    localBuild: true,
    messageCallback(message) {
      message.handled = true;
      if (message.logLevel === 'error') throw new Error(message.formatMessageWithLocation(root));
    },
  });
  const { name } = entries[index];
  renameSync(`${fresh}/${name}.public.api.md`, `${fresh}/${name}.api.md`);
}

if (process.argv.includes('--check')) {
  const { status } = spawnSync('diff', ['-ruN', 'etc/api', '.build/api'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    console.error(
      '\nThe public interface is not what etc/api says. If that is meant: npm run build && npm run api, and commit etc/api.',
    );
    process.exitCode = 1;
  }
} else {
  rmSync(reports, { recursive: true, force: true });
  cpSync(fresh, reports, { recursive: true });
}
