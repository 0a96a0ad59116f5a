export default function idle() {
  setInterval(() => {}, 60_000);
}
