/** The children of a reduction under construction, with the label of each. */
export class Children {
  readonly values: unknown[] = [];
  readonly labels: string[] = [];

  /** Adds a child and returns its index. */
  add(value: unknown, label: string): number {
    this.labels.push(label);
    return this.values.push(value) - 1;
  }
}
