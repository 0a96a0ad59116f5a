/**
 * The control groups of this process, and those above them: what limits one holds for everything
 * beneath it, so each counts that is mounted here.
 */
import { readFileSync } from 'node:fs';

/** The version of a control group, and its directory. */
export interface ControlGroup {
  readonly version: 1 | 2;
  readonly directory: string;
}

/**
 * The groups in which a controller bounds this process; none where the kernel does not say.
 * @param root Where `/proc` and `/sys` are. @internal
 */
export function controlGroups(controller: string, root = ''): ControlGroup[] {
  const groups = read(`${root}/proc/self/cgroup`);
  if (groups === null) return [];
  const found: ControlGroup[] = [];
  const mounts = (read(`${root}/proc/self/mountinfo`) ?? '').split('\n').map(mountOf);
  for (const line of groups.split('\n')) {
    // hierarchy:controllers:path; that of version 2 has no controllers
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const unified = controllers === '';
    if (!unified && !controllers.split(',').includes(controller)) continue;
    for (const mount of mounts) {
      if (
        mount === null ||
        (unified ? mount.type !== 'cgroup2' : mount.type !== 'cgroup' || !mount.options.includes(controller))
      )
        continue;
      for (const directory of upwards(mount, path))
        found.push({ version: unified ? 2 : 1, directory: `${root}${directory}` });
    }
  }
  return found;
}

/** The text of one of the kernel's files; `null` where there is none. */
export function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

interface Mount {
  readonly type: string;
  /** The group that is mounted. */
  readonly root: string;
  readonly point: string;
  readonly options: readonly string[];
}

/** A line of mountinfo: id, parent, device, root, mount point, options, …, `-`, type, source, options. */
function mountOf(line: string): Mount | null {
  const [before, after] = line.split(' - ');
  const fields = before?.split(' ') ?? [];
  const [type, , options] = after?.split(' ') ?? [];
  if (type !== 'cgroup' && type !== 'cgroup2') return null;
  const [root, point] = fields
    .slice(3, 5)
    .map((text) => text.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))));
  return root === undefined || point === undefined ? null : { type, root, point, options: options?.split(',') ?? [] };
}

/** The directory of a group and those of the groups above it, as far as they are mounted. */
function upwards(mount: Mount, path: string): string[] {
  const root = mount.root === '/' ? '' : mount.root;
  // Of another part of the tree, as a container sees it that has no namespace of its own: what is
  // mounted is as near as one gets.
  const below = path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : '';
  const steps = below.split('/').filter((step) => step !== '' && step !== '..');
  return Array.from({ length: steps.length + 1 }, (_, i) =>
    [mount.point.replace(/\/$/, ''), ...steps.slice(0, i)].join('/'),
  );
}
