/** Compiles a program file by file with the TypeScript of its toolbox. */
import { writeFileSync } from 'node:fs';

/** A `prepare` that runs `tsc` with these options. Type errors fail it: the declarations of the package are checked as well. */
export function transpile(compilerOptions) {
  return async ({ folder, bin, run, node }) => {
    const options = {
      target: 'es2022',
      module: 'nodenext',
      strict: true,
      skipLibCheck: true,
      esModuleInterop: true,
      resolveJsonModule: true,
      types: ['node'],
      lib: ['es2024', 'esnext.disposable'],
      ...(compilerOptions.module === 'esnext' ? { moduleResolution: 'bundler' } : {}),
      ...compilerOptions,
    };
    writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions: options, include: ['*.ts'] }));
    await run([node, bin('tsc'), '-p', '.', '--pretty', 'false']);
  };
}
