// Puts the addon that was built here where an installed package looks for it: prebuilds/<platform>-<arch>.
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
mkdirSync(target, { recursive: true });
copyFileSync(join(root, 'build', 'Release', 'multiprocess.node'), join(target, 'multiprocess.node'));
