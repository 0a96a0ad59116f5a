/** Users and groups of this process. */

/** Returns the effective user. */
export function effectiveUser(): number {
  return process.geteuid!();
}

/** Returns all users and groups that this process acts as, as one text. */
export function credentials(): string {
  const { getuid, geteuid, getgid, getegid, getgroups } = process;
  return [getuid!(), geteuid!(), getgid!(), getegid!(), ...getgroups!()].join(' ');
}
