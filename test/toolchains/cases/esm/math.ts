/** What the cases import. */
export const pi = 3;
export function add(a: number, b: number): number {
  return a + b;
}
export const subtract = (a: number, b: number): number => a - b;
export default function multiply(a: number, b: number): number {
  return a * b;
}
export class Point {
  constructor(x: number, y: number) {
    this.x = x;
    this.y = y;
  }
  x: number;
  y: number;
  norm(): number {
    return Math.abs(this.x) + Math.abs(this.y);
  }
}
const table = new Float64Array(200_000).fill(1);
export function tableSum(): number {
  return table.reduce((a, b) => a + b, 0);
}
export { table };
