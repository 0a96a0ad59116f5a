export default function nothing() {}
