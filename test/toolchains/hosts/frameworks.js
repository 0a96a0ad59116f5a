/** Frameworks whose command line compiles the server. In the full form only: they take long to install and to build. */
import { mkdirSync, writeFileSync } from 'node:fs';

export const toolbox = {
  name: 'frameworks',
  packages: [
    ...['next', 'react', 'react-dom', '@types/react', 'typescript'],
    ...['@nestjs/cli', '@nestjs/core', '@nestjs/common', '@nestjs/schematics', 'reflect-metadata'],
  ],
};

const asCommonJS = {
  groups: ['modern', 'private', 'large', 'typescript'],
  extension: '',
  jsonAttributes: false,
  type: 'commonjs',
};

/** Asks a server for its route when it says where it listens, and ends it when it has answered. */
async function ask(child, path) {
  let text = '';
  try {
    for await (const chunk of child.stdout) {
      text += chunk;
      const url = /http:\/\/localhost:\d+/.exec(text)?.[0];
      if (url === undefined) continue;
      await fetch(`${url}${path}`);
      return;
    }
  } finally {
    child.kill();
  }
}

export const hosts = [
  {
    name: 'Next.js, a route handler',
    program: { groups: asCommonJS.groups, extension: '' },
    status: 'any',
    refused: {
      'imports: dynamic, in a closure': {
        code: 'MP_BUNDLED_IMPORT',
        why: 'Turbopack makes it a call of its loader, which leads to the modules of the server',
      },
    },
    prepare: async ({ folder, toolbox, run, node, bin }) => {
      mkdirSync(`${folder}/app/api/cases`, { recursive: true });
      writeFileSync(
        `${folder}/app/api/cases/route.ts`,
        `import { runCases } from '../../../harness';
import '../../../groups';
export const dynamic = 'force-dynamic';
export async function GET() {
  await runCases();
  return Response.json('done');
}
`,
      );
      const config = {
        serverExternalPackages: ['multiprocess'],
        typescript: { ignoreBuildErrors: true },
        turbopack: { root: toolbox },
      };
      writeFileSync(`${folder}/next.config.mjs`, `export default ${JSON.stringify(config)};\n`);
      await run([node, bin('next'), 'build'], { env: { NEXT_TELEMETRY_DISABLED: '1' } });
    },
    command: ({ node, bin }) => ({
      command: [node, bin('next'), 'start', '--port', '0'],
      env: { TOOLCHAIN_BUNDLED: '1', NEXT_TELEMETRY_DISABLED: '1' },
      interact: (child) => ask(child, '/api/cases'),
    }),
  },
  {
    name: 'NestJS',
    program: { ...asCommonJS, groups: [...asCommonJS.groups, 'decorators-legacy'] },
    prepare: async ({ folder, run, node, bin }) => {
      const compilerOptions = {
        ...{
          target: 'es2022',
          module: 'commonjs',
          moduleResolution: 'node10',
          outDir: 'dist',
          rootDir: '.',
          sourceMap: true,
        },
        ...{
          experimentalDecorators: true,
          emitDecoratorMetadata: true,
          esModuleInterop: true,
          resolveJsonModule: true,
          skipLibCheck: true,
        },
        ...{ types: ['node'], lib: ['es2024', 'esnext.disposable'] },
      };
      writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ['*.ts'] }));
      writeFileSync(`${folder}/tsconfig.build.json`, JSON.stringify({ extends: './tsconfig.json' }));
      writeFileSync(`${folder}/nest-cli.json`, JSON.stringify({ sourceRoot: '.', entryFile: 'server' }));
      writeFileSync(
        `${folder}/server.ts`,
        `import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { runCases } from './harness';
import './groups';

@Injectable()
class CasesService {
  run() {
    return runCases();
  }
}
@Module({ providers: [CasesService] })
class AppModule {}

async function bootstrap() {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
  await app.get(CasesService).run();
  await app.close();
}
void bootstrap();
`,
      );
      await run([node, bin('nest'), 'build']);
    },
    command: ({ node }) => ({ command: [node, 'dist/server.js'] }),
  },
];
