// @ts-nocheck: compiled by other means
// Imported by main.ts, so its exports go by reference.
export class Shared {
  #total = 10;
  static #made = 0;
  constructor(readonly step: number) {
    Shared.#made++;
  }
  #grow(): void {
    this.#total += this.step;
  }
  get #twice(): number {
    return this.#total * 2;
  }
  add(): number {
    this.#grow();
    return this.#twice;
  }
  static owns(value: object): boolean {
    return #total in value;
  }
}
export class SharedChild extends Shared {
  #own = 'own';
  tell(): string {
    return `${this.#own} ${this.add()}`;
  }
}
const caches = new WeakMap<object, number>();
export function measured(value: object): number {
  if (!caches.has(value)) caches.set(value, Object.keys(value).length);
  return caches.get(value)!;
}
