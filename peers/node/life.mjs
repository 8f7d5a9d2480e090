// What the servers in this folder have in common: they say on standard output where
// they listen, and end by a signal, or when their standard input does, so that none
// outlives the test that started it, however that test ends.

export function announce(url) {
  const end = () => process.exit(0);
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  process.stdin.on("end", end).on("error", end).resume();
  process.stdout.on("error", end);
  process.stdout.write(`listening on ${url}\n`);
}
